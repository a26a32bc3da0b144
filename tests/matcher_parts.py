"""A matcher with a real database and a real blob store, and captures for it, in a few words."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from services.matcher.authentication import Authenticator
from services.matcher.consumer import Matcher
from services.matcher.deciding import Decider
from services.matcher.decisions import Decisions
from services.matcher.directory.capture_addresses import CaptureAddresses
from services.matcher.directory.erased_addresses import ErasedAddresses
from services.matcher.directory.knowledge import Knowledge
from services.matcher.directory.never_capture_lists import NeverCaptureLists
from services.matcher.directory.outbox import Outbox
from services.matcher.directory.people import Directory
from services.matcher.directory.versions import Versions
from services.matcher.directory.windows import Windows
from services.matcher.rematch.keys import RematchKeys, Room
from services.matcher.rematch.opening import Opening
from services.matcher.rematch.sealed import SealedCaptures
from services.matcher.rematch.seeking import Seeking
from services.matcher.resolver import Resolver
from services.matcher.round_trip.records import RoundTrips
from services.matcher.round_trip.returning import Returning
from shared.broker import Delivery
from shared.contracts.capture_address import KeyRing
from shared.contracts.events import MailReceived
from shared.storage.blob_keys import CLAIM_CHECK_BYTES, claim_key
from shared.storage.blobs import BlobMissing, Blobs
from shared.storage.database import Database
from tests.fakes import Recorder, RecordingPublisher

DOMAIN = "in.satchel.test"
RING = KeyRing.parse("k1:" + "s" * 20)
ACCOUNT = "acme"


class Replica:
    """A matcher, with the parts that the API would use."""

    def __init__(self, database: Database, folder: Path, recorder: Recorder) -> None:
        self.versions = versions = Versions(database)
        self.database = database
        self.directory = Directory(database, versions)
        self.addresses = CaptureAddresses(database, versions, RING, DOMAIN)
        self.never = NeverCaptureLists(database, versions)
        self.knowledge = Knowledge(self.directory, self.addresses, versions, self.never)
        self.blobs = Blobs(f"file://{folder}/blobs")
        self.decisions = Decisions(database)
        self.round_trips = RoundTrips(database)
        self.windows = Windows(database, self.addresses)
        decider = Decider(
            knowledge=self.knowledge,
            authenticator=Authenticator(Resolver([("127.0.0.1", 9)], 1), 0),
            returning=Returning(self.round_trips, RING),
            ring=RING,
            capture_domain=DOMAIN,
        )
        publisher = RecordingPublisher(recorder)
        self.rematch_keys = RematchKeys(database, versions, Room(captures=1000, size=10**8))
        self.seeking = Seeking(database, self.rematch_keys, RING)
        self.sealed = SealedCaptures(database, self.rematch_keys, RING, self.knowledge, self.blobs)
        self.outbox = Outbox(database, publisher, self.seeking.seek)
        self.opening = Opening(database, self.sealed, decider, self.blobs, publisher)
        self.match = Matcher(
            decider=decider,
            decisions=self.decisions,
            windows=self.windows,
            blobs=self.blobs,
            publisher=publisher,
            sealed=self.sealed,
            erased=ErasedAddresses(database, RING, DOMAIN),
        ).match


async def received(
    matcher: Replica,
    to: str = "cand@mail.example",
    *,
    size: int = 0,
    headers: str = "",
    backfill: bool = False,
) -> Delivery:
    record, _ = await matcher.addresses.mint(ACCOUNT, "u1", "User")
    header = f"From: user@team.example\r\nTo: {to}\r\nMessage-ID: <1@x>\r\n{headers}"
    raw = f"{header}\r\nHello\r\n".encode() + b"x" * size
    capture_id = uuid4()
    event = MailReceived(
        capture_id=capture_id,
        backfill=backfill,
        capture_address=record.address,
        account_tag="x" * 8,
        received_at=datetime.now(UTC),
        door="smtp",
        size=len(raw),
        blob_key=claim_key(capture_id) if len(raw) > CLAIM_CHECK_BYTES else None,
    )
    if event.blob_key is None:
        return Delivery(event, raw, redelivered=False)
    await matcher.blobs.put(event.blob_key, raw)
    return Delivery(event, b"", redelivered=False)


def claim_of(delivery: Delivery) -> str:
    assert isinstance(delivery.event, MailReceived)
    assert delivery.event.blob_key is not None
    return delivery.event.blob_key


async def exists(blobs: Blobs, key: str) -> bool:
    try:
        await blobs.get(key)
    except BlobMissing:
        return False
    return True
