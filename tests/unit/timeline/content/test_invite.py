import json
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar, Event

from services.timeline.content.calendar_lines import MAX_ATTENDEES
from services.timeline.content.invite import MAX_DESCRIPTION, MAX_LINE, Invite, invite_of
from services.timeline.content.zones import named_zone
from shared.mail.mime import leaves
from shared.mail.part import Part
from tests.cost import LINEAR, growth, ratio

MAILS = Path(__file__).parents[3] / "mail" / "automatic"
CASES = sorted(path.stem for path in MAILS.glob("*.eml"))
INVITES = [case for case in CASES if case.startswith("invite-")]
OUR_OWN = ("invite-broken", "invite-exception")  # icalendar refuses the one, and has no choice


def _raw(case: str) -> bytes:
    return (MAILS / f"{case}.eml").read_bytes()


def _part(ics: bytes, content_type: str = "text/calendar", filename: str = "") -> Part:
    return Part(content_type, "", 0, bool(filename), filename, ics)


def _event(*lines: str, before: str = "") -> Invite:
    ics = "\r\n".join(["BEGIN:VCALENDAR", before, "BEGIN:VEVENT", *lines, "END:VEVENT"])
    invite = invite_of([_part(ics.encode() + b"\r\nEND:VCALENDAR\r\n")])
    assert invite
    return invite


@pytest.mark.parametrize("case", CASES)
def test_an_invitation_is_read_as_expected(case: str) -> None:
    expected = json.loads((MAILS / f"{case}.json").read_text("utf-8"))["invite"]
    invite = invite_of(leaves(_raw(case))[0])
    assert (invite.model_dump(mode="json") if invite else None) == expected


@pytest.mark.parametrize("case", INVITES)
def test_what_was_stored_is_what_is_read_back(case: str) -> None:
    invite = invite_of(leaves(_raw(case))[0])
    assert invite
    again = Invite.model_validate(invite.model_dump(mode="json"))
    assert again.model_dump(mode="json") == invite.model_dump(mode="json")
    assert type(again.start) is type(invite.start)


@pytest.mark.parametrize("case", [case for case in INVITES if case not in OUR_OWN])
def test_whole_calendars_are_read_as_icalendar_reads_them(case: str) -> None:
    parts = leaves(_raw(case))[0]
    invite = invite_of(parts)
    ics = next(part.data for part in parts if b"BEGIN:VEVENT" in part.data)
    event = Calendar.from_ical(ics).walk("VEVENT")[0]
    assert invite
    assert isinstance(event, Event)
    assert (invite.uid, invite.summary) == (event["UID"], event["SUMMARY"])
    assert invite.start == event.start
    assert invite.end == event.end
    assert invite.description == event.get("DESCRIPTION", "").strip()
    assert invite.location == event.get("LOCATION", "")


def _of_type(content_type: str, *before: str) -> Invite:
    lines = ["BEGIN:VCALENDAR", *before, "BEGIN:VEVENT", "UID:u-1", "STATUS:CONFIRMED"]
    ics = "\r\n".join([*lines, "END:VEVENT", "END:VCALENDAR"])
    invite = invite_of(leaves(f"Content-Type: {content_type}\r\n\r\n{ics}".encode())[0])
    assert invite
    return invite


@pytest.mark.parametrize("method", ["request", "reply", "counter", "cancel", "declinecounter"])
@pytest.mark.parametrize(
    "content_type",
    [
        "text/calendar; charset=utf-8; method={}",
        'TEXT/CALENDAR; component=VEVENT; METHOD="{}"; name=invite.ics',
        "application/ics; method={}",
    ],
)
def test_the_method_may_stand_in_the_type_alone(content_type: str, method: str) -> None:
    for written in (method, method.upper()):
        invite = _of_type(content_type.format(written))
        assert invite.method == method
        assert invite.status == ("cancelled" if method == "cancel" else "confirmed")


@pytest.mark.parametrize(
    ("own", "of_the_type", "read"),
    [
        ("CANCEL", "REQUEST", "cancel"),
        ("REQUEST", "CANCEL", "request"),
        ("PUBLISH", "REQUEST", "publish"),
        ("X-OWN", "REPLY", "reply"),
        ("", "X-OWN", "publish"),
        ("", "", "publish"),
    ],
)
def test_the_method_of_the_calendar_comes_first(own: str, of_the_type: str, read: str) -> None:
    assert _of_type(f"text/calendar; method={of_the_type}", f"METHOD:{own}").method == read
    if not own and not of_the_type:
        assert _of_type("text/calendar").method == "publish"


@pytest.mark.parametrize("own", ["", "METHOD:PUBLISH"])
def test_a_copy_of_the_calendar_without_its_method_does_not_hide_it(own: str) -> None:
    lines = ["BEGIN:VCALENDAR", own, "BEGIN:VEVENT", "UID:u-1", "END:VEVENT", "END:VCALENDAR"]
    file = _part("\r\n".join(lines).encode(), "application/ics", "invite.ics")
    asked = replace(file, method="CANCEL", data=file.data.replace(b"METHOD:PUBLISH\r\n", b""))
    for parts in ([file, asked], [asked, file]):
        invite = invite_of(parts)
        assert invite
        assert (invite.method, invite.status) == ("cancel", "cancelled")
    assert invite_of([file, file]) == invite_of([file])


def test_a_midnight_is_no_day() -> None:
    invite = _event("DTSTART:20260112T000000Z")
    again = Invite.model_validate(invite.model_dump(mode="json"))
    assert isinstance(again.start, datetime)
    assert isinstance(_event("DTSTART:20260112").start, date)


# -- zones --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "offset"),
    [
        ("Europe/Berlin", "+02:00"),
        ("europe/berlin", "+02:00"),
        ("W. Europe Standard Time", "+02:00"),
        ("Eastern Standard Time", "-04:00"),
        ("India Standard Time", "+05:30"),
        ("/vendor.example/20260101_1/Europe/Berlin", "+02:00"),
        ("/America/Argentina/Buenos_Aires", "-03:00"),
        ("UTC", "Z"),
        ("../../etc/passwd", ""),
        ("/etc/localtime", ""),
        ("Europe", ""),
        ("a\0b", ""),
        ("x/" * 200, ""),
        ("", ""),
    ],
)
def test_a_zone_is_known_by_its_name(name: str, offset: str) -> None:
    stored = _event(f'DTSTART;TZID="{name}":20260715T140000').model_dump(mode="json")
    assert stored["start"] == "2026-07-15T14:00:00" + offset


def test_a_zone_of_one_calendar_is_unknown_to_the_next() -> None:
    zone = (
        "BEGIN:VTIMEZONE\nTZID:Office\nBEGIN:STANDARD\nDTSTART:20000101T000000\n"
        "TZOFFSETTO:+0930\nEND:STANDARD\nEND:VTIMEZONE"
    )
    start = "DTSTART;TZID=Office:20260715T140000"
    described = _event(start, before=zone).model_dump(mode="json")
    assert described["start"] == "2026-07-15T14:00:00+09:30"
    assert _event(start).model_dump(mode="json")["start"] == "2026-07-15T14:00:00"
    assert named_zone("Office") is None


@pytest.mark.parametrize(
    ("local", "offset"),
    [
        ("20260101T120000", "-05:00"),
        ("20260308T015959", "-05:00"),
        ("20260308T020000", "-04:00"),
        ("20261101T015959", "-04:00"),
        ("20261101T020000", "-05:00"),
        ("19990101T000000", "-05:00"),
    ],
)
@pytest.mark.parametrize("second_sunday", ["BYDAY=2SU", "BYDAY=SU;BYMONTHDAY=8,9,10,11,12,13,14"])
def test_a_described_zone_changes_on_its_days(local: str, offset: str, second_sunday: str) -> None:
    zone = (
        "BEGIN:VTIMEZONE\nTZID:Mine\n"
        "BEGIN:DAYLIGHT\nDTSTART:20070311T020000\nTZOFFSETTO:-0400\n"
        f"RRULE:FREQ=YEARLY;BYMONTH=3;{second_sunday}\nEND:DAYLIGHT\n"
        "BEGIN:STANDARD\nDTSTART:20071104T020000\nTZOFFSETTO:-0500\n"
        "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU\nEND:STANDARD\nEND:VTIMEZONE"
    )
    stored = _event(f"DTSTART;TZID=Mine:{local}", before=zone).model_dump(mode="json")
    assert stored["start"].endswith(offset)


@pytest.mark.parametrize(
    "lines",
    [
        "DTSTART:20000101T000000\nTZOFFSETTO:+9900",
        "DTSTART:20000101T000000\nTZOFFSETTO:0200",
        "DTSTART:00000101T000000\nTZOFFSETTO:+0200",
        "TZOFFSETTO:+0200",
    ],
)
def test_a_broken_description_describes_nothing(lines: str) -> None:
    zone = f"BEGIN:VTIMEZONE\nTZID:Mine\nBEGIN:STANDARD\n{lines}\nEND:STANDARD\nEND:VTIMEZONE"
    invite = _event("DTSTART;TZID=Mine:20260715T140000", before=zone)
    assert invite.model_dump(mode="json")["start"] == "2026-07-15T14:00:00"


# -- what is in it ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "end"),
    [
        (["DTSTART:20260112T090000Z"], None),
        (["DTSTART:20260112T090000Z", "DURATION:PT1H30M"], "2026-01-12T10:30:00Z"),
        (["DTSTART:20260112T090000Z", "DURATION:-PT1H"], None),
        (["DTSTART:20260112T090000Z", "DURATION:P99999999999W"], None),
        (["DTSTART:20260112T090000Z", "DTEND;VALUE=DATE:20260113"], None),
        (["DTSTART:20260112", "DURATION:P2D"], "2026-01-14"),
        (["DTSTART:99991231", "DTEND:99991231"], None),
        (["DTSTART:20260230T090000Z"], None),
        (
            ["DTSTART;TZID=Europe/Berlin:20260329T000000", "DURATION:PT4H"],
            "2026-03-29T05:00:00+02:00",
        ),
    ],
)
def test_an_event_ends_when_it_says(lines: list[str], end: str | None) -> None:
    assert _event(*lines).model_dump(mode="json")["end"] == end


@pytest.mark.parametrize(
    ("value", "conference"),
    [
        ("https://meet.example/a", "https://meet.example/a"),
        ("javascript:alert(1)", None),
        ("http://meet.example/a", None),
        ("https://meet.example/a b", None),
    ],
)
def test_a_call_is_joined_by_https_alone(value: str, conference: str | None) -> None:
    assert _event(f"X-GOOGLE-CONFERENCE:{value}").conference == conference


def test_what_is_shown_is_bounded() -> None:
    invite = _event(
        *(f"{name}:{'x' * 50_000}" for name in ("UID", "SUMMARY", "LOCATION", "DESCRIPTION"))
    )
    assert len(invite.summary) == len(invite.location) == MAX_LINE
    assert len(invite.description) == MAX_DESCRIPTION
    assert len(invite.uid or "") == 250
    many = _event(*(f"ATTENDEE:mailto:a{n}@b.example" for n in range(99)))
    assert (len(many.attendees), many.attendees_left_out) == (MAX_ATTENDEES, 99 - MAX_ATTENDEES)


def test_characters_that_deceive_do_not_come_out() -> None:
    invite = _event("SUMMARY:a\u202eb\0c", "DESCRIPTION:d\x1be", "LOCATION:one\\ntwo")
    assert (invite.summary, invite.description, invite.location) == ("abc", "de", "one two")


@pytest.mark.parametrize(
    ("line", "name", "address"),
    [
        ('ORGANIZER;CN="Rau, Rita: HR":mailto:r@team.example', "Rau, Rita: HR", "r@team.example"),
        ("ORGANIZER;CN=Rita ^'R^' Rau:MAILTO:r@team.example", 'Rita "R" Rau', "r@team.example"),
        ('ORGANIZER;CN="Rita Rau:mailto:r@team.example', "Rita Rau", "r@team.example"),
        ("ORGANIZER ; CN = Rita Rau :mailto:r@team.example", "Rita Rau", "r@team.example"),
        ("organizer;cn=r@team.example:mailto:r@team.example", "", "r@team.example"),
        ("ORGANIZER:r@team.example", "", "r@team.example"),
    ],
)
def test_a_person_is_read(line: str, name: str, address: str) -> None:
    organizer = _event(line).organizer
    assert organizer
    assert (organizer.name, organizer.address) == (name, address)


def test_a_zone_whose_colons_are_not_quoted_is_read() -> None:
    invite = _event("DTSTART;TZID=tzone://Microsoft/Utc:20260715T140000")
    assert invite.model_dump(mode="json")["start"] == "2026-07-15T14:00:00Z"
    assert invite.zone == "tzone://Microsoft/Utc"


def test_a_reminder_is_not_the_event() -> None:
    alarm = ["BEGIN:VALARM", "SUMMARY:no", "DESCRIPTION:no", "ATTENDEE:mailto:a@b.example"]
    invite = _event(*alarm, "END:VALARM", "SUMMARY:yes")
    assert (invite.summary, invite.description, invite.attendees) == ("yes", "", ())


@pytest.mark.parametrize(
    ("content_type", "filename", "is_read"),
    [
        ("text/calendar", "", True),
        ("application/ics", "", True),
        ("application/octet-stream", "Meeting.ICS", True),
        ("text/plain", "", False),
    ],
)
def test_calendars_are_known_by_type_or_name(
    content_type: str, filename: str, is_read: bool
) -> None:
    part = _part(b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:x\n", content_type, filename)
    assert (invite_of([part]) is not None) is is_read


def test_the_first_calendar_with_an_event_counts() -> None:
    event = b"BEGIN:VCALENDAR\rBEGIN:VEVENT\rSUMMARY:x\rEND:VEVENT\rEND:VCALENDAR\r"
    invite = invite_of([_part(b"BEGIN:VCALENDAR\nBEGIN:VTODO\n"), _part(b"\xef\xbb\xbf" + event)])
    assert invite
    assert invite.summary == "x"
    assert invite_of([_part(b"")]) is None


# -- hostile calendars --------------------------------------------------------------------------

_HEAD = b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\n"
_EVENT = _HEAD + b"BEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID=Mine:20260105T100000\r\n"
_SUB = (
    b"BEGIN:STANDARD\r\nDTSTART:16010101T000000\r\nTZOFFSETTO:+0100\r\nRRULE:%s\r\nEND:STANDARD\r\n"
)
_ZONE = _HEAD + b"BEGIN:VTIMEZONE\r\nTZID:Mine\r\n%sEND:VTIMEZONE\r\n" + _EVENT
CRAFTED: dict[str, Callable[[int], bytes]] = {
    "attendees": lambda n: _EVENT + b"ATTENDEE;CN=a:mailto:a@b.example\r\n" * (n // 34),
    "long attendees": lambda n: (
        _EVENT + (b"ATTENDEE;CN=" + b"a;" * 2500 + b":a@b\r\n") * (n // 5000)
    ),
    "lines": lambda n: _EVENT + b"X:\r\n" * (n // 4),
    "repeated": lambda n: _EVENT + b"SUMMARY:\\n\r\n" * (n // 12),
    "empty lines": lambda n: _EVENT + b"\r\n" * (n // 2),
    "folds": lambda n: _EVENT + b"SUMMARY:" + b"x\r\n " * (n // 4),
    "bare folds": lambda n: _EVENT + b"\n " * (n // 2),
    "long line": lambda n: _EVENT + b"SUMMARY:" + b"x" * n,
    "backslashes": lambda n: _EVENT + b"DESCRIPTION:" + b"\\" * n,
    "parameters": lambda n: _EVENT + b"SUMMARY" + b";A=b" * (n // 4) + b":x",
    "one name": lambda n: _EVENT + b"SUMMARY" + b";A" * (n // 2) + b":x",
    "spaces": lambda n: _EVENT + b"SUMMARY;A=" + b" " * n + b":x",
    "quotes": lambda n: _EVENT + b"SUMMARY;A=" + b'"' * n + b":x",
    "commas": lambda n: _EVENT + b"SUMMARY;A=" + b"b," * (n // 2) + b":x",
    "carets": lambda n: _EVENT + b"SUMMARY;A=" + b"^" * n + b":x",
    "encoded words": lambda n: _EVENT + b"SUMMARY:" + b"=?utf-8?q?" * (n // 10),
    "marks": lambda n: _EVENT + b"SUMMARY:a" + b"\xcc\x81\xcc\xa3" * (n // 4),
    "addresses": lambda n: _EVENT + b"ORGANIZER:mailto:" + b"a@b," * (n // 4),
    "rule": lambda n: _EVENT + b"RRULE:FREQ=SECONDLY;BYSECOND=" + b"1," * (n // 2),
    "duration": lambda n: _EVENT + b"DURATION:P" + b"9" * n + b"W",
    "sequence": lambda n: _EVENT + b"SEQUENCE:" + b"9" * n,
    "levels": lambda n: _HEAD + b"BEGIN:X\r\n" * (n // 9),
    "events": lambda n: _HEAD + b"BEGIN:VEVENT\r\n" * (n // 14),
    "short events": lambda n: _HEAD + b"BEGIN:VEVENT\r\nEND:VEVENT\r\n" * (n // 26),
    "ends": lambda n: _HEAD + b"END:VEVENT\r\n" * (n // 12),
    "zones": lambda n: _HEAD + b"BEGIN:VTIMEZONE\r\nEND:VTIMEZONE\r\n" * (n // 32) + _EVENT,
    "changes": lambda n: _ZONE % (_SUB % b"FREQ=SECONDLY" * (n // 120)),
    "zone by second": lambda n: _ZONE % (_SUB % b"FREQ=SECONDLY;UNTIL=99991231T000000Z"),
    "zone never": lambda n: _ZONE % (_SUB % b"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"),
    "zone days": lambda n: _ZONE % (_SUB % (b"FREQ=YEARLY;BYMONTHDAY=" + b"1," * (n // 2))),
    "zone parts": lambda n: _ZONE % (_SUB % (b"FREQ=YEARLY;" + b"A=B;" * (n // 4))),
    "zone name": lambda n: _EVENT.replace(b"Mine", b"/" * n),
}


@pytest.mark.cost
@pytest.mark.parametrize("name", CRAFTED)
def test_crafted_calendars_take_linear_time(name: str) -> None:
    def reading(size: int) -> Callable[[], Invite | None]:
        return partial(invite_of, [_part(CRAFTED[name](size))] * 12)

    invite = reading(250_000)()
    assert invite is None or len(invite.model_dump_json().encode()) < 200_000
    assert growth(reading, 10_000) < LINEAR


@pytest.mark.cost
@pytest.mark.parametrize("rule", [b"SECONDLY;UNTIL=99991231T000000Z", b"YEARLY;BYMONTHDAY=30"])
def test_a_zone_that_changes_without_end_costs_as_much_as_others(rule: bytes) -> None:
    def reading(rule: bytes) -> Callable[[], object]:
        return partial(invite_of, [_part(_ZONE % (_SUB % (b"FREQ=" + rule)))])

    assert ratio(reading(rule), reading(b"YEARLY;BYMONTH=10;BYDAY=-1SU")) < 5


_WORDS = [
    *("BEGIN:", "END:", "VCALENDAR", "VEVENT", "VTIMEZONE", "STANDARD", "\n", "\r\n ", ":", ";"),
    *("DTSTART", "DTEND", "DURATION", "RRULE:FREQ=YEARLY", "TZID", "=", '"', "\\", ",", "20260101"),
    *(
        "T100000",
        "Z",
        "TZOFFSETTO:+0100",
        "ATTENDEE",
        "mailto:",
        "a@b",
        "^n",
        "\0",
        "é",
        "BYDAY=9SU",
    ),
]


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(_WORDS) | st.text(max_size=5)), st.binary())
def test_any_bytes_are_an_event_or_none(words: list[str], tail: bytes) -> None:
    ics = _EVENT + "".join(words).encode("utf-8", "surrogateescape") + tail
    invite = invite_of([_part(ics)])
    assert invite
    assert invite.model_dump_json()


def test_mutated_calendars_are_read() -> None:
    chance = random.Random(20260105)
    whole = [
        part.data for case in INVITES for part in leaves(_raw(case))[0] if len(part.data) > 100
    ]
    for _ in range(3_000):
        ics = bytearray(chance.choice(whole))
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(ics) + 1)
            other = chance.choice(whole)
            start = chance.randrange(len(other))
            match chance.randrange(3):
                case 0:
                    ics[at : at + 1] = bytes([chance.randrange(256)])
                case 1:
                    del ics[at : at + chance.randrange(30)]
                case _:
                    ics[at:at] = other[start : start + chance.randrange(100)]
        invite = invite_of([_part(bytes(ics))])
        assert invite is None or json.dumps(invite.model_dump(mode="json"))
