"""Whose a capture at an address of the account is."""

from dataclasses import replace

import pytest

from services.matcher.decision.decide import Person, decide
from services.matcher.decision.judge import Judgement
from services.matcher.decision.never_capture import NOTHING, never_capture_of
from services.matcher.decision.shares import refused_by, shares_of
from services.matcher.reading.participants import Participant, participants
from shared.contracts.events import Half, Kind, Role, Share, Source
from shared.mail.headers import read_header_block

DOMAIN = "in.satchel.test"
ANNA = Person("anna", Kind.USER, "", (), frozenset(["anna@team.example", "a@old.example"]))
BEN = Person("ben", Kind.USER, "", (), frozenset(["ben@team.example"]))
CARA = Person("cara", Kind.USER, "", (), frozenset(["cara@team.example"]))
GUEST = Person("guest", Kind.GUEST, "", (), frozenset(["guest@team.example"]))
CANDIDATE = Person("c1", Kind.CANDIDATE, "", (), frozenset(["cand@mail.example"]))
PEOPLE = (ANNA, BEN, CARA, GUEST, CANDIDATE)


def judged(
    header: str, more: tuple[Participant, ...] = (), people: tuple[Person, ...] = PEOPLE
) -> Judgement:
    read = read_header_block(header.replace("\n", "\r\n").encode())
    taking_part = participants(read, DOMAIN) + more
    return Judgement("", read, decide(taking_part, people), taking_part, people)


def shares(mail: Judgement, *, backfill: bool = False) -> tuple[Share, ...]:
    return shares_of(mail, mail, backfill=backfill)


def owners(mail: Judgement) -> list[str]:
    return [share.owner for share in shares(mail)]


@pytest.mark.parametrize("field", ["To", "Cc", "Bcc", "Sender", "Reply-To", "Resent-To"])
def test_every_user_who_takes_part_by_header_has_one(field: str) -> None:
    mail = judged(f"From: cand@mail.example\n{field}: BEN@team.example\n")
    assert owners(mail) == ["ben"]


def test_the_author_comes_first_and_is_its_sender() -> None:
    mail = judged("From: cara@team.example\nTo: cand@mail.example, anna@team.example\n")
    assert [(s.owner, s.sent_by_owner, s.half) for s in shares(mail)] == [
        ("cara", True, Half.SENT),
        ("anna", False, Half.RECEIVED),
    ]


def test_no_one_else_has_one() -> None:
    mail = judged("From: cand@mail.example\nTo: guest@team.example, info@team.example\n")
    assert owners(mail) == []


def test_two_addresses_of_one_user_make_one_share() -> None:
    assert owners(judged("From: cand@mail.example\nTo: anna@team.example, a@old.example\n")) == [
        "anna"
    ]


def test_what_is_in_bcc_alone_is_matched_for_its_author_alone() -> None:
    mail = judged("From: anna@team.example\nTo: ben@team.example\nBcc: cand@mail.example\n")
    assert [(s.owner, s.sees_bcc, s.matched) for s in shares(mail)] == [
        ("anna", True, True),
        ("ben", False, False),
    ]


def test_who_was_not_reached_is_matched_for_whom_the_bounce_is_for() -> None:
    failed = Participant("cand@mail.example", Role.BCC, Source.DELIVERY_REPORT)
    mail = judged("From: MAILER-DAEMON@mx.example\nTo: anna@team.example\n", (failed,))
    [share] = shares(mail)
    assert share.matched


def test_whom_a_forwarded_body_names_has_none() -> None:
    named = Participant("ben@team.example", Role.TO, Source.FORWARDED_BODY)
    assert owners(judged("From: anna@team.example\nTo: c@in.satchel.test\n", (named,))) == ["anna"]


def test_backfill_proves_nothing() -> None:
    mail = judged("From: anna@team.example\nTo: cand@mail.example\n")
    assert [share.half for share in shares(mail, backfill=True)] == [None]


def test_a_users_own_list_takes_their_share_alone() -> None:
    mail = judged("From: anna@team.example\nTo: cand@mail.example, ben@team.example\n")
    lists = {"anna": never_capture_of(["cand@MAIL.example"], []), "ben": NOTHING}
    assert refused_by(mail, lists) == {"anna"}
    kept = shares(replace(mail, refused_by=refused_by(mail, lists)))
    assert [share.owner for share in kept] == ["ben"]
    assert not kept[0].sees_bcc


@pytest.mark.parametrize(
    ("addresses", "domains", "is_refused"),
    [
        ([], ["mail.example"], True),
        (["other@mail.example"], ["example.mail"], False),
        (["ben@team.example"], ["team.example"], False),  # a list is about those who are no users
    ],
)
def test_a_list_refuses_what_is_from_or_to_people_who_are_no_users(
    addresses: list[str], domains: list[str], is_refused: bool
) -> None:
    mail = judged("From: anna@team.example\nTo: cand@mail.example, ben@team.example\n")
    lists = {"anna": never_capture_of(addresses, domains)}
    assert bool(refused_by(mail, lists)) is is_refused
