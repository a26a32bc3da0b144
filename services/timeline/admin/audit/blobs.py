"""Raw bytes against what names them: those that are missing, and orphans."""

from collections import Counter
from collections.abc import Callable, Collection
from datetime import UTC, datetime

from pymongo import ASCENDING, IndexModel

from services.timeline.admin.audit import Finding, Findings
from services.timeline.admin.audit.pages import Part, pages
from services.timeline.admin.dead_letters.letter import StoredLetter
from services.timeline.query.parts import fields_of, records_of
from services.timeline.query.raw_bytes import RawBytes
from services.timeline.write.records import Content, Outcome, RawMail, Record
from services.timeline.write.side_records import Held
from shared.storage.blob_keys import CLAIM_PREFIX, MAIL_PREFIX, RETENTION
from shared.storage.blobs import Blobs, Stored
from shared.storage.database import Database, Index, of_id

SWEEP_AGE = 2 * RETENTION
"""How old orphaned raw bytes must be to be removed. A delivery that failed between the blob and the
database may be a dead letter, and come again for as long as those are kept: then it writes the same
key again. What is older can come no more."""
INDEXES = (
    # BlobAudit.orphans
    Index(
        Content.collection,
        IndexModel([("account", ASCENDING), ("raw_key", ASCENDING)], name="of_bytes"),
    ),
)


class _Bytes(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Where the bytes of a mail are."""

    raw_key: str


class _Content(Part, frozen=True, kw_only=True, omit_defaults=True):
    """Where the bytes of a content are."""

    account: str
    mail_id: str
    raw_key: str
    read_at: datetime


class _Small(Part, frozen=True, kw_only=True, omit_defaults=True):
    """Raw bytes in the database, without the bytes."""

    account: str


class _Waits(Part, frozen=True, kw_only=True, omit_defaults=True):
    """What waits for somebody, since when."""

    account: str | None = None
    at: datetime | None = None


class _Dead(_Waits, frozen=True, kw_only=True, omit_defaults=True):
    """What a dead letter needs for a replay."""

    body_key: str | None = None
    claim: str | None = None


class _Held(_Waits, frozen=True, kw_only=True, omit_defaults=True):
    """What a capture needs that waits for a user's yes."""

    mails: tuple[_Bytes, ...]


_OF_HELD = {"mails.raw_key": 1, "at": 1, "account": 1}


class _Capture(Record, frozen=True, kw_only=True, omit_defaults=True):
    """The capture of a dead letter."""

    capture_id: str


class BlobAudit:
    """All raw bytes, and all claims."""

    def __init__(self, database: Database, blobs: Blobs, settled: datetime) -> None:
        """What was written after `settled` is under way."""
        self._contents = database[Content.collection]
        self._outcomes = database[Outcome.collection]
        self._dead, self._quarantine = database[StoredLetter.collection], database[Held.collection]
        self._small, self._bytes = database[RawMail.collection], RawBytes(database, blobs)
        self._blobs, self._settled = blobs, settled
        self.tally: Counter[str] = Counter()
        """`contents`, `blobs`, `raw_mails`, `claims`, and what does not add up."""

    async def count(self) -> int:
        """Return about how many contents there are."""
        return await self._contents.estimated_document_count()

    async def missing(self, step: Callable[[int], None]) -> Findings:
        """Yield contents whose raw bytes are missing."""
        async for some in pages(self._contents, _Content):
            self.tally["contents"] += len(some)
            there = await self._bytes.has([content.raw_key for content in some])
            for content in some:
                if content.raw_key not in there:
                    self.tally["blob_missing"] += 1
                    yield _missing(content)
            step(len(some))

    async def dead_letters(self) -> Findings:
        """Yield waiting dead letters whose bytes are missing."""
        async for some in pages(self._dead, _Dead, state="waiting"):
            for letter in some:
                for key in filter(None, (letter.body_key, letter.claim)):
                    if not await self._blobs.has(key):
                        yield self._gone(key, letter, f"dead letter {letter.id}")

    async def quarantine(self) -> Findings:
        """Yield quarantined captures whose bytes are missing."""
        async for some in pages(self._quarantine, _Held, fields=_OF_HELD):
            for held in some:
                for key in sorted({mail.raw_key for mail in held.mails}):
                    if not await self._blobs.has(key):
                        yield self._gone(key, held, f"in quarantine as {held.id}")

    def _gone(self, key: str, waits: _Waits, note: str) -> Finding:
        self.tally["blob_missing"] += 1
        return Finding("blob_missing", key, waits.at, waits.account or "", note)

    async def orphans(self, *, sweep: bool = False) -> Findings:
        """Yield raw bytes that no content names; `sweep` deletes those older than SWEEP_AGE."""
        async for batch in self._blobs.listed(MAIL_PREFIX):
            self.tally["blobs"] += len(batch)
            old = [blob for blob in batch if blob.at < self._settled]
            named = await self._named([blob.key for blob in old])
            for blob in old:
                if blob.key not in named:
                    yield await self._orphan(blob, sweep=sweep)
        async for some in pages(self._small, _Small):
            self.tally["raw_mails"] += len(some)
            named = await self._named([raw.id for raw in some])
            for raw in some:
                if raw.id not in named:
                    yield await self._small_orphan(raw, sweep=sweep)

    async def _named(self, keys: Collection[str]) -> set[str]:
        """Return those of the keys that a content names.

        Not by the content that a key was made of: a newer reader may have given it another id.
        """
        accounts = {key.removeprefix(MAIL_PREFIX).partition("/")[0] for key in keys}
        which = {"account": {"$in": [*accounts]}, "raw_key": {"$in": [*keys]}}
        found = self._contents.find(which, fields_of(_Bytes)).hint("of_bytes")
        return {content.raw_key for content in await records_of(_Bytes, found)}

    async def _orphan(self, blob: Stored, *, sweep: bool) -> Finding:
        self.tally["orphan_blob"] += 1
        note = f"{blob.size} bytes"
        if sweep and blob.at < datetime.now(UTC) - SWEEP_AGE:
            await self._blobs.delete(blob.key)
            self.tally["swept"] += 1
            note += ", removed"
        return Finding("orphan_blob", blob.key, blob.at, note=note)

    async def _small_orphan(self, raw: _Small, *, sweep: bool) -> Finding:
        """Tell of bytes in the database; whatever may need them came there with them."""
        self.tally["orphan_blob"] += 1
        note = "in the database"
        if sweep:
            await self._small.delete_one(of_id(raw.account, raw.id))
            self.tally["swept"] += 1
            note += ", removed"
        return Finding("orphan_blob", raw.id, account=raw.account, note=note)

    async def claims(self) -> Findings:
        """Yield claims that no capture waits for. Those of backfill name no capture."""
        async for batch in self._blobs.listed(CLAIM_PREFIX):
            self.tally["claims"] += len(batch)
            old = [blob for blob in batch if blob.at < self._settled]
            ids = {"$in": [_capture_of(blob.key) for blob in old]}
            outcomes = self._outcomes.find({"_id": ids}, fields_of(Part))
            settled = {outcome.id for outcome in await records_of(Part, outcomes)}
            waiting = self._dead.find({"capture_id": ids, "state": "waiting"}, fields_of(_Capture))
            needed = {letter.capture_id for letter in await records_of(_Capture, waiting)}
            for blob in old:
                capture = _capture_of(blob.key)
                if capture not in needed:
                    self.tally["orphan_claim"] += 1
                    why = "is settled" if capture in settled else "has neither outcome nor letter"
                    note = f"{blob.size} bytes, its capture {why}"
                    yield Finding("orphan_claim", blob.key, blob.at, note=note)


def _missing(content: _Content) -> Finding:
    note = f"mail {content.mail_id}"
    return Finding("blob_missing", content.raw_key, content.read_at, content.account, note)


def _capture_of(key: str) -> str:
    """Return the capture that a claim belongs to."""
    return key.removeprefix(CLAIM_PREFIX).partition(".")[0]
