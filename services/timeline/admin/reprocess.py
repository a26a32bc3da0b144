"""Reads every stored mail again from its raw bytes, with today's reader.

    content -> its raw bytes -> read -> projected for each of its captures -> written in its place

* Decisions stay: who captured a mail, its matches and its direction do not change.
* Each content is replaced at once, with others in one transaction, so it runs beside live mail.
* An interrupted run continues where it stopped; contents that this reader made are skipped.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from msgspec import field

from services.timeline.admin.rereading import ContentVersion, Rereader
from services.timeline.content.reader import READER_VERSION
from services.timeline.query.parts import fields_of, records_of
from services.timeline.write.records import Content, Record
from services.timeline.write.requests import Replace
from services.timeline.write.stored import from_document, to_document
from services.timeline.write.writer import Writer
from shared.storage.blobs import Blobs
from shared.storage.database import Database

_BATCH = 64
"""Contents at a time: as many as the writer commits together."""


class Chore(Record, frozen=True, kw_only=True, omit_defaults=True):
    """How far a run is."""

    id: str = field(name="_id")
    position: str
    """The id of the last content that is done."""
    tally: dict[str, int]
    include_current: bool = field(name="anew")
    begun: datetime


class Reprocess:
    """One run over all contents."""

    def __init__(self, writer: Writer, database: Database, blobs: Blobs) -> None:
        self._writer, self._rereader = writer, Rereader(database, blobs)
        self._contents = database[Content.collection]
        self._chores = database["chores"]

    async def begin(self, *, include_current: bool = False) -> tuple[int, int, Counter[str]]:
        """Return the number of contents, how many are done, and their tally.

        `include_current` discards an earlier run and reads even contents that this reader made.
        """
        id_ = {"_id": _chore()}
        if include_current:
            await self._chores.delete_one(id_)
        found = await self._chores.find_one(id_)
        if found is None:
            begun = datetime.now(UTC)
            chore = Chore(
                id=_chore(), position="", tally={}, include_current=include_current, begun=begun
            )
            await self._chores.insert_one(to_document(chore))
        else:
            chore = from_document(Chore, found)
        tally = Counter[str](chore.tally)
        return await self._contents.estimated_document_count(), tally.total(), tally

    async def run(
        self, stopping: asyncio.Event, step: Callable[[int], None], tally: Counter[str]
    ) -> bool:
        """Continue until all is done or `stopping`; return whether all is done."""
        known = await self._chores.find_one({"_id": _chore()})
        assert known is not None  # noqa: S101 - `begin` has written it
        chore = from_document(Chore, known)
        position = chore.position
        while not stopping.is_set():
            found = self._contents.find({"_id": {"$gt": position}}, fields_of(ContentVersion))
            batch = await records_of(ContentVersion, found.sort("_id").limit(_BATCH))
            if not batch:
                await self._chores.delete_one({"_id": _chore()})
                return True
            # What this run has made itself is not met again.
            met = [content for content in batch if content.read_at < chore.begun]
            old = [c for c in met if chore.include_current or c.reader_version != READER_VERSION]
            tally["unchanged"] += len(met) - len(old)
            for word in await asyncio.gather(*(self._one(content) for content in old)):
                tally[word] += 1
            position = batch[-1].id
            done = {"$set": {"position": position, "tally": dict(tally)}}
            await self._chores.update_one({"_id": _chore()}, done)
            step(len(batch))
        return False

    async def _one(self, found: ContentVersion) -> str:
        return await read_again(self._rereader, self._writer, found)


async def read_again(rereader: Rereader, writer: Writer, found: ContentVersion) -> str:
    """Read one content again; return what became of it. Raises DatabaseAway, BlobStoreAway."""
    reread = await rereader.reread(found.account, found.mail_id, found.id)
    if isinstance(reread, str):
        return reread
    request = Replace(
        mail_id=reread.mail.id, content=reread.content, projections=reread.projections
    )
    return (await writer.submit(request)).outcome


def _chore() -> str:
    return f"reprocess/{READER_VERSION}"
