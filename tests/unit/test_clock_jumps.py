"""A clock that jumps an hour, or is an hour ahead of another's: what counts goes on counting.

Limits and rates run by a clock that never jumps. What is written by one service and read by another
is compared with a margin, or bounded by the reader's own clock.
"""

import inspect
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.ingest.rates import Rates
from services.ingest.smtp.connections import ConnectionLimiter
from services.matcher.api.explain_rate import ExplainRate
from services.matcher.api.import_places import ImportPlaces
from services.matcher.deciding import _moment_of
from services.timeline.metrics import VISIBLE_SECONDS
from services.timeline.write.consumer import _note
from services.timeline.write.requests import Answer
from shared.contracts.capture_address import KeyRing, new_round_trip_id
from shared.runtime.in_flight import InFlight
from tests.broker_parts import received
from tests.timeline_parts import attached

HOUR, DAY = 3600, 86400
MIDNIGHT = 20_000 * DAY
RING = KeyRing.parse("k1:" + "s" * 20)


@pytest.mark.parametrize("limit", [ConnectionLimiter, ExplainRate, ImportPlaces, InFlight, Rates])
def test_a_limit_runs_by_a_clock_that_never_jumps(limit: Callable[..., Any]) -> None:
    assert inspect.signature(limit).parameters["clock"].default is time.monotonic


@pytest.mark.parametrize(
    ("made", "read", "counts"),
    [
        (MIDNIGHT + HOUR / 2, MIDNIGHT - HOUR / 2, True),  # who made it is an hour ahead
        (MIDNIGHT - HOUR / 2, MIDNIGHT + HOUR / 2, True),
        (MIDNIGHT, MIDNIGHT + 100 * DAY, False),
        (MIDNIGHT + 2 * DAY, MIDNIGHT, False),
    ],
)
def test_the_bounce_of_a_test_mail_finds_its_way_across_midnight(
    monkeypatch: pytest.MonkeyPatch, made: float, read: float, *, counts: bool
) -> None:
    address = RING.mint_return_path("acme", new_round_trip_id(made), "in.satchel.test")
    monkeypatch.setattr(time, "time", lambda: read)
    assert (RING.verify(address, "in.satchel.test") is not None) is counts


@pytest.mark.parametrize("seconds", [-HOUR, 0, HOUR])
def test_no_mail_was_received_later_than_now(seconds: int) -> None:
    now = datetime.now(UTC)
    moment = _moment_of(received(received_at=now + timedelta(seconds=seconds)))
    assert moment <= datetime.now(UTC)
    assert seconds > 0 or moment == now + timedelta(seconds=seconds)


@pytest.mark.parametrize(("seconds", "at_least"), [(HOUR, 0), (-HOUR, HOUR)])
def test_the_sum_of_what_mails_waited_never_goes_down(seconds: int, at_least: float) -> None:
    before = VISIBLE_SECONDS._sum.get()
    event = attached().model_copy(
        update={"received_at": datetime.now(UTC) + timedelta(seconds=seconds)}
    )
    _note(event, Answer(outcome="attached"))
    assert VISIBLE_SECONDS._sum.get() - before >= at_least
