"""What the tests of deliveries share: a clock, and waits that take no time."""

from types import SimpleNamespace

import pytest

from shared.broker import deliveries
from tests.delivery_parts import Broker


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The attempts after which was waited; without the waiting."""
    found: list[int] = []

    def at_once(attempts: int) -> float:
        found.append(attempts)
        return 0.0

    monkeypatch.setattr(deliveries, "_backoff", at_once)
    return found


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    found = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(
        deliveries,
        "time",
        SimpleNamespace(monotonic=lambda: found.now, time=lambda: 5000.0 + found.now),
    )
    return found


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    return Broker(monkeypatch)
