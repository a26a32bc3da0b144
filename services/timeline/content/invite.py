"""The event of a calendar invitation: what, when, where, who. RFC 5545, RFC 5546, RFC 6047.

Rules:

* Nothing raises, and what cannot be read is left out: a broken calendar shows what is whole in it.
  The part itself stays an attachment.
* Time and memory are bounded: 10 parts, 256 KiB, 20 events, 20 levels, 50 attendees. A recurrence
  is text and never expanded.
* Times keep the offset that their zone has then, and the zone's name as written. If the zone is
  unknown, they are local times without offset. A day is a date; the end is the first moment
  after the event, as the standard has it.
* An event and its exceptions are one invitation: that of the whole series, where it is there.
* Own code: docs/decisions/0015.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict

from services.timeline.content.calendar_lines import (
    CONFERENCES,
    MAX_BYTES,
    Calendar,
    Component,
    Line,
    read_calendar,
)
from services.timeline.content.zones import described_zone, named_zone
from shared.mail import headers
from shared.mail.headers import decode_text
from shared.mail.part import Part, capped

MAX_PARTS = 10
MAX_DESCRIPTION = 4000
MAX_LINE = 500

_TYPES = ("text/calendar", "application/ics", "text/x-vcalendar", "application/calendar")
_MOMENT = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?", re.ASCII)
_DURATION = re.compile(
    r"\+?P(?:(\d{1,3})W)?(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,8})S)?)?",
    re.ASCII,
)
_RULE = re.compile(r"[A-Z0-9=;,+-]{1,500}")

Method = Literal[
    "publish", "request", "reply", "add", "cancel", "refresh", "counter", "declinecounter"
]
Status = Literal["confirmed", "tentative", "cancelled"]
Answer = Literal["needs-action", "accepted", "declined", "tentative", "delegated"]


def _moment(value: object) -> object:
    """Read back what was stored: a midnight is no day."""
    if not isinstance(value, str):
        return value
    return date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value)


Moment = Annotated[datetime | date, BeforeValidator(_moment)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class EventPerson(_Model):
    """The organizer or an attendee of an event."""

    name: str
    address: str


class Attendee(EventPerson):
    """An attendee and their answer."""

    partstat: Answer


class Invite(_Model):
    """An event, as an invitation or an answer to one tells it.

    `model_dump(mode="json")` is what is stored and served.
    """

    uid: str | None
    method: Method
    status: Status
    summary: str
    description: str
    location: str
    conference: str | None
    """The address of a video call."""
    start: Moment | None
    end: Moment | None
    """The first moment or day after the event."""
    zone: str | None
    """As written; None if the event has none."""
    all_day: bool
    organizer: EventPerson | None
    attendees: tuple[Attendee, ...]
    attendees_left_out: int
    recurrence: str | None
    """RRULE as written."""
    sequence: int


def invite_of(parts: Sequence[Part]) -> Invite | None:
    """Return the event of the first calendar in these parts whose method asks or tells something.

    Programs attach the same calendar once more as a file, without its method. Where no method says
    more than `publish`, the first calendar counts. None if there is none.
    """
    calendars = [part for part in parts if _is_calendar(part)][:MAX_PARTS]
    left = MAX_BYTES
    unasked: Invite | None = None
    for part in calendars:
        data = part.data[:left]
        left -= len(data)
        text, _ = capped(headers.decode_bytes(data, part.charset))
        calendar = read_calendar(text)
        if not calendar.events:
            continue
        if (_method_in(calendar.method, part.method) or "publish") != "publish":
            return _invite(calendar, part.method)
        unasked = unasked or _invite(calendar, part.method)
    return unasked


def _is_calendar(part: Part) -> bool:
    return part.content_type in _TYPES or part.filename.lower().endswith((".ics", ".vcs"))


def _invite(calendar: Calendar, named_method: str) -> Invite:
    whole = [event for event in calendar.events if "RECURRENCE-ID" not in event.lines]
    event = (whole or calendar.events)[0]
    method = _method_in(calendar.method, named_method) or "publish"
    start, zone = _time(event.first("DTSTART"), calendar)
    end = _end(event, start, calendar)
    organizer = event.first("ORGANIZER")
    attendees = [
        Attendee(name=who.name, address=who.address, partstat=_answer(line))
        for line in event.lines.get("ATTENDEE", [])
        if (who := _person(line))
    ]
    rule = event.value("RRULE").strip().upper()
    return Invite(
        uid=decode_text(event.value("UID"))[:250] or None,
        method=method,
        status=_status(event, method),
        summary=decode_text(event.value("SUMMARY"))[:MAX_LINE],
        description=event.value("DESCRIPTION").strip()[:MAX_DESCRIPTION],
        location=decode_text(event.value("LOCATION"))[:MAX_LINE],
        conference=_conference(event),
        start=start,
        end=end,
        zone=zone,
        all_day=start is not None and not isinstance(start, datetime),
        organizer=_person(organizer) if organizer else None,
        attendees=tuple(attendees),
        attendees_left_out=event.left_out,
        recurrence=rule if _RULE.fullmatch(rule) else None,
        sequence=_sequence(event.value("SEQUENCE")),
    )


def _method_in(*written: str) -> Method | None:
    """Return the first method that is known.

    Some programs name it in the part's Content-Type alone. RFC 6047 section 2.4 wants both to be
    the same; where they differ, the calendar's own comes first.
    """
    known: dict[str, Method] = {method: method for method in get_args(Method)}
    said = (known.get(method.strip().lower()) for method in written)
    return next((method for method in said if method), None)


def _status(event: Component, method: Method) -> Status:
    said = "cancelled" if method == "cancel" else event.value("STATUS").strip().lower()
    return next((status for status in get_args(Status) if status == said), "confirmed")


def _answer(line: Line) -> Answer:
    said = line.parameters.get("PARTSTAT", "").strip().lower()
    return next((answer for answer in get_args(Answer) if answer == said), "needs-action")


def _person(line: Line) -> EventPerson | None:
    """Read who: EMAIL where the value is no mail address. RFC 7986 section 6.2."""
    name = decode_text(line.parameters.get("CN", "")).strip("\"' ")[:MAX_LINE]
    for value in (line.value, line.parameters.get("EMAIL", "")):
        value = value.strip()
        address = value[7:] if value[:7].lower() == "mailto:" else value
        found = headers.addresses([f"<{address[:MAX_LINE]}>"])
        if found:
            return EventPerson(name="" if "@" in name else name, address=found[0].address)
    return None


def _time(line: Line | None, calendar: Calendar) -> tuple[datetime | date | None, str | None]:
    """Read when: a day, a time in a zone, or a time wherever one is; and the zone as written."""
    if line is None:
        return None, None
    before, _, moment = line.value.strip().rpartition(":")
    match = _MOMENT.fullmatch(moment)
    if match is None:
        return None, None
    day, time, utc = match.groups()
    try:
        local = datetime.strptime(day + (time or "000000"), "%Y%m%d%H%M%S")
    except ValueError:
        return None, None
    if not 1970 <= local.year <= 2100:
        return None, None
    if not time:
        return local.date(), None
    if utc:
        return local.replace(tzinfo=UTC), "UTC"
    written = line.parameters.get("TZID", "") + (before and ":" + before)  # colons want quotes
    if not written:
        return local, None
    zone = named_zone(written) or described_zone(calendar.zones.get(written, ()), local)
    return local.replace(tzinfo=zone), decode_text(written)[:200]


def _end(
    event: Component, start: datetime | date | None, calendar: Calendar
) -> datetime | date | None:
    """Read when it ends: DTEND, or DURATION, or a day of its own. RFC 5545 section 3.6.1."""
    end, _ = _time(event.first("DTEND"), calendar)
    if end is not None or start is None:
        return end if isinstance(end, datetime) == isinstance(start, datetime) else None
    match = _DURATION.fullmatch(event.value("DURATION").strip())
    if match is None:
        return None if isinstance(start, datetime) else start + timedelta(days=1)
    weeks, days, hours, minutes, seconds = map(int, match.groups("0"))
    lasts = timedelta(days, seconds, minutes=minutes, hours=hours, weeks=weeks)
    if isinstance(start, datetime) and start.tzinfo:
        return (start.astimezone(UTC) + lasts).astimezone(start.tzinfo)
    return start + lasts


def _conference(event: Component) -> str | None:
    for name in CONFERENCES:
        address = event.value(name).strip()
        if re.fullmatch(r"https://[!-~]{1,490}", address):
            return address
    return None


def _sequence(value: str) -> int:
    return int(value) if re.fullmatch(r"[0-9]{1,9}", value.strip()) else 0
