"""Who takes part in a capture, by what the timeline says of it."""

import pytest

from services.matcher.reading.participants import Participant
from services.matcher.reviews.facts import facts_of
from shared.contracts.events import CaptureReviewed, Kind, Match, ReviewedCapture, Role, Source

DOMAIN = "in.satchel.test"
HEADER = (
    b"From: Author <author@x.example>\r\nSender: office@x.example\r\nTo: cand@mail.example\r\n"
    b"Cc: a.abc@in.satchel.test\r\nResent-To: again@x.example\r\nBcc: other@x.example\r\n\r\n"
)
BOUNCE = (
    b"From: MAILER-DAEMON@mx.example\r\nTo: user@team.example\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
    b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n"
    b"Final-Recipient: rfc822; failed@x.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    b"\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\nFrom: user@team.example\r\n\r\n--b--"
)
FORWARD = (
    b"From: user@team.example\r\nTo: a.abc@in.satchel.test\r\nSubject: Fwd: Hi\r\n\r\n"
    b"---------- Forwarded message ---------\r\nFrom: C <cand@mail.example>\r\n"
    b"Date: Thu, 15 Jan 2026 09:00:00 +0000\r\nSubject: Hi\r\n"
    b"To: New <new@mail.example>\r\n\r\nHello"
)


def event(
    *matches: Match, bcc: tuple[str, ...] = (), own: bool = False, is_forward: bool = False
) -> CaptureReviewed:
    return CaptureReviewed(
        account="acme",
        review_id="0" * 32,
        capture=ReviewedCapture(
            item="a" * 32, mail_id="m", content="c", owner="u1", capture_id="1"
        ),
        matches=matches,
        bcc=bcc,
        has_own_bcc=own,
        is_forward=is_forward,
    )


def addresses(event: CaptureReviewed, raw: bytes) -> set[tuple[str, Role]]:
    return {(p.address, p.role) for p in facts_of(event, raw, DOMAIN).participants}


def test_all_of_the_header_takes_part_but_for_capture_addresses_and_anothers_bcc() -> None:
    assert addresses(event(bcc=("Mine@x.example",)), HEADER) == {
        ("author@x.example", Role.FROM),
        ("office@x.example", Role.SENDER),
        ("cand@mail.example", Role.TO),
        ("again@x.example", Role.TO),
        ("mine@x.example", Role.BCC),
    }
    assert ("other@x.example", Role.BCC) in addresses(event(own=True), HEADER)


@pytest.mark.parametrize("raw", [b"", HEADER, b"\xff\x00\r\n\r\n"])
def test_who_was_a_match_takes_part_whatever_is_left_of_the_mail(raw: bytes) -> None:
    known = Match(person_id="c1", kind=Kind.CANDIDATE, address="gone@x.example", role=Role.CC)
    assert ("gone@x.example", Role.CC) in addresses(event(known), raw)


def test_a_forward_names_the_people_of_the_original_if_it_was_one() -> None:
    found = facts_of(event(is_forward=True), FORWARD, DOMAIN).participants
    assert Participant("new@mail.example", Role.TO, Source.FORWARDED_BODY) in found
    assert addresses(event(), FORWARD) == {("user@team.example", Role.FROM)}


def test_a_report_names_whom_it_did_not_reach() -> None:
    facts = facts_of(event(), BOUNCE, DOMAIN)
    assert facts.bounce is not None
    assert {p.address for p in facts.bounce.failed} == {"failed@x.example"}
    assert facts.keys >= {"failed@x.example", "user@team.example"}
