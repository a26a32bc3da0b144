"""Finds the sealed captures that name an address, by what only the day's key and the secret give.

The outbox asks for each profile that is new or was changed, some hundred at a time; who erases a
person asks for their addresses. An account without a window costs one small query.
"""

import asyncio
from collections.abc import AsyncIterator, Collection
from datetime import UTC, datetime

from pymongo import UpdateOne

from services.matcher.rematch.keys import RematchKeys
from services.matcher.rematch.sealing import DayKey, Seals
from shared.contracts.capture_address import KeyRing
from shared.storage.database import Database, Document, of_id

COLLECTION = "rematch_sealed"
FIELDS = {"account": 1, "received_at": 1, "found_by": 1, "blob": 1}
_AT_ONCE = 1000
"""Hashes in one query."""


class Seeking:
    """Looks through the sealed captures of all accounts."""

    def __init__(self, database: Database, keys: RematchKeys, ring: KeyRing) -> None:
        self._sealed, self._keys, self._seals = database[COLLECTION], keys, Seals(ring)

    async def seek(self, account: str, addresses: Collection[str]) -> int:
        """Mark the captures that these addresses open; return how many there are."""
        count = 0
        async for some in self.naming(account, addresses):
            wanted = [
                UpdateOne(
                    of_id(account, one["_id"]), {"$set": {"wanted": address}, "$inc": {"asked": 1}}
                )
                for one, address in some
            ]
            await self._sealed.bulk_write(wanted)
            count += len(wanted)
        return count

    async def naming(
        self, account: str, addresses: Collection[str]
    ) -> AsyncIterator[list[tuple[Document, str]]]:
        """Yield the captures that name one of these addresses, each with the address.

        Some at a time, the oldest of them first.
        """
        now = datetime.now(UTC)
        keys = await self._keys.live(account, now)
        if not keys:
            return
        hashes = await asyncio.to_thread(self._hashes, keys, addresses)
        asked = list(hashes)
        for start in range(0, len(asked), _AT_ONCE):
            some = asked[start : start + _AT_ONCE]
            which = {"account": account, "found_by": {"$in": some}, "until": {"$gt": now}}
            found = await self._sealed.find(which, FIELDS).hint("by_address").to_list()
            found.sort(key=lambda one: one["received_at"])
            named = [(one, next(filter(None, map(hashes.get, one["found_by"])))) for one in found]
            if named:
                yield named

    def _hashes(self, keys: list[DayKey], addresses: Collection[str]) -> dict[bytes, str]:
        return {
            found_by: address
            for key in keys
            for found_by, address in self._seals.found_by(key, addresses).items()
        }
