"""Forgets the idempotency keys of an account's uploads, which are kept for a day."""

import asyncio
import json
from uuid import UUID

from shared.contracts.capture_address import account_tag
from shared.contracts.capture_id import is_of
from shared.storage.blob_keys import IDEMPOTENCY_PREFIX
from shared.storage.blobs import BlobMissing, Blobs

_AT_ONCE = 16


async def forget_uploads(blobs: Blobs, account: str) -> int:
    """Delete the records whose capture is the account's; return how many. Raises BlobStoreAway.

    Their names do not tell the account. A capture id does, with a chance of one in 16 million to be
    another account's; then a repeated upload of that day would be a capture of its own.
    """
    tag, places = account_tag(account), asyncio.Semaphore(_AT_ONCE)

    async def forget(key: str) -> bool:
        async with places:
            try:
                told = json.loads(await blobs.get(key))
                is_theirs = is_of(UUID(told["capture_id"]), tag)
            except (BlobMissing, ValueError, KeyError, TypeError):
                return False  # swept in this moment, or damaged
            if is_theirs:
                await blobs.delete(key)
            return is_theirs

    count = 0
    async for batch in blobs.listed(IDEMPOTENCY_PREFIX):
        count += sum(await asyncio.gather(*(forget(blob.key) for blob in batch)))
    return count
