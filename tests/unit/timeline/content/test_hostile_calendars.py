"""Hostile and broken calendars: linear time, and never an exception."""

import json
import random
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.timeline.content.invite import Invite, invite_of
from shared.mail.mime import leaves
from tests.calendar_parts import INVITES, calendar_part, raw_mail
from tests.cost import LINEAR, growth, ratio

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
        return partial(invite_of, [calendar_part(CRAFTED[name](size))] * 12)

    invite = reading(250_000)()
    assert invite is None or len(invite.model_dump_json().encode()) < 200_000
    assert growth(reading, 10_000) < LINEAR


@pytest.mark.cost
@pytest.mark.parametrize("rule", [b"SECONDLY;UNTIL=99991231T000000Z", b"YEARLY;BYMONTHDAY=30"])
def test_a_zone_that_changes_without_end_costs_as_much_as_others(rule: bytes) -> None:
    def reading(rule: bytes) -> Callable[[], object]:
        return partial(invite_of, [calendar_part(_ZONE % (_SUB % (b"FREQ=" + rule)))])

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
    invite = invite_of([calendar_part(ics)])
    assert invite
    assert invite.model_dump_json()


def test_mutated_calendars_are_read() -> None:
    chance = random.Random(20260105)
    whole = [
        part.data for case in INVITES for part in leaves(raw_mail(case))[0] if len(part.data) > 100
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
        invite = invite_of([calendar_part(bytes(ics))])
        assert invite is None or json.dumps(invite.model_dump(mode="json"))
