"""Stamps the mails of profiles that were merged or parted: they are shown on another profile now.

A back-end that keeps a copy (`GET /v1/mails`) then gets them again. Nothing else is written, and no
page waits for it: what is shown follows the merge at once (`query/merges.py`).

A replica takes the lease of a person and goes through the lists of their mails, and of those that
are merged into them. A replica that takes over starts again: stamping a mail twice does no harm.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import structlog

from services.timeline.query.merges import Merges
from services.timeline.write.listed_records import ProfileRow
from services.timeline.write.requests import Stamp
from services.timeline.write.told_merges import ToldMerges, Unstamped
from services.timeline.write.writer import Writer
from shared.runtime.periodic import Periodic
from shared.storage.blobs import BlobStoreAway
from shared.storage.database import Database, DatabaseAway, Document, database_errors

_EVERY_SECONDS = 2.0
_BATCH = 32
"""Half of what the writer commits together: the other half is for live mail."""
_LEASE = timedelta(seconds=30)
log = structlog.get_logger()


class MergedMails(Periodic):
    """Stamps them. Any number of replicas may run it."""

    def __init__(
        self,
        database: Database,
        writer: Writer,
        *,
        every_seconds: float = _EVERY_SECONDS,
        lease: timedelta = _LEASE,
        batch: int = _BATCH,
    ) -> None:
        super().__init__(every_seconds)
        self._told, self._merges = ToldMerges(database, lease), Merges(database)
        self._rows, self._writer, self._batch = database[ProfileRow.collection], writer, batch

    async def once(self) -> None:
        """Stamp what there is to stamp, unless a dependency is unavailable."""
        try:
            with database_errors():
                for one in await self._told.unstamped():
                    if await self._told.holds(one) and await self._stamp(one):
                        await self._told.stamped(one)
        except (DatabaseAway, BlobStoreAway) as away:
            log.warning("merged mails wait", why=f"{type(away).__name__}: {away}")

    async def _stamp(self, one: Unstamped) -> bool:
        """Stamp a person's mails; return False where the lease is another's now."""
        count = 0
        async for ids in self._mails(one):
            if not await self._told.holds(one):
                return False
            requests = (Stamp(account=one.account, mail_id=id_) for id_ in ids)
            await asyncio.gather(*map(self._writer.submit, requests))
            count += len(ids)
        log.info("merged mails stamped", account=one.account, mails=count)
        return True

    async def _mails(self, one: Unstamped) -> AsyncIterator[list[str]]:
        """Yield the mails of a person and of who is merged into them, each once, in batches."""
        people = await self._merges.below(one.account, [one.person_id])
        seen: set[str] = set()
        batch: list[str] = []
        for audience in await self._rows.distinct("viewer", {"account": one.account}):
            which: Document = {"account": one.account, "viewer": audience}
            which["person_id"] = {"$in": people}
            rows = self._rows.find(which, {"mail_id": 1}).hint("timeline").batch_size(1000)
            async for row in rows:
                if row["mail_id"] in seen:
                    continue
                seen.add(row["mail_id"])
                batch.append(row["mail_id"])
                if len(batch) == self._batch:
                    yield batch
                    batch = []
        if batch:
            yield batch
