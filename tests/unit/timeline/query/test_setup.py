"""What is told of a set-up, from what is stored and the moment."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.timeline.query.setup import HalfState, KnownSetup, Notice, half_view, notices
from services.timeline.write.side_records import Asked, Leaked, SeenHalf, Setup
from shared.contracts.events import Half
from tests.write_parts import NOW

ADDRESS = "a@in.satchel.test"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def daily(last: datetime, days: int = 14) -> SeenHalf:
    """Return a half that had mail on every day until this one."""
    all_days = [last - n * DAY for n in reversed(range(days))]
    return SeenHalf(first=all_days[0], days=tuple(f"{day:%Y-%m-%d}" for day in all_days))


def known(
    *,
    sent: datetime | None = None,
    received: datetime | None = None,
    asked: datetime | None = None,
    leaks: tuple[Leaked, ...] = (),
    days: int = 14,
) -> KnownSetup:
    record = Setup(
        id="acme/u1",
        account="acme",
        owner="u1",
        sent=daily(sent, days) if sent else None,
        received=daily(received, days) if received else None,
        asked=Asked(at=asked, provider="gmail") if asked else None,
        leaks=leaks,
    )
    last = {"sent": sent, "received": received}
    return KnownSetup(
        record,
        {half: at for half, at in last.items() if at is not None},
        {ADDRESS: "active"},
    )


@pytest.mark.parametrize(
    ("received", "asked", "state"),
    [
        (None, None, "nothing_yet"),
        (None, HOUR, "awaiting_confirmation"),
        (None, 23 * HOUR, "awaiting_confirmation"),
        (None, 24 * HOUR, "nothing_yet"),
        (HOUR, None, "working"),
        (HOUR, 2 * HOUR, "working"),
        # another mailbox of the owner wants to be forwarded as well
        (2 * HOUR, HOUR, "working"),
        (5 * DAY, None, "working"),
        (7 * DAY, None, "silent"),
        (7 * DAY, HOUR, "awaiting_confirmation"),
        (7 * DAY, 2 * DAY, "silent"),
    ],
)
def test_the_received_half_has_one_of_four_states(
    received: timedelta | None, asked: timedelta | None, state: HalfState
) -> None:
    setup = known(
        received=NOW - received if received else None, asked=NOW - asked if asked else None
    )
    view = half_view(setup, Half.RECEIVED, NOW)
    assert view.state == state
    assert view.last_seen_at == (NOW - received if received else None)
    assert (view.first_seen_at is None) is (received is None)
    assert half_view(setup, Half.SENT, NOW).state == "nothing_yet"


def test_a_question_says_nothing_of_the_sent_half() -> None:
    setup = known(sent=NOW - 7 * DAY, asked=NOW - HOUR)
    assert half_view(setup, Half.SENT, NOW).state == "silent"


def test_a_silent_half_a_leak_and_a_question_without_an_answer_need_a_person() -> None:
    leak = Leaked(capture_address=ADDRESS, at=NOW - HOUR, mail_date=NOW - 2 * HOUR)
    setup = known(sent=NOW - 8 * DAY, asked=NOW - 26 * HOUR, leaks=(leak,))
    assert notices(setup, NOW) == [
        Notice("leak", NOW - HOUR, capture_address=ADDRESS, mail_date=NOW - 2 * HOUR),
        Notice("confirmation_expired", NOW - 2 * HOUR, provider="gmail"),
        Notice("silent_half", NOW - 8 * DAY, half=Half.SENT),
    ]
    names = [notice.name for notice in notices(setup, NOW)]
    assert len(set(names)) == 3
    assert [notice.name for notice in notices(setup, NOW + DAY)] == names


def test_of_who_has_left_nothing_needs_a_person() -> None:
    leak = Leaked(capture_address=ADDRESS, at=NOW, mail_date=NOW)
    setup = known(sent=NOW - 8 * DAY, asked=NOW - 2 * DAY, leaks=(leak,))
    assert notices(replace(setup, addresses={ADDRESS: "revoked", "b@x": "grace"}), NOW) == []
    unheard_of = replace(setup, addresses={})
    assert len(notices(unheard_of, NOW)) == 3, "a new address is heard of in a moment"


def test_a_leak_is_told_until_the_address_is_rotated() -> None:
    leak = Leaked(capture_address=ADDRESS, at=NOW - 300 * DAY, mail_date=NOW - 300 * DAY)
    setup = known(leaks=(leak,))
    assert [notice.kind for notice in notices(setup, NOW)] == ["leak"]
    rotated = replace(setup, addresses={ADDRESS: "grace", "new@in.satchel.test": "active"})
    assert notices(rotated, NOW) == []


@pytest.mark.parametrize(
    ("asked", "received", "told"),
    [
        (23 * HOUR, None, False),
        (24 * HOUR, None, True),
        (24 * HOUR, 25 * HOUR, True),
        (24 * HOUR, 23 * HOUR, False),
        (30 * DAY, None, True),
        (31 * DAY, None, False),
    ],
)
def test_an_expired_question_is_told_until_something_comes(
    asked: timedelta, received: timedelta | None, told: bool
) -> None:
    setup = known(
        asked=NOW - asked, received=NOW - received if received is not None else None, days=1
    )
    assert ("confirmation_expired" in [n.kind for n in notices(setup, NOW)]) is told
