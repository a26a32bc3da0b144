"""Where the raw bytes of attached mails are: small ones in the database, others in the blob store.

Once all of them were in the blob store. Those stay there.
"""

import asyncio
from collections.abc import Collection
from itertools import compress

from services.timeline.write.records import RawMail
from services.timeline.write.stored import from_document
from shared.storage.blobs import Blobs
from shared.storage.database import BY_ID, Database, of_id

_LOOKS = 32
"""At the blob store at a time."""


class RawBytes:
    """The raw bytes of attached mails, by the key that their content names."""

    def __init__(self, database: Database, blobs: Blobs) -> None:
        self._small, self._blobs = database[RawMail.collection], blobs
        self._looks = asyncio.Semaphore(_LOOKS)

    async def get(self, account: str, key: str) -> bytes:
        """Return the bytes. Raises BlobMissing, BlobStoreAway."""
        found = await self._small.find_one(of_id(account, key))
        if found is not None:
            return from_document(RawMail, found).raw
        return await self._blobs.get(key)

    async def beginning(self, account: str, key: str, length: int) -> bytes:
        """Return the first bytes, at most so many. Raises BlobMissing, BlobStoreAway."""
        found = await self._small.find_one(of_id(account, key))
        if found is not None:
            return from_document(RawMail, found).raw[:length]
        return await self._blobs.get_start(key, length)

    async def has(self, keys: Collection[str]) -> set[str]:
        """Return those of the keys, of any account, that have bytes. Raises BlobStoreAway."""
        of_keys = {"_id": {"$in": list(keys)}}
        found = await self._small.find(of_keys, {"_id": 1}).hint(BY_ID).to_list()
        there = {document["_id"] for document in found}
        elsewhere = [key for key in keys if key not in there]
        has = await asyncio.gather(*(self._has(key) for key in elsewhere))
        return there.union(compress(elsewhere, has))

    async def _has(self, key: str) -> bool:
        async with self._looks:
            return await self._blobs.has(key)
