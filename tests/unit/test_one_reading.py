"""Each service reads a mail's header once: one run of the tokenizer, and one of each address field.

Counted where it happens, whichever way of reading asks.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from services.ingest.receive import Receiver
from services.matcher.authentication import Authenticator
from services.matcher.consumer import Matcher
from services.matcher.deciding import Decider
from services.matcher.decision.decide import Person
from services.matcher.decision.never_capture import NOTHING
from services.matcher.decisions import Decisions
from services.matcher.directory.capture_addresses import AddressRecord
from services.matcher.directory.knowledge import Knowledge, Known
from services.matcher.directory.windows import Windows
from services.matcher.resolver import Resolver
from services.matcher.round_trip.records import RoundTrips
from services.matcher.round_trip.returning import Returning
from services.timeline.content.reader import read
from services.timeline.write.projection import project
from shared.broker import Delivery
from shared.contracts.capture_address import KeyRing
from shared.contracts.events import Direction, Kind, MailAttached, MailReceived, Match, Role
from shared.contracts.outcomes import Done
from shared.mail import header_block, headers
from shared.mail.address_list import Mailbox, read_address_list
from shared.storage.blobs import Blobs
from tests.fakes import Recorder, RecordingPublisher
from tests.mails import enclosing, mail

DOMAIN = "in.satchel.test"
RING = KeyRing.parse("k1:" + "s" * 20)
USER, CANDIDATE = "user@team.example", "cand@mail.example"
PEOPLE = [
    Person("u1", Kind.USER, "U", (USER,), frozenset({USER})),
    Person("c1", Kind.CANDIDATE, "C", (CANDIDATE,), frozenset({CANDIDATE})),
]
ORIGINAL = (
    "-------- Original Message --------\r\nSubject: A question\r\n"
    f"From: Cand <{CANDIDATE}>\r\nDate: Thu, 15 Jan 2026\r\nTo: x@x.example\r\n\r\nHi"
)


def _wrapper() -> str:
    inner = [mail(sender, f"Team <{USER}>") for sender in (CANDIDATE, "shop@x.example")]
    fields, body = enclosing(inner)
    return mail(USER, f"me@{DOMAIN}", headers=fields, body=body)


def _bounce() -> str:
    fields = "Return-Path: <>\r\nSubject: Undelivered Mail Returned to Sender\r\n"
    text = f"This is the mail system. <{CANDIDATE}>: host mail.example said: 550 no such user\r\n"
    return mail("MAILER-DAEMON@mx.example", USER, headers=fields, body=text)


MAILS = {
    "ordinary": mail(),
    "of a list": mail(
        "Cand via L <l@x.example>", USER, headers="List-Id: <l>\r\nReply-To: a@b.c\r\n"
    ),
    "inline forward": mail(USER, f"me@{DOMAIN}", body=ORIGINAL),
    "forward as attachment": _wrapper(),
    "delivery report": _bounce(),
    "confirmation": mail(
        "Gmail Team <forwarding-noreply@google.com>", f"me@{DOMAIN}", body="Code: 304298959\r\n"
    ),
}


class Readings:
    """How often the header that a mail begins with was tokenised, and each address field."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.headers: Counter[bytes] = Counter()
        self.fields: Counter[str] = Counter()
        lines = header_block._LINE

        class Lines:
            def finditer(_, raw: bytes, start: int) -> Iterator[Any]:  # noqa: N805 - self is ours
                self.headers[raw] += 1
                return lines.finditer(raw, start)

        def read_list(text: str) -> Iterator[Mailbox]:
            self.fields[text] += 1
            return read_address_list(text)

        monkeypatch.setattr(header_block, "_LINE", Lines())
        monkeypatch.setattr(headers, "read_address_list", read_list)

    def of(self, raw: bytes) -> int:
        """Return how often the header of this mail, or of a beginning of it, was tokenised."""
        return sum(count for read, count in self.headers.items() if raw.startswith(read))


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> Readings:
    return Readings(monkeypatch)


class _Directory:
    async def consult(self, address: str, keys: frozenset[str]) -> Known:
        record = AddressRecord(address, "acme", "u1", "k1", "active", datetime.now(UTC), None)
        people = tuple(p for p in PEOPLE if p.keys & keys or p.kind is Kind.USER)
        return Known(record, people, NOTHING)


class _NoNames:
    async def text(self, _: str) -> list[str]:
        return []


def _received(raw: bytes) -> MailReceived:
    return MailReceived(
        capture_id=uuid4(),
        capture_address=f"me@{DOMAIN}",
        account_tag="x" * 8,
        received_at=datetime.now(UTC),
        door="smtp",
        size=len(raw),
    )


async def _matched(raw: bytes) -> list[tuple[Any, bytes]]:
    recorder = Recorder()
    decider = Decider(
        knowledge=cast(Knowledge, _Directory()),
        authenticator=Authenticator(cast(Resolver, _NoNames()), 4),
        returning=Returning(cast(RoundTrips, None), RING),
        ring=RING,
        capture_domain=DOMAIN,
    )
    matcher = Matcher(
        decider=decider,
        decisions=cast(Decisions, None),
        windows=cast(Windows, None),
        blobs=cast(Blobs, None),
        publisher=RecordingPublisher(recorder),
    )
    assert await matcher.match(Delivery(_received(raw), raw, redelivered=False)) == Done()
    return [*recorder.published]


@pytest.mark.parametrize("name", MAILS)
async def test_the_matcher_reads_a_mail_once(name: str, readings: Readings) -> None:
    raw = MAILS[name].encode()
    await _matched(raw)
    assert readings.of(raw) == 1
    head, _, _ = MAILS[name].partition("\r\n\r\n")
    read = {line: readings.fields[line.partition(": ")[2]] for line in head.split("\r\n")}
    assert max(read.values()) == 1, read


async def test_the_matcher_reads_each_enclosed_mail_once(readings: Readings) -> None:
    raw = MAILS["forward as attachment"].encode()
    [(_, inner)] = await _matched(raw)
    assert readings.of(inner) == 1


@pytest.mark.parametrize("name", MAILS)
def test_the_timeline_reads_a_mail_once(name: str, readings: Readings) -> None:
    raw = MAILS[name].encode()
    event = MailAttached(
        capture_id=UUID(int=1),
        size=len(raw),
        account="acme",
        owner="u1",
        capture_address=f"me@{DOMAIN}",
        received_at=datetime.now(UTC),
        decided_at=datetime.now(UTC),
        door="smtp",
        direction=Direction.INBOUND,
        matches=(Match(person_id="c1", kind=Kind.CANDIDATE, address=CANDIDATE, role=Role.TO),),
    )
    project(event, read(raw), raw)
    assert readings.of(raw) == 1


async def test_ingest_reads_no_header_at_all(readings: Readings) -> None:
    receiver = Receiver(RecordingPublisher(Recorder()), cast(Blobs, None))
    recipient = RING.mint("me", "acme", DOMAIN)
    await receiver.receive(MAILS["ordinary"].encode(), [recipient], mail_from=None, door="smtp")
    assert not readings.headers
    assert not readings.fields
