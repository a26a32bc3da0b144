"""Removes the bytes of deleted mails from the blob store.

A deletion names them in its transaction (`write/forgetting.py`), so they go whatever dies after it:
at once by who asked for the deletion, else by the next look. No content names them any more, and
none ever will: bytes that come later to a mail that somebody has deleted have keys of their own.
"""

import structlog
from pymongo import ASCENDING

from services.timeline.query.parts import records_of
from services.timeline.write.records import Content
from services.timeline.write.side_records import DroppedBlob
from shared.runtime.periodic import Periodic
from shared.storage.blobs import Blobs, BlobStoreAway
from shared.storage.database import Database, DatabaseAway, Document, database_errors, of_id

_EVERY_SECONDS = 60.0
_AT_ONCE = 100
log = structlog.get_logger()


class DroppedBlobs(Periodic):
    """Removes them for ever. Any number of replicas may do so."""

    def __init__(self, database: Database, blobs: Blobs) -> None:
        super().__init__(_EVERY_SECONDS)
        self._dropped, self._blobs = database[DroppedBlob.collection], blobs
        self._contents = database[Content.collection]

    async def once(self) -> None:
        """Remove what there is to remove, unless a dependency is unavailable."""
        try:
            with database_errors():
                await self.remove()
        except (DatabaseAway, BlobStoreAway) as away:
            log.warning("deleted bytes not removed", why=f"{type(away).__name__}: {away}")

    async def remove(self, account: str | None = None) -> None:
        """Remove all, or those of an account. Raises BlobStoreAway."""
        which: Document = {} if account is None else {"account": account}
        while True:
            found = self._dropped.find(which).sort("_id", ASCENDING).limit(_AT_ONCE)
            dropped = await records_of(DroppedBlob, found)
            for one in dropped:
                await self._remove(one)
            if len(dropped) < _AT_ONCE:
                return

    async def _remove(self, one: DroppedBlob) -> None:
        named = {"account": one.account, "raw_key": one.id}
        # Only a timeline of an older version writes such a content, during an upgrade.
        if await self._contents.find_one(named, {"_id": 1}, hint="of_bytes") is None:
            await self._blobs.delete(one.id)
        await self._dropped.delete_one(of_id(one.account, one.id))
