"""Reads every stored mail again from its raw bytes, with today's reader.

    content -> its raw bytes -> read -> projected for each of its captures -> written in its place

* Decisions stay: who captured a mail, its matches and its direction do not change.
* Each content is one transaction, so it runs beside live mail.
* An interrupted run continues where it stopped; contents that this reader made are skipped.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from services.timeline.content.reader import READER_VERSION, read
from services.timeline.write.projection import Projection, event_of, project
from services.timeline.write.store import Store
from shared.blobs import BlobMissing, Blobs
from shared.database import Database, DatabaseAway, Document, database_errors, of_id

_AT_ONCE = 8
_BATCH = 64


class Reprocess:
    """One run over all contents."""

    def __init__(self, store: Store, database: Database, blobs: Blobs) -> None:
        self._store, self._blobs = store, blobs
        self._contents, self._mails = database["contents"], database["mails"]
        self._chores = database["chores"]
        self._at_once, self._one_at_a_time = asyncio.Semaphore(_AT_ONCE), asyncio.Lock()

    async def begin(self, *, anew: bool = False) -> tuple[int, int, Counter[str]]:
        """Return how many contents there are, how many are done, and their tally.

        `anew` forgets an earlier run and makes even those anew that this reader made.
        """
        id_ = {"_id": _chore()}
        if anew:
            await self._chores.delete_one(id_)
        chore = await self._chores.find_one(id_)
        if chore is None:
            chore = {**id_, "position": "", "tally": {}, "anew": anew, "begun": datetime.now(UTC)}
            await self._chores.insert_one(chore)
        tally = Counter[str](chore["tally"])
        return await self._contents.estimated_document_count(), tally.total(), tally

    async def run(
        self, stopping: asyncio.Event, step: Callable[[int], None], tally: Counter[str]
    ) -> bool:
        """Go on until all is done or `stopping`; return whether all is done."""
        chore = await self._chores.find_one({"_id": _chore()})
        assert chore is not None  # noqa: S101 - `begin` has written it
        position = chore["position"]
        while not stopping.is_set():
            after: Document = {"_id": {"$gt": position}}
            found = self._contents.find(after, {"text": 0, "html": 0}).sort("_id").limit(_BATCH)
            batch = await found.to_list()
            if not batch:
                await self._chores.delete_one({"_id": _chore()})
                return True
            # What this run has made itself is not met again.
            met = [content for content in batch if content["read_at"] < chore["begun"]]
            old = [c for c in met if chore["anew"] or c["reader_version"] != READER_VERSION]
            tally["unchanged"] += len(met) - len(old)
            for word in await asyncio.gather(*(self._one(content) for content in old)):
                tally[word] += 1
            position = batch[-1]["_id"]
            done = {"$set": {"position": position, "tally": dict(tally)}}
            await self._chores.update_one({"_id": _chore()}, done)
            step(len(batch))
        return False

    async def _one(self, content: Document) -> str:
        """Make one content anew; return what became of it."""
        async with self._at_once:
            which = of_id(content["account"], content["mail_id"])
            mail = await self._mails.find_one(which)
            key = content["_id"].partition("/")[2]
            captures = [c for c in mail["captures"] if c["content"] == key] if mail else []
            if mail is None or not captures:
                return "without_capture"
            try:
                raw = await self._blobs.get(content["raw_key"])
            except BlobMissing:
                return "raw_missing"
            forward = captures[0]["forwarded"] is not None
            read_mail = await asyncio.to_thread(read, raw, forward=forward)
            made = [
                _in_place(project(event_of(mail["account"], c), read_mail, raw), content)
                for c in captures
            ]
            return await self._replace(mail["_id"], content, made)

    async def _replace(self, mail_id: str, content: Document, made: Sequence[Projection]) -> str:
        """Write the projections in the place of their content.

        Contents of one conversation are in each other's way, up to the deadline of a transaction:
        then they are tried again, one at a time. Raises DatabaseAway.
        """
        try:
            with database_errors():
                return await self._store.replace(mail_id, content, made)
        except DatabaseAway:
            async with self._one_at_a_time:
                with database_errors():
                    return await self._store.replace(mail_id, content, made)


def _in_place(projection: Projection, content: Document) -> Projection:
    """Return the projection with the bytes that are kept already."""
    kept: dict[str, Any] = {field: content[field] for field in ("raw_key", "raw_of", "size")}
    projection.content.update(kept)
    return projection


def _chore() -> str:
    return f"reprocess/{READER_VERSION}"
