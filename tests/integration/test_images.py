"""Each service in a fresh environment, as its image has it: its group, `shared/` and itself."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from dev.generate import ROOT
from dev.ports import free_port
from dev.process import Process
from dev.stack import PORT_SETTINGS, Replica


def _uv() -> str:
    bundled = ROOT / ".satchel" / "uv" / "bin" / "uv"
    found = str(bundled) if bundled.exists() else shutil.which("uv")
    assert found, "dev/bootstrap.sh brings uv"
    return found


@pytest.mark.parametrize("service", ["ingest", "matcher", "timeline"])
def test_a_service_starts_with_its_own_dependencies_alone(
    service: str, amqp_url: str, mongodb_url: str, database_name: str, tmp_path: Path
) -> None:
    for name in ("pyproject.toml", "uv.lock"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "shared", tmp_path / "shared")
    shutil.copytree(ROOT / "services" / service, tmp_path / "services" / service)
    shutil.copy(ROOT / "services" / "__init__.py", tmp_path / "services")
    subprocess.run(
        [_uv(), "sync", "--frozen", "--quiet", "--no-default-groups", "--group", service],
        cwd=tmp_path,
        env={**os.environ, "UV_PYTHON_DOWNLOADS": "never", "UV_PYTHON": sys.executable},
        check=True,
    )
    python = tmp_path / ".venv" / "bin" / "python"
    environment = {
        "PATH": os.environ["PATH"],
        "AMQP_URL": amqp_url,
        "MONGODB_URL": mongodb_url,
        "MATCHER_DATABASE": database_name,
        "TIMELINE_DATABASE": database_name,
        "BLOB_URL": f"file://{tmp_path}/blobs",
        "CAPTURE_KEYS": f"k1:{'s' * 32}",
        "TOKEN_SECRET": "t" * 48,
        "BIND_HOST": "127.0.0.1",
    }
    if service != "ingest":
        module = [str(python), "-m", f"services.{service}", "--migrate"]
        subprocess.run(module, cwd=tmp_path, env=environment, check=True, capture_output=True)
    ports = {name: free_port() for name in PORT_SETTINGS[service]}
    process = Process(
        [python, "-m", f"services.{service}"],
        log=tmp_path / f"{service}.log",
        environment=environment | {name: str(port) for name, port in ports.items()},
        folder=tmp_path,
    )
    try:
        replica = Replica(service, service, ports, process)
        replica.start()
        replica.await_ready()
    finally:
        process.stop()
    assert "Traceback" not in process.log.read_text()


@pytest.mark.parametrize("service", ["ingest", "matcher", "timeline"])
def test_a_missing_setting_is_named_in_one_line(service: str) -> None:
    started = subprocess.run(
        [sys.executable, "-m", f"services.{service}"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
    )
    assert started.returncode == 2
    lines = started.stderr.splitlines()
    expected = "TOKEN_SECRET must be set" if service == "timeline" else "CAPTURE_KEYS must be set"
    assert any(expected in line for line in lines)
    assert len(lines) <= 2


def test_help_lists_every_setting() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "services.ingest", "--help"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "INGEST_SMTP_PORT  (default: 2525)" in shown
    assert "CAPTURE_KEYS  (required)" in shown


def test_groups_of_services_leave_development_out() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    for service in ("ingest", "matcher", "timeline"):
        assert "pytest" not in str(groups[service])
    assert "pymongo" not in str(groups["ingest"])
