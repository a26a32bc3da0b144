"""Lets one of many replicas do something, until it has not renewed its lease for a while.

`leases`: `{_id: <what for>, holder, until}`.
"""

import secrets
from datetime import datetime, timedelta

from pymongo.errors import DuplicateKeyError

from shared.storage.database import Database

_LASTS = timedelta(minutes=15)


class Lease:
    """One replica's part in a lease."""

    def __init__(self, database: Database, name: str, lasts: timedelta = _LASTS) -> None:
        self._leases, self._name, self._lasts = database["leases"], name, lasts
        self._holder = secrets.token_hex(8)

    async def held(self, now: datetime) -> bool:
        """Take or renew the lease; return whether this replica has it."""
        free = {"_id": self._name, "$or": [{"until": {"$lt": now}}, {"holder": self._holder}]}
        change = {"$set": {"holder": self._holder, "until": now + self._lasts}}
        try:
            await self._leases.update_one(free, change, upsert=True)
        except DuplicateKeyError:  # another holds it
            return False
        return True

    async def leave(self) -> None:
        """Give the lease back, if this replica has it."""
        await self._leases.delete_one({"_id": self._name, "holder": self._holder})
