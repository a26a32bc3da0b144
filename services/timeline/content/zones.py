"""Time zones as calendars name and describe them. Anyone may have written them.

* The name comes first: an IANA name, a Windows name, or one with a vendor's prefix (RFC 5545
  section 3.2.19). Only known names open a file. Programs write wrong descriptions more often than
  wrong names, and a description does not know later changes of law.
* For an unknown name the description counts (VTIMEZONE): the latest change of an observance before
  the time in question, by yearly rules alone. No rule is ever expanded.
* A zone that one mail describes is forgotten with it: docs/decisions/0015.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from tzlocal.windows_tz import win_tz

_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_TIME = re.compile(r"(\d{8})T(\d{6})Z?", re.ASCII)
_OFFSET = re.compile(r"([+-])(\d\d)(\d\d)(\d\d)?", re.ASCII)
_DAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")


@dataclass(frozen=True, slots=True)
class Observance:
    """STANDARD or DAYLIGHT of a described zone. RFC 5545 section 3.6.5."""

    is_daylight: bool
    start: datetime  # without a zone
    rule: str  # RRULE, empty if there is none
    offset_to: timedelta


def named_zone(name: str) -> tzinfo | None:
    """Return the zone of that name, None if it is unknown."""
    name = name.strip().strip('"').strip("/")[:200]
    name = win_tz.get(name, name).lower()
    while name:
        known = _known_zones().get(name)
        if known:
            return ZoneInfo(known)
        name = name.partition("/")[2]
    return None


def described_zone(observances: Sequence[Observance], local: datetime) -> tzinfo | None:
    """Return the offset that these observances say is in force at that local time."""
    if not observances:
        return None
    latest, offset = None, None
    for observance in observances:
        onset = _latest_onset(observance, local)
        if onset and (latest is None or onset > latest):
            latest, offset = onset, observance.offset_to
    if offset is None:
        standard = [observance for observance in observances if not observance.is_daylight]
        offset = (standard or observances)[0].offset_to
    return timezone(offset)


def read_local(value: str) -> datetime | None:
    """Read a time and leave its zone. RFC 5545 section 3.3.5."""
    match = _TIME.fullmatch(value.strip())
    try:
        return datetime.strptime(match[1] + match[2], "%Y%m%d%H%M%S") if match else None
    except ValueError:
        return None


def read_offset(value: str) -> timedelta | None:
    """Read a UTC offset. RFC 5545 section 3.3.14."""
    match = _OFFSET.fullmatch(value.strip())
    if not match:
        return None
    sign, hours, minutes, seconds = match.groups("0")
    offset = timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds))
    return (-offset if sign == "-" else offset) if offset < timedelta(days=1) else None


@cache
def _known_zones() -> dict[str, str]:
    return {name.lower(): name for name in available_timezones() - {"localtime"}}


def _latest_onset(observance: Observance, local: datetime) -> datetime | None:
    """Return when this observance began last before that time."""
    if observance.start > local:
        return None
    rule = dict(part.split("=", 1) for part in observance.rule.upper().split(";") if "=" in part)
    if rule.get("FREQ") != "YEARLY":
        return observance.start
    until = rule.get("UNTIL", "")[:8] or "99999999"
    onsets = (
        datetime.combine(day, observance.start.time())
        for year in (local.year, local.year - 1)
        for day in _days(rule, observance.start.date(), year)
        if f"{day:%Y%m%d}" <= until
    )
    return max((onset for onset in onsets if observance.start <= onset <= local), default=None)


def _days(rule: dict[str, str], start: date, year: int) -> Iterator[date]:
    """Return the days of a yearly rule in a year: `-1SU` of a month, or days of the month."""
    month = _number(rule.get("BYMONTH"), 1, 12) or start.month
    first = date(year, month, 1)
    days = [first + timedelta(days=day) for day in range(31)]
    days = [day for day in days if day.month == month]
    by_month_day = {_number(day, 1, 31) for day in rule.get("BYMONTHDAY", "").split(",")[:31]}
    by_day = _DAY.fullmatch(rule.get("BYDAY", ""))
    if by_day:
        days = [day for day in days if day.weekday() == _WEEKDAYS.index(by_day[2])]
        place = int(by_day[1] or 0)
        if place and abs(place) <= len(days):
            days = [days[place - 1 if place > 0 else place]]
    elif by_month_day == {None}:
        days = [day for day in days if day.day == start.day]
    if by_month_day != {None}:
        days = [day for day in days if day.day in by_month_day]
    yield from days


def _number(text: str | None, low: int, high: int) -> int | None:
    if not text or not re.fullmatch(r"\d{1,2}", text):
        return None
    return int(text) if low <= int(text) <= high else None
