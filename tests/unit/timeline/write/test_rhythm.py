"""When a half goes silent: by its own rhythm, for invented ones of many kinds."""

from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.timeline.write.rhythm import (
    FEWEST_DAYS,
    MAX_AGE,
    MAX_DAYS,
    is_silent,
    remembered,
)

MONDAY = date(2026, 1, 5)
Rhythm = Callable[[date], bool]


def on(*weekdays: int) -> Rhythm:
    return lambda day: day.weekday() in weekdays


def every(number: int) -> Rhythm:
    return lambda day: (day - MONDAY).days % number == 0


def monthly(on_the: int) -> Rhythm:
    return lambda day: day.day == on_the


OFFICE, GULF, SHOP = on(0, 1, 2, 3, 4), on(6, 0, 1, 2, 3), on(0, 1, 2, 3, 4, 5, 6)


def days_of(rhythm: Rhythm, count: int, first: date = MONDAY) -> list[date]:
    return [day for n in range(count) if rhythm(day := first + timedelta(n))]


def silent_from(days: list[date]) -> int | None:
    """Return after how many days without mail the half is silent; None: not within three years."""
    for after in range(1, 3 * 365):
        if is_silent(days, days[-1] + timedelta(after)):
            return after
    return None


def false_alarms(days: list[date]) -> list[date]:
    """Return when it was called silent although mail went on, living through all of its days."""
    found = []
    for number in range(1, len(days)):
        known = remembered(days[:number])
        found += [
            day
            for n in range(1, (days[number] - days[number - 1]).days + 1)
            if is_silent(known, day := days[number - 1] + timedelta(n))
        ]
    return found


@pytest.mark.parametrize(
    ("rhythm", "weeks", "after"),
    [
        # the last mail was on a Friday; five working days end with the next Friday
        (OFFICE, 4, 8),
        (OFFICE, 1, 8),
        (OFFICE, 20, 8),
        (SHOP, 4, 6),
        # Sunday to Thursday: the last was on a Sunday
        (GULF, 4, 8),
        (on(0), 10, 36),
        (on(1, 3), 8, 20),
    ],
)
def test_a_half_is_silent_when_five_days_with_mail_are_missed(
    rhythm: Rhythm, weeks: int, after: int
) -> None:
    days = days_of(rhythm, 7 * weeks)
    assert silent_from(days) == after


def test_today_is_not_missed_until_it_is_over() -> None:
    days = days_of(OFFICE, 28)
    next_friday = days[-1] + timedelta(7)
    assert not is_silent(days, next_friday)
    assert is_silent(days, next_friday + timedelta(1))


def test_less_than_five_days_are_no_rhythm() -> None:
    for number in range(FEWEST_DAYS):
        assert silent_from(days_of(SHOP, number) or [MONDAY]) is None
    assert not is_silent([], MONDAY)
    assert silent_from(days_of(SHOP, FEWEST_DAYS)) == 8  # of a weekend nothing is known


@pytest.mark.parametrize("rhythm", [monthly(1), monthly(15), monthly(28), every(10), every(30)])
def test_who_sends_once_a_month_is_never_called_silent_while_they_go_on(rhythm: Rhythm) -> None:
    days = days_of(rhythm, 3 * 365)
    assert false_alarms(days) == []
    assert (silent_from([*remembered(days)]) or 0) > 4 * (days[-1] - days[-2]).days


def test_holidays_are_noticed_once_and_then_known() -> None:
    away = {MONDAY + timedelta(n) for n in range(60, 74)} | {
        MONDAY + timedelta(n) for n in range(160, 174)
    }
    days = [day for day in days_of(OFFICE, 260) if day not in away]
    alarms = false_alarms(days)
    assert alarms, "five working days without mail are five working days"
    assert {day for day in alarms if day >= MONDAY + timedelta(160)} == set()
    assert (silent_from([*remembered(days)]) or 0) > 14


def test_a_long_weekend_is_no_silence() -> None:
    days = [d for d in days_of(OFFICE, 200) if d.weekday() != 4 or d.isocalendar().week % 3]
    days = [d for d in days if not MONDAY + timedelta(84) <= d < MONDAY + timedelta(88)]
    assert false_alarms(days) == []


@given(st.sets(st.integers(0, 6), min_size=1), st.integers(5, 40), st.integers(0, 6))
def test_any_weekly_rhythm_is_silent_after_five_of_its_days_and_not_before(
    weekdays: set[int], weeks: int, start: int
) -> None:
    days = days_of(on(*weekdays), 7 * weeks, MONDAY + timedelta(start))
    after = silent_from(days)
    assert after is not None
    missed = days_of(on(*weekdays), after - 1, days[-1] + timedelta(1))
    assert len(missed) == 5
    assert false_alarms(days) == []


@given(st.lists(st.integers(1, 40), min_size=4, max_size=60))
def test_silence_never_ends_by_waiting_and_always_comes(gaps: list[int]) -> None:
    days = [MONDAY]
    for gap in gaps:
        days.append(days[-1] + timedelta(gap))
    days = [*remembered(days)]
    if len(days) < FEWEST_DAYS:
        return
    states = [is_silent(days, days[-1] + timedelta(n)) for n in range(1, 1000)]
    assert states == sorted(states)
    longest = max((b - a).days for a, b in pairwise(days))
    assert not any(states[: min(5, longest)])


@given(st.lists(st.integers(0, 800), min_size=1, max_size=200))
def test_what_is_remembered_is_little_and_does_not_depend_on_the_order(offsets: list[int]) -> None:
    days = [MONDAY + timedelta(n) for n in offsets]
    found = remembered(days)
    assert len(found) <= MAX_DAYS
    assert found[-1] == max(days)
    assert found[-1] - found[0] <= MAX_AGE
    assert list(found) == sorted(set(found))
    piece_by_piece: tuple[date, ...] = ()
    for day in days:
        piece_by_piece = remembered([*piece_by_piece, day])
    assert piece_by_piece == found


def test_what_is_remembered_ends_with_the_last_day_and_has_two_bounds() -> None:
    last = MONDAY + MAX_AGE
    assert remembered([MONDAY - timedelta(1), MONDAY, last]) == (MONDAY, last)
    days = [MONDAY + timedelta(n) for n in range(MAX_DAYS + 1)]
    assert remembered(days) == tuple(days[1:])
