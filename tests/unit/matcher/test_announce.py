from datetime import UTC, datetime

from services.matcher.announce import announce_verdict
from services.matcher.capture_addresses import AddressRecord
from services.matcher.decide import Attach
from services.matcher.judge import Judgement, Verdict
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
