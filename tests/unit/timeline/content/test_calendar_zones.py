"""The time zones of invitations: named ones, described ones, broken ones."""

import pytest

from services.timeline.content.zones import named_zone
from tests.calendar_parts import event_of


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
    stored = event_of(f'DTSTART;TZID="{name}":20260715T140000').model_dump(mode="json")
    assert stored["start"] == "2026-07-15T14:00:00" + offset


def test_a_zone_of_one_calendar_is_unknown_to_the_next() -> None:
    zone = (
        "BEGIN:VTIMEZONE\nTZID:Office\nBEGIN:STANDARD\nDTSTART:20000101T000000\n"
        "TZOFFSETTO:+0930\nEND:STANDARD\nEND:VTIMEZONE"
    )
    start = "DTSTART;TZID=Office:20260715T140000"
    described = event_of(start, before=zone).model_dump(mode="json")
    assert described["start"] == "2026-07-15T14:00:00+09:30"
    assert event_of(start).model_dump(mode="json")["start"] == "2026-07-15T14:00:00"
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
    stored = event_of(f"DTSTART;TZID=Mine:{local}", before=zone).model_dump(mode="json")
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
    invite = event_of("DTSTART;TZID=Mine:20260715T140000", before=zone)
    assert invite.model_dump(mode="json")["start"] == "2026-07-15T14:00:00"


def test_a_zone_whose_colons_are_not_quoted_is_read() -> None:
    invite = event_of("DTSTART;TZID=tzone://Microsoft/Utc:20260715T140000")
    assert invite.model_dump(mode="json")["start"] == "2026-07-15T14:00:00Z"
    assert invite.zone == "tzone://Microsoft/Utc"
