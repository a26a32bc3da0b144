"""Blobs, from one store into another. They never change: what is there already is not copied."""

import asyncio
from collections.abc import Collection

from shared.storage.blobs import BlobMissing, Blobs

_AT_ONCE = 16


async def copy(source: Blobs, target: Blobs, prefix: str) -> int:
    """Copy what lies under the prefix; return how many are there now. Raises BlobStoreAway."""
    slots = asyncio.Semaphore(_AT_ONCE)

    async def one(key: str) -> bool:
        async with slots:
            if not await target.has(key):
                try:
                    data = await source.get(key)
                except BlobMissing:  # removed since it was listed: no longer needed
                    return False
                await target.put(key, data)
        return True

    count = 0
    async for batch in source.listed(prefix):
        count += sum(await asyncio.gather(*(one(blob.key) for blob in batch)))
    return count


async def copy_all(source: Blobs, target: Blobs, *, without: Collection[str] = ()) -> int:
    """Copy everything but what lies under these prefixes; return how many are there now."""
    prefixes = [prefix for prefix in await source.prefixes() if prefix not in without]
    return sum([await copy(source, target, prefix) for prefix in prefixes])
