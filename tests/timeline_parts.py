"""The timeline's parts on one database, and events and mails for them, in a few words."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from pymongo import AsyncMongoClient

from services.timeline.admin.captures import Captures
from services.timeline.admin.dropped_blobs import DroppedBlobs
from services.timeline.admin.index_terms import index_terms
from services.timeline.admin.quarantine import Quarantine
from services.timeline.admin.release import Release
from services.timeline.admin.rulings import Rulings
from services.timeline.admin.stats import Stats
from services.timeline.indexes import INDEXES
from services.timeline.query.inbox import Inbox
from services.timeline.query.inbox_rows import InboxItem
from services.timeline.query.mail_changes import MailChanges
from services.timeline.query.mails import Mails, ShownMail
from services.timeline.query.raw_bytes import RawBytes
from services.timeline.query.read_state import ReadState
from services.timeline.query.search import Search
from services.timeline.query.viewer import Viewer
from services.timeline.write.account_settings import AccountSettings
from services.timeline.write.consumer import Projector
from services.timeline.write.erased_accounts import ErasedAccounts
from services.timeline.write.indexing import TermIndexer
from services.timeline.write.records import ListedContent
from services.timeline.write.writer import Writer
from shared.broker import Delivery
from shared.contracts.events import (
    Authentication,
    AuthenticationVerdict,
    Direction,
    DismissalReason,
    Event,
    Kind,
    MailAttached,
    MailDismissed,
    Match,
    Role,
)
from shared.storage.blob_keys import claim_key
from shared.storage.blobs import Blobs
from shared.storage.database import Database, Document, connect
from tests.databases import empty_database

ACCOUNT = "acme"
NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
HOW_WRITTEN = frozenset(
    {"slot", "change", "arrived", "arrived_before", "raw_key", "raw_of", "size", "read_at"}
)
"""Fields that say when, in which order and by which process a document was written."""
_captures = itertools.count(1)


class Timeline:
    """The timeline's parts on one database."""

    def __init__(
        self, client: AsyncMongoClient[Document], database: Database, folder: Path
    ) -> None:
        self.folder, blobs = folder / "blobs", Blobs(f"file://{folder}/blobs")
        self.indexer = TermIndexer(client, database)
        self.writer = Writer(client, database, blobs, self.indexer.wrote)
        self.settings = AccountSettings(database)
        self.erased = ErasedAccounts(database)
        self.projector = Projector(self.writer, blobs, self.settings, self.erased)
        self.quarantine, self.stats = Quarantine(database), Stats(database)
        self.release = Release(self.projector, self.quarantine, timedelta(days=30))
        self.mails, self.search = Mails(database), Search(database)
        self.dropped = DroppedBlobs(database, blobs)
        self.rulings = Rulings(database, self.projector, self.mails, self.quarantine, self.dropped)
        self.changes = MailChanges(database, self.mails)
        self.captures = Captures(database, self.mails)
        self.inbox = Inbox(database, ReadState(database))
        self.blobs, self.database, self.client = blobs, database, client
        self.raw_bytes = RawBytes(database, blobs)

    async def handle(self, event: Event, raw: bytes = b"") -> object:
        """Project one event."""
        return await self.projector.handle(Delivery(event, raw, redelivered=False))

    async def raw(self, content: ListedContent) -> bytes:
        """Return the bytes that a content names."""
        return await self.raw_bytes.get(content.account, content.raw_key)

    async def lose_raw(self, key: str) -> None:
        """Let raw bytes be gone, wherever they are."""
        await self.database.raw_mails.delete_one({"_id": key})
        await self.blobs.delete(key)

    async def index_terms(self) -> None:
        """Put into blocks whatever fills one."""
        assert await index_terms(self.indexer, self.database, asyncio.Event())

    async def tally(self) -> dict[str, int]:
        """Return what became of the captures."""
        days = await self.stats.days(ACCOUNT, NOW.date(), NOW.date(), None)
        if not days:
            return {}
        waiting = {"quarantined": days[0].quarantined} if days[0].quarantined else {}
        return {"attached": days[0].attached, **days[0].dismissed, **waiting}

    async def timeline(
        self, person_id: str = "c1", viewer: str = "u1", *, own_only: bool = False
    ) -> list[ShownMail[ListedContent]]:
        """Return a profile's mails."""
        seen = Viewer(ACCOUNT, viewer, own_only)
        return (await self.mails.profile_timeline(seen, person_id, 200, None)).items

    async def subjects(self, person_id: str = "c1") -> list[str]:
        """Return the subjects of a profile's mails."""
        return [shown.content.subject for shown in await self.timeline(person_id)]

    async def conversations(self, viewer: str = "u1", *, own_only: bool = False) -> list[InboxItem]:
        """Return the inbox."""
        return (await self.inbox.page(Viewer(ACCOUNT, viewer, own_only), 200, None)).items


@asynccontextmanager
async def a_timeline(mongodb_url: str, folder: Path) -> AsyncIterator[Timeline]:
    """Open a timeline on an empty database of its own."""
    async with (
        connect(mongodb_url, "test") as client,
        empty_database(client, mongodb_url, INDEXES) as database,
    ):
        timeline = Timeline(client, database, folder)
        yield timeline
        await timeline.writer.close()


def match(person_id: str = "c1", address: str = "cand@mail.example", role: Role = Role.TO) -> Match:
    """Return a match."""
    return Match(person_id=person_id, kind=Kind.CANDIDATE, address=address, role=role)


def attached(
    *matches: Match,
    capture_id: UUID | None = None,
    owner: str = "u1",
    account: str = ACCOUNT,
    size: int = 1,
    claim: bool = False,
    part: int = 1,
    parts: int = 1,
    minutes: int = 0,
    backfill: bool = False,
    verdict: AuthenticationVerdict | None = None,
    reason: str | None = None,
    place: str = "",
    sent_by_owner: bool | None = None,
) -> MailAttached:
    """Return an event that attaches a mail that arrived so many minutes after NOW."""
    capture_id = capture_id or UUID(int=next(_captures))  # they grow, as real ones do
    return MailAttached(
        capture_id=capture_id,
        backfill=backfill,
        account=account,
        owner=owner,
        capture_address="a@in.satchel.test",
        received_at=NOW + timedelta(minutes=minutes),
        decided_at=NOW,
        door="smtp",
        direction=Direction.OUTBOUND,
        sent_by_owner=sent_by_owner,
        matches=matches or (match(),),
        size=size,
        blob_key=claim_key(capture_id) if claim else None,
        authentication=Authentication(verdict=verdict, reason=reason) if verdict else None,
        place=place,
        part=part,
        parts=parts,
    )


def dismissed(capture_id: UUID | None = None) -> MailDismissed:
    """Return an event that dismisses a mail."""
    return MailDismissed(
        capture_id=capture_id or UUID(int=next(_captures)),
        account=ACCOUNT,
        reason=DismissalReason.NO_MATCH,
        received_at=NOW,
        decided_at=NOW,
        message_id_hash="0" * 32,
    )


def mail(
    subject: str = "Hello",
    *,
    message_id: str | None = "1@x",
    sender: str = "user@team.example",
    to: str = "cand@mail.example",
    day: int = 15,
    trace: str = "",
    bcc: str = "",
    references: str = "",
    text: str = "The text.",
) -> bytes:
    """Return a mail."""
    fields = [
        trace,
        f"From: {sender}",
        f"To: {to}",
        f"Bcc: {bcc}" if bcc else "",
        f"Message-ID: <{message_id}>" if message_id else "",
        f"References: {references}" if references else "",
        f"Date: Thu, {day} Jan 2026 09:00:00 +0000",
        f"Subject: {subject}",
    ]
    header = "\r\n".join(field for field in fields if field)
    return f"{header}\r\n\r\n{text}\r\n".encode()
