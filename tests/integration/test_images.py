"""Each service in a fresh environment, as its image has it: its group, `shared/` and itself."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from dev.generate import ROOT
from tests import own_environment
from tests.marks import in_full


@pytest.mark.parametrize("service", ["matcher", *in_full("ingest", "timeline")])
def test_a_service_gets_ready_with_its_own_dependencies_alone(
    service: str, amqp_url: str, mongodb_url: str, database_name: str, tmp_path: Path
) -> None:
    databases = {"MATCHER_DATABASE": database_name, "TIMELINE_DATABASE": database_name}
    environment = own_environment.settings(tmp_path, amqp_url, mongodb_url) | databases
    python = own_environment.make(service, tmp_path)
    if service != "ingest":
        module = [str(python), "-m", f"services.{service}", "--migrate"]
        subprocess.run(module, cwd=tmp_path, env=environment, check=True, capture_output=True)
    replica = own_environment.replica_of(service, python, environment)
    try:
        replica.start()
        replica.await_ready()
    finally:
        replica.process.stop()
    assert "Traceback" not in replica.process.log.read_text()


@pytest.mark.parametrize("service", ["matcher", *in_full("ingest", "timeline")])
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
    assert "INGEST_SMTP_PORT  (integer, 1 to 65535; default: 2525)" in shown
    assert "CAPTURE_KEYS  (text; required; secret)" in shown


def test_groups_of_services_leave_development_out() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    for service in ("ingest", "matcher", "timeline"):
        assert "pytest" not in str(groups[service])
    assert "pymongo" not in str(groups["ingest"])
