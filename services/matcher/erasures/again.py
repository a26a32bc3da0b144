"""Erases again, after a restore, who was erased after the backup was made.

    erasures/<account>/<erasure id>   `{person_ids, asked_by}`, in the blob store, for good

The receipt of an erasure is signed once this is stored. A restored directory has the people again,
and with them what it takes to find their mail, so ids are all that has to be remembered.
"""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from services.matcher.erasures.records import Erasure, Erasures
from shared.storage.blob_keys import ERASURE_PREFIX
from shared.storage.blobs import BlobMissing, Blobs


@dataclass(frozen=True, slots=True)
class Remembered:
    """Who was erased, by which erasure."""

    account: str
    erasure_id: str
    person_ids: Sequence[str]
    asked_by: str


async def remember(blobs: Blobs, account: str, erasure: Erasure) -> None:
    """Store who was erased. Idempotent. Raises BlobStoreAway."""
    told = {"person_ids": list(erasure.person_ids), "asked_by": erasure.asked_by}
    key = f"{ERASURE_PREFIX}{account}/{erasure.id}"
    await blobs.put(key, json.dumps(told).encode())


async def remembered(blobs: Blobs) -> AsyncIterator[Remembered]:
    """Yield who was erased. Raises BlobStoreAway."""
    async for batch in blobs.listed(ERASURE_PREFIX):
        for blob in batch:
            account, _, id_ = blob.key.removeprefix(ERASURE_PREFIX).partition("/")
            try:
                told = json.loads(await blobs.get(blob.key))
            except BlobMissing:
                continue
            yield Remembered(account, id_, told["person_ids"], told["asked_by"])


async def erase_again(blobs: Blobs, erasures: Erasures) -> dict[str, int]:
    """Order what the database knows nothing of; return what became of the people, by what it is:
    `erased`, `unknown` in the directory, or `is_a_user`. Raises BlobStoreAway."""
    tally: dict[str, int] = {}
    async for one in remembered(blobs):
        if await erasures.one(one.account, one.erasure_id) is not None:
            continue
        for person_id in one.person_ids:
            done = await erasures.ask(one.account, one.asked_by, person_id)
            word = done if isinstance(done, str) else "erased"
            tally[word] = tally.get(word, 0) + 1
    return tally
