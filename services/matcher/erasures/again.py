"""Erases again, after a restore, what was erased after the backup was made.

    erasures/<account>/<erasure id>   `{person_ids, asked_by}`, in the blob store, for good; of an
                                      account `{kind: "account", asked_by}`, then alone

The receipt of an erasure is signed once this is stored. A restored directory has the people again,
and with them what it takes to find their mail, so ids are all that has to be remembered.
"""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from services.matcher.erasures.accounts import AccountErasures
from services.matcher.erasures.records import Erasure, Erasures
from shared.storage.blob_keys import ERASURE_PREFIX
from shared.storage.blobs import BlobMissing, Blobs

_ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Remembered:
    """Who was erased, by which erasure."""

    account: str
    erasure_id: str
    person_ids: Sequence[str]
    """Empty: the whole account."""
    asked_by: str


async def remember(blobs: Blobs, account: str, erasure: Erasure) -> None:
    """Store who was erased. Idempotent. Raises BlobStoreAway."""
    told = {"person_ids": list(erasure.person_ids), "asked_by": erasure.asked_by}
    key = f"{ERASURE_PREFIX}{account}/{erasure.id}"
    await blobs.put(key, json.dumps(told).encode())


async def remember_account(blobs: Blobs, account: str, erasure_id: str, asked_by: str) -> None:
    """Store that an account was erased. Idempotent. Raises BlobStoreAway."""
    told = {"kind": _ACCOUNT, "asked_by": asked_by}
    await blobs.put(f"{ERASURE_PREFIX}{account}/{erasure_id}", json.dumps(told).encode())


async def remembered(blobs: Blobs) -> AsyncIterator[Remembered]:
    """Yield who was erased. Raises BlobStoreAway."""
    async for batch in blobs.listed(ERASURE_PREFIX):
        for blob in batch:
            account, _, id_ = blob.key.removeprefix(ERASURE_PREFIX).partition("/")
            try:
                told = json.loads(await blobs.get(blob.key))
            except BlobMissing:
                continue
            people = () if told.get("kind") == _ACCOUNT else told["person_ids"]
            yield Remembered(account, id_, people, told["asked_by"])


async def erase_again(
    blobs: Blobs, erasures: Erasures, accounts: AccountErasures
) -> dict[str, int]:
    """Order what the database knows nothing of; return what became of the people, by what it is:
    `erased`, `unknown` in the directory, or `is_a_user`; and how many accounts (`accounts erased`).

    An account is erased with all that it has, so its people are not looked for.

    Raises BlobStoreAway."""
    tally: dict[str, int] = {}
    whole: set[str] = set()
    people: list[Remembered] = []
    async for one in remembered(blobs):
        if one.person_ids:
            people.append(one)
        elif await accounts.one(one.account, one.erasure_id) is None:
            await accounts.ask(one.account, one.asked_by)
            whole.add(one.account)
    if whole:
        tally["accounts erased"] = len(whole)
    for one in people:
        if one.account in whole or await erasures.one(one.account, one.erasure_id) is not None:
            continue
        for person_id in one.person_ids:
            done = await erasures.ask(one.account, one.asked_by, person_id)
            word = done if isinstance(done, str) else "erased"
            tally[word] = tally.get(word, 0) + 1
    return tally
