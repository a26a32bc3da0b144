"""`make test-rabbitmq4`: the tests of the broker and the fault run, on RabbitMQ 4.

* Debian 13's package, in a folder with a Debian 13 of its own under `.satchel` (made once, in about
  a minute; needs root). A node inside is an ordinary process of this machine, with its network.
* `SATCHEL_RABBITMQ_ROOT` names that folder to `dev.rabbitmq`, whatever starts a broker then.
* Nothing deprecated is used: every deprecated feature that can be switched off is.
"""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from dev.install import Unavailable, ensure_package

ROOT_SETTING = "SATCHEL_RABBITMQ_ROOT"
FOLDER = Path(__file__).parents[1] / ".satchel" / "rabbitmq4"
_SUITE, _PACKAGE = "trixie", "rabbitmq-server"
_TESTS = ["tests/integration", "tests/e2e/test_fault_run.py"]
FORBIDDEN = (
    "amqp_address_v1",
    "classic_queue_mirroring",
    "global_qos",
    "management_metrics_collection",
    "queue_master_locator",
    "ram_node_type",
    "transient_nonexcl_queues",
)
"""What RabbitMQ 4.0 calls deprecated, used or not."""
CONFIGURATION = "".join(f"deprecated_features.permit.{name} = false\n" for name in FORBIDDEN)
_ENTER = """\
set -e
mount -t tmpfs tmpfs "$root/tmp"
mkdir -p "$root$folder"
mount --bind "$folder" "$root$folder"
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
touch "$root/etc/hosts"
mount --bind /etc/hosts "$root/etc/hosts"
exec chroot "$root" "$@"
"""
"""What is mounted is seen by the program alone, and goes with it. The program is this process."""


def root_in_use() -> Path | None:
    """Return the folder with the Debian whose broker is to be started, if it is not this one's."""
    given = os.environ.get(ROOT_SETTING)
    return Path(given).resolve() if given else None


def entering(root: Path, folder: Path) -> list[str]:
    """Return the command that runs the command after it inside; it finds the folder in its place.

    Everything is `exec`: the pid is the program's from the start.
    """
    script = f"root={shlex.quote(str(root))} folder={shlex.quote(str(folder))}\n{_ENTER}"
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"]


def ensure_root() -> Path:
    """Return the folder with a Debian that has RabbitMQ 4; make it first when it is missing."""
    if FOLDER.exists():
        return FOLDER
    if os.geteuid() != 0:
        raise Unavailable("a Debian 13 can only be set up and entered by root: run this as root")
    debootstrap = ensure_package("debootstrap")
    draft = FOLDER.with_suffix(".draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.parent.mkdir(exist_ok=True)
    print("satchel: setting up a Debian 13 with RabbitMQ 4, once", file=sys.stderr, flush=True)
    command = [str(debootstrap), "--variant=minbase", f"--include={_PACKAGE}", _SUITE, str(draft)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise Unavailable(f"debootstrap failed:\n{made.stdout[-2000:]}{made.stderr[-2000:]}")
    draft.rename(FOLDER)
    return FOLDER


def main() -> int:
    """Run pytest, with these arguments instead of the usual tests when there are any."""
    try:
        root = ensure_root()
    except Unavailable as error:
        print(f"satchel: {error}", file=sys.stderr)
        return 2
    environment = {**os.environ, ROOT_SETTING: str(root)}
    environment.pop("AMQP_URL", None)
    tests = sys.argv[1:] or _TESTS
    command = [sys.executable, "-m", "pytest", *tests]
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
