"""A service in a fresh environment, as its image has it: its group, `shared/` and itself."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from dev.generate import ROOT
from dev.ports import free_port
from dev.process import Process
from dev.stack import PORT_SETTINGS, Replica


def make(service: str, folder: Path) -> Path:
    """Copy and install into the folder what the image has; return its Python."""
    for name in ("pyproject.toml", "uv.lock"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "shared", folder / "shared")
    shutil.copytree(ROOT / "services" / service, folder / "services" / service)
    shutil.copy(ROOT / "services" / "__init__.py", folder / "services")
    subprocess.run(
        [_uv(), "sync", "--frozen", "--quiet", "--no-default-groups", "--group", service],
        cwd=folder,
        env={**os.environ, "UV_PYTHON_DOWNLOADS": "never", "UV_PYTHON": sys.executable},
        check=True,
    )
    return folder / ".venv" / "bin" / "python"


def settings(folder: Path, amqp_url: str, mongodb_url: str) -> dict[str, str]:
    """Return the whole environment that such a service gets."""
    return {
        "PATH": os.environ["PATH"],
        "AMQP_URL": amqp_url,
        "MONGODB_URL": mongodb_url,
        "BLOB_URL": f"file://{folder}/blobs",
        "CAPTURE_KEYS": f"k1:{'s' * 32}",
        "TOKEN_SECRET": "t" * 48,
        "BIND_HOST": "127.0.0.1",
    }


def replica_of(service: str, python: Path, environment: dict[str, str]) -> Replica:
    """Return the service, to be started, with that Python."""
    folder = python.parents[2]
    ports = {name: free_port() for name in PORT_SETTINGS[service]}
    process = Process(
        [python, "-m", f"services.{service}"],
        log=folder / f"{service}.log",
        environment=environment | {name: str(port) for name, port in ports.items()},
        folder=folder,
    )
    return Replica(service, service, ports, process)


def _uv() -> str:
    bundled = ROOT / ".satchel" / "uv" / "bin" / "uv"
    found = str(bundled) if bundled.exists() else shutil.which("uv")
    assert found, "dev/bootstrap.sh brings uv"
    return found
