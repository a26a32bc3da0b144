"""Calendars as the tests write and read them."""

from pathlib import Path

from services.timeline.content.invite import Invite, invite_of
from shared.mail.part import Part

MAILS = Path(__file__).parent / "mail" / "automatic"
CASES = sorted(path.stem for path in MAILS.glob("*.eml"))
INVITES = [case for case in CASES if case.startswith("invite-")]


def raw_mail(case: str) -> bytes:
    return (MAILS / f"{case}.eml").read_bytes()


def calendar_part(ics: bytes, content_type: str = "text/calendar", filename: str = "") -> Part:
    return Part(content_type, "", 0, bool(filename), filename, ics)


def event_of(*lines: str, before: str = "") -> Invite:
    ics = "\r\n".join(["BEGIN:VCALENDAR", before, "BEGIN:VEVENT", *lines, "END:VEVENT"])
    invite = invite_of([calendar_part(ics.encode() + b"\r\nEND:VCALENDAR\r\n")])
    assert invite
    return invite
