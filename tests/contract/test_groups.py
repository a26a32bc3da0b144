"""Each service starts with its own dependencies, and says over HTTP what it lacks."""

import time
from pathlib import Path

import httpx
import pytest

from dev.generate import SETTINGS
from dev.local_http import get
from dev.ports import free_port
from tests import own_environment
from tests.deadline import DEADLINE
from tests.marks import in_full

first, *others = SETTINGS
NEEDS = {
    "ingest": {"broker"},
    "matcher": {"broker", "database"},
    "timeline": {"broker", "database"},
}


def asked(port: int, path: str) -> httpx.Response:
    deadline = time.monotonic() + DEADLINE
    while True:
        try:
            return get(f"http://127.0.0.1:{port}{path}", timeout=DEADLINE)
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@pytest.mark.parametrize("service", [first, *in_full(*others)])
def test_a_service_serves_with_its_own_dependencies_alone(service: str, tmp_path: Path) -> None:
    nobody = free_port()
    environment = own_environment.settings(
        tmp_path, f"amqp://127.0.0.1:{nobody}/", f"mongodb://127.0.0.1:{nobody}/"
    )
    python = own_environment.make(service, tmp_path)
    replica = own_environment.replica_of(service, python, environment)
    try:
        replica.start()
        assert asked(replica.http_port, "/healthz").status_code == 200
        ready = asked(replica.http_port, "/readyz")
        assert "satchel_check" in asked(replica.http_port, "/metrics").text
    finally:
        replica.process.stop()
    assert ready.status_code == 503
    checks: dict[str, bool] = ready.json()["checks"]
    assert {name for name, passes in checks.items() if not passes} - {"blobs"} == NEEDS[service]
    assert "Traceback" not in replica.process.log.read_text()
