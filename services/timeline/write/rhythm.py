"""When a half of a set-up has gone silent, by its own rhythm. Pure.

A half is silent when it has missed five days on which mail was to be expected. How much is to be
expected of a day is learned from the half alone: the share of that weekday's days, from the first
known day with mail to the last, that had some. Mail from Monday to Friday is missed after five
working days, wherever the weekend is; mail once a month after five months.

* A day that is not over is not missed.
* What was missed before and came back is the half's own way: it takes more than that.
* Less than five days with mail are no rhythm: then nothing is missed.

Days are those of UTC. Their borders move with the owner's habits, and only shift the rhythm.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise

EXPECTED_MISSED = 5.0
FEWEST_DAYS = 5
MAX_DAYS = 90
"""As many days with mail are remembered at most, of as many calendar days as MAX_AGE."""
MAX_AGE = timedelta(days=180)
_LITTLE = 1e-6
_DAY = timedelta(days=1)


def is_silent(days: Sequence[date], today: date) -> bool:
    """Return whether mail is missing. `days` had some, in ascending order, each once."""
    if len(days) < FEWEST_DAYS:
        return False
    expected = _expected(days)
    missed = sum(expected[day.weekday()] for day in _between(days[-1], today))
    before = max(
        sum(expected[day.weekday()] for day in _between(*two_days)) for two_days in pairwise(days)
    )
    return missed > max(EXPECTED_MISSED - _LITTLE, before + _LITTLE)


def remembered(days: Sequence[date]) -> tuple[date, ...]:
    """Return the days of which the rhythm is made, in ascending order, each once."""
    sorted_ = sorted(set(days))[-MAX_DAYS:]
    return tuple(day for day in sorted_ if day >= sorted_[-1] - MAX_AGE)


def _expected(days: Sequence[date]) -> list[float]:
    """Return for each weekday which share of its days had mail, between the first and the last."""
    had = Counter(day.weekday() for day in days)
    weeks, more = divmod((days[-1] - days[0]).days + 1, 7)
    were = Counter((days[0].weekday() + n) % 7 for n in range(more))
    return [had[n] / (weeks + were[n]) if had[n] else 0.0 for n in range(7)]


def _between(first: date, last: date) -> Iterator[date]:
    """Yield the days after the first and before the last; of years no more than is needed."""
    day = first + _DAY
    for _ in range(3 * 366):
        if day >= last:
            return
        yield day
        day += _DAY
