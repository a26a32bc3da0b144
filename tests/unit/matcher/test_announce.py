from datetime import UTC, datetime

import pytest

from services.matcher.announce import announce_verdict
from services.matcher.capture_addresses import AddressRecord
from services.matcher.decide import Attach, Person, decide
from services.matcher.judge import Judgement, Verdict
from services.matcher.participants import participants
from shared.capture_address import KeyRing
from shared.event_examples import examples
from shared.events import (
    MAX_EVENT_BYTES,
    Direction,
    Kind,
    MailAttached,
    MailReceived,
    Match,
    Role,
)
from shared.mail.headers import read_header_block


def test_many_matches_are_told_in_parts_that_can_travel() -> None:
    received = examples()["mail.received.v1"]
    assert isinstance(received, MailReceived)
    address = AddressRecord("a@b", "acme", "u1", "k", "active", datetime.now(UTC), None)
    matches = tuple(
        Match(
            person_id=f"c{number}",
            kind=Kind.CANDIDATE,
            address="é" * 200 + f"{number}@x.example",
            role=Role.TO,
        )
        for number in range(500)
    )
    header = read_header_block(b"Message-ID: <1@x>\r\n")
    mail = Judgement("", header, Attach(matches, Direction.INBOUND), (), ())
    ring = KeyRing.parse("k:" + "s" * 20)
    events = announce_verdict(received, address, Verdict((mail,)), ring, {})
    assert all(isinstance(event, MailAttached) for event in events)
    attached = [event for event in events if isinstance(event, MailAttached)]
    assert len(attached) > 1
    assert [event.part for event in attached] == list(range(1, len(attached) + 1))
    assert {event.parts for event in attached} == {len(attached)}
    assert tuple(match for event in attached for match in event.matches) == matches
    assert all(len(event.encode().encode()) <= MAX_EVENT_BYTES for event in attached)


@pytest.mark.parametrize(
    ("sender", "owner", "said"),
    [
        ("User <user@team.example>", "u1", True),
        ("user@home.example", "u1", True),
        ("other@team.example", "u1", False),
        ("other@team.example", "u2", True),
        ("cand@mail.example", "u1", False),
    ],
)
def test_a_capture_tells_whether_its_owner_sent_the_mail(
    sender: str, owner: str, said: bool
) -> None:
    received = examples()["mail.received.v1"]
    assert isinstance(received, MailReceived)
    people = [
        Person("u1", Kind.USER, "", (), frozenset(["user@team.example", "user@home.example"])),
        Person("u2", Kind.USER, "", (), frozenset(["other@team.example"])),
        Person("c1", Kind.CANDIDATE, "", (), frozenset(["cand@mail.example"])),
    ]
    header = read_header_block(f"From: {sender}\r\nTo: cand@mail.example\r\n".encode())
    taking_part = participants(header, "in.satchel.test")
    mail = Judgement("", header, decide(taking_part, people), taking_part, people)
    address = AddressRecord("a@b", "acme", owner, "k", "active", datetime.now(UTC), None)
    ring = KeyRing.parse("k:" + "s" * 20)
    [event] = announce_verdict(received, address, Verdict((mail,)), ring, {})
    assert isinstance(event, MailAttached)
    assert event.sent_by_owner is said
