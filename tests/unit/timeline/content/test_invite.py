"""Invitations: what a calendar in a mail says."""

import json
from dataclasses import replace
from datetime import date, datetime

import pytest
from icalendar import Calendar, Event

from services.timeline.content.calendar_lines import MAX_ATTENDEES
from services.timeline.content.invite import MAX_DESCRIPTION, MAX_LINE, Invite, invite_of
from shared.mail.mime import leaves
from tests.calendar_parts import CASES, INVITES, MAILS, calendar_part, event_of, raw_mail

OUR_OWN = ("invite-broken", "invite-exception")  # icalendar refuses the one, and has no choice


@pytest.mark.parametrize("case", CASES)
def test_an_invitation_is_read_as_expected(case: str) -> None:
    expected = json.loads((MAILS / f"{case}.json").read_text("utf-8"))["invite"]
    invite = invite_of(leaves(raw_mail(case))[0])
    assert (invite.model_dump(mode="json") if invite else None) == expected


@pytest.mark.parametrize("case", INVITES)
def test_what_was_stored_is_what_is_read_back(case: str) -> None:
    invite = invite_of(leaves(raw_mail(case))[0])
    assert invite
    again = Invite.model_validate(invite.model_dump(mode="json"))
    assert again.model_dump(mode="json") == invite.model_dump(mode="json")
    assert type(again.start) is type(invite.start)


@pytest.mark.parametrize("case", [case for case in INVITES if case not in OUR_OWN])
def test_whole_calendars_are_read_as_icalendar_reads_them(case: str) -> None:
    parts = leaves(raw_mail(case))[0]
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
    file = calendar_part("\r\n".join(lines).encode(), "application/ics", "invite.ics")
    asked = replace(file, method="CANCEL", data=file.data.replace(b"METHOD:PUBLISH\r\n", b""))
    for parts in ([file, asked], [asked, file]):
        invite = invite_of(parts)
        assert invite
        assert (invite.method, invite.status) == ("cancel", "cancelled")
    assert invite_of([file, file]) == invite_of([file])


def test_a_midnight_is_no_day() -> None:
    invite = event_of("DTSTART:20260112T000000Z")
    again = Invite.model_validate(invite.model_dump(mode="json"))
    assert isinstance(again.start, datetime)
    assert isinstance(event_of("DTSTART:20260112").start, date)


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
    assert event_of(*lines).model_dump(mode="json")["end"] == end


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
    assert event_of(f"X-GOOGLE-CONFERENCE:{value}").conference == conference


def test_what_is_shown_is_bounded() -> None:
    invite = event_of(
        *(f"{name}:{'x' * 50_000}" for name in ("UID", "SUMMARY", "LOCATION", "DESCRIPTION"))
    )
    assert len(invite.summary) == len(invite.location) == MAX_LINE
    assert len(invite.description) == MAX_DESCRIPTION
    assert len(invite.uid or "") == 250
    many = event_of(*(f"ATTENDEE:mailto:a{n}@b.example" for n in range(99)))
    assert (len(many.attendees), many.attendees_left_out) == (MAX_ATTENDEES, 99 - MAX_ATTENDEES)


def test_characters_that_deceive_do_not_come_out() -> None:
    invite = event_of("SUMMARY:a\u202eb\0c", "DESCRIPTION:d\x1be", "LOCATION:one\\ntwo")
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
    organizer = event_of(line).organizer
    assert organizer
    assert (organizer.name, organizer.address) == (name, address)


def test_a_reminder_is_not_the_event() -> None:
    alarm = ["BEGIN:VALARM", "SUMMARY:no", "DESCRIPTION:no", "ATTENDEE:mailto:a@b.example"]
    invite = event_of(*alarm, "END:VALARM", "SUMMARY:yes")
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
    part = calendar_part(b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:x\n", content_type, filename)
    assert (invite_of([part]) is not None) is is_read


def test_the_first_calendar_with_an_event_counts() -> None:
    event = b"BEGIN:VCALENDAR\rBEGIN:VEVENT\rSUMMARY:x\rEND:VEVENT\rEND:VCALENDAR\r"
    invite = invite_of(
        [calendar_part(b"BEGIN:VCALENDAR\nBEGIN:VTODO\n"), calendar_part(b"\xef\xbb\xbf" + event)]
    )
    assert invite
    assert invite.summary == "x"
    assert invite_of([calendar_part(b"")]) is None
