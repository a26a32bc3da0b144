"""Whose body counts: the conditions of a forward, each for itself."""

import pytest

from services.matcher.decision.decide import Attach, Dismiss, Person
from services.matcher.decision.forward_condition import may_be_forward, written_by_users
from shared.contracts.events import Direction, DismissalReason, Kind
from shared.mail.headers import HeaderBlock, read_header_block

DOMAIN = "in.satchel.test"
CAPTURE = f"anna.key@{DOMAIN}"
DISMISSED = Dismiss(DismissalReason.NO_MATCH)


def person(person_id: str, kind: Kind, *addresses: str) -> Person:
    return Person(person_id, kind, person_id, addresses, frozenset(addresses))


PEOPLE = [
    person("u1", Kind.USER, "user@team.example", "user@home.example"),
    person("u2", Kind.USER, "colleague@team.example"),
    person("c1", Kind.CANDIDATE, "cand@mail.example"),
]


def header(*lines: str) -> HeaderBlock:
    return read_header_block("".join(f"{line}\r\n" for line in [*lines, ""]).encode())


@pytest.mark.parametrize(
    ("from_", "is_users"),
    [
        ("user@team.example", True),
        ("User <USER@home.example>", True),
        ("user@team.example, colleague@team.example", True),
        ("user@team.example, cand@mail.example", False),
        ("cand@mail.example", False),
        ("stranger@x.example", False),
        ("", False),
        ("undisclosed:;", False),
    ],
)
def test_every_sender_is_a_user(from_: str, is_users: bool) -> None:
    assert written_by_users(header(f"From: {from_}"), PEOPLE) is is_users
    assert may_be_forward(header(f"From: {from_}"), DISMISSED, PEOPLE, DOMAIN) is is_users


def test_a_mail_of_nobody_is_nobodys() -> None:
    assert not written_by_users(header("To: user@team.example"), PEOPLE)
    assert not written_by_users(header("From: user@team.example"), [])


@pytest.mark.parametrize(
    ("lines", "may_be"),
    [
        ((f"To: {CAPTURE}",), True),
        ((f"To: {CAPTURE.upper()}", f"Cc: bo.key@{DOMAIN}"), True),
        ((f"Cc: {CAPTURE}",), True),
        ((), True),
        ((f"To: {CAPTURE}, friend@x.example",), False),
        ((f"To: {CAPTURE}", "Cc: friend@x.example"), False),
        (("To: friend@x.example", f"Cc: {CAPTURE}"), False),
        ((f"To: a@not{DOMAIN}",), False),
        ((f"To: {CAPTURE}", f"To: {CAPTURE}", "To: friend@x.example"), False),
    ],
)
def test_every_recipient_is_a_capture_address(lines: tuple[str, ...], may_be: bool) -> None:
    read = header("From: user@team.example", *lines)
    assert may_be_forward(read, DISMISSED, PEOPLE, DOMAIN) is may_be


def test_where_a_profile_matched_by_header_the_body_counts_no_more() -> None:
    read = header("From: user@team.example", f"To: {CAPTURE}")
    assert may_be_forward(read, Dismiss(DismissalReason.BLOCKED), PEOPLE, DOMAIN)
    assert not may_be_forward(read, Attach((), Direction.OUTBOUND), PEOPLE, DOMAIN)
