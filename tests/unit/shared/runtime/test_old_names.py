"""What has a better name is read, and served, under its old one for a release."""

import pytest
from prometheus_client import REGISTRY

from services.ingest.metrics import BYTES_IN_FLIGHT
from services.ingest.settings import IngestSettings
from shared.runtime.metrics import OLD_NAMES, exposition
from shared.runtime.settings import load

REQUIRED = {"CAPTURE_KEYS": "k1:" + "s" * 32, "TOKEN_SECRET": "t" * 32}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr("sys.argv", ["ingest"])
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    # Both are given back afterwards, whatever `load` writes.
    for name in ("MAX_BYTES_IN_HAND", "MAX_BYTES_IN_FLIGHT"):
        monkeypatch.setenv(name, "1")
        monkeypatch.delenv(name)
    return monkeypatch


def test_a_setting_is_read_under_its_old_name_and_says_so(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("MAX_BYTES_IN_HAND", "77000000")
    assert load(IngestSettings, "ingest").max_bytes_in_flight == 77_000_000
    assert "MAX_BYTES_IN_HAND is now called MAX_BYTES_IN_FLIGHT" in capsys.readouterr().err


def test_the_new_name_wins(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("MAX_BYTES_IN_HAND", "77000000")
    environment.setenv("MAX_BYTES_IN_FLIGHT", "88000000")
    assert load(IngestSettings, "ingest").max_bytes_in_flight == 88_000_000
    assert capsys.readouterr().err == ""


def test_a_gauge_is_served_under_both_names() -> None:
    BYTES_IN_FLIGHT.set(4711)
    lines = exposition().decode().splitlines()
    for name in ("satchel_bytes_in_flight", OLD_NAMES["satchel_bytes_in_flight"]):
        assert f"{name} 4711.0" in lines
    assert REGISTRY.get_sample_value("satchel_bytes_in_flight") == 4711
