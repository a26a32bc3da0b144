"""A matcher with a relay, in tests of round trips."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

from services.matcher.directory.outbox import Outbox
from services.matcher.directory.people import person_of
from services.matcher.round_trip.proving import Proving
from services.matcher.round_trip.records import WEEK
from services.matcher.round_trip.repeating import LEASE, Repeating
from shared.broker import Delivery
from shared.contracts.events import (
    Event,
    Kind,
    MailReceived,
    RoundTripChanged,
)
from shared.contracts.outcomes import Done
from shared.storage.database import Database
from shared.storage.lease import Lease
from tests.fakes import Recorder, RecordingPublisher
from tests.matcher_parts import ACCOUNT, DOMAIN, RING, Replica

OWN = "user@team.example"
REPORT = """\
From: MAILER-DAEMON@mx.team.example
To: {to}
Subject: Undeliverable
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b

Your message to {own} could not be delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.team.example

Final-Recipient: rfc822; {own}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 {status} Access denied, Your organization does not allow it

--b--
"""


@dataclass
class Relay:
    """Takes whatever it is given, and fails as it is told."""

    sender: str = "satchel@team.example"
    sent: list[tuple[bytes, str, str]] = field(default_factory=list)
    failure: Exception | None = None

    async def send(self, mail: bytes, *, envelope_sender: str, recipient: str) -> None:
        self.sent.append((mail, envelope_sender, recipient))
        if self.failure is not None:
            raise self.failure


@dataclass
class RoundTripParts:
    """A matcher with a relay, and one user with a capture address."""

    matcher: Replica
    recorder: Recorder
    relay: Relay
    proving: Proving
    outbox: Outbox
    address: str = ""

    async def prove(self, person_id: str = "u1", own: str = OWN) -> bytes:
        """Send a challenge; return it."""
        await self.proving.send(ACCOUNT, person_id, own)
        return self.relay.sent[-1][0]

    async def arrives(
        self,
        raw: bytes,
        to: str | None = None,
        *,
        at: datetime | None = None,
        backfill: bool = False,
    ) -> Event:
        """Return the outcome of a capture."""
        event = MailReceived(
            capture_id=uuid4(),
            backfill=backfill,
            capture_address=to or self.address,
            account_tag="x" * 8,
            received_at=at or datetime.now(UTC),
            door="smtp",
            size=len(raw),
        )
        assert await self.matcher.match(Delivery(event, raw, redelivered=False)) == Done()
        outcome, body = self.recorder.published[-1]
        assert body == b""
        return outcome

    async def told(self) -> RoundTripChanged:
        """Return what is announced now."""
        before = len(self.recorder.published)
        while await self.outbox.announce_some():
            pass
        news = [e for e, _ in self.recorder.published[before:] if isinstance(e, RoundTripChanged)]
        return news[-1]

    def bounce(self, status: str = "5.7.520", action: str = "failed") -> bytes:
        text = REPORT.format(to=self.return_path, own=OWN, status=status, action=action)
        return text.replace("\n", "\r\n").encode()

    @property
    def return_path(self) -> str:
        """Where bounces of the latest challenge go."""
        return self.relay.sent[-1][1]


async def round_trip_parts(matcher: Replica, recorder: Recorder) -> RoundTripParts:
    """Return a matcher with one user, whose mailbox a relay can reach."""
    relay = Relay()
    proving = Proving(matcher.round_trips, relay, RING, DOMAIN)
    await matcher.directory.put(ACCOUNT, person_of("u1", Kind.USER, "User", [OWN]))
    record, _ = await matcher.addresses.mint(ACCOUNT, "u1", "User")
    outbox = Outbox(matcher.database, RecordingPublisher(recorder))
    return RoundTripParts(matcher, recorder, relay, proving, outbox, record.address)


def repeater(parts: RoundTripParts, database: Database) -> Repeating:
    return Repeating(
        parts.proving,
        parts.matcher.round_trips,
        parts.matcher.directory,
        parts.matcher.addresses,
        Lease(database, "round trips", LEASE),
        pause_seconds=0,
    )


async def let_a_week_pass(database: Database) -> None:
    async for latest in database["round_trips"].find({"due_at": {"$exists": True}}):
        change = {"$set": {"due_at": latest["due_at"] - WEEK}}
        await database["round_trips"].update_one({"_id": latest["_id"]}, change)
    await database["round_trip_days"].delete_many({})
