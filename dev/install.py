"""The real servers: found, or installed where that is possible, or one line that says what to do."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

RABBITMQ_SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""The one in /usr/sbin switches the user."""


class Unavailable(Exception):
    """A part cannot be had here; the message says what to install or to set."""


def ensure_rabbitmq() -> Path:
    """Return the broker's start script; install Debian's package when it is missing."""
    if RABBITMQ_SERVER.exists():
        return RABBITMQ_SERVER
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Unavailable(
            "no RabbitMQ here: install the package rabbitmq-server, or set AMQP_URL to a broker"
        )
    sys.stderr.write("broker: installing Debian's rabbitmq-server (once, about a minute)\n")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for arguments in (
        ["update"],
        ["install", "-y", "--no-install-recommends", "rabbitmq-server"],
    ):
        done = subprocess.run(
            ["apt-get", "-q", *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            last = (done.stdout.strip().splitlines() or ["no output"])[-1]
            raise Unavailable(
                f"apt-get {arguments[0]} failed ({last}): install the package rabbitmq-server, "
                "or set AMQP_URL to a broker"
            )
    return RABBITMQ_SERVER


def find_mongod() -> Path:
    """Return a mongod: the one on PATH, else the one that the development environment brings."""
    if on_path := shutil.which("mongod"):
        return Path(on_path)
    package = importlib.util.find_spec("fiftyone")
    for folder in (package.submodule_search_locations or []) if package else []:
        bundled = Path(folder) / "db" / "bin" / "mongod"
        if bundled.exists():
            return bundled
    raise Unavailable("no MongoDB here: put a mongod on PATH, or set MONGODB_URL to a replica set")
