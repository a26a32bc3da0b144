"""A lease: of many replicas one does something, until it has not renewed the lease for a while.

`leases`: `{_id: <what for>, holder, until}`. A lease saves work. Whatever it guards has to be right
even when two replicas hold it, because a clock or a pause may let it expire meanwhile.
"""

import secrets
from datetime import UTC, datetime, timedelta

from pymongo.errors import DuplicateKeyError

from shared.storage.database import Database, Document


class Lease:
    """This replica's side of a lease."""

    def __init__(self, database: Database, name: str, duration: timedelta) -> None:
        self._leases, self._name, self._duration = database["leases"], name, duration
        self._holder = secrets.token_hex(8)
        self._is_held = False

    async def held(self, now: datetime | None = None) -> bool:
        """Take or renew the lease; return whether this replica has it."""
        now = now or datetime.now(UTC)
        free: Document = {
            "_id": self._name,
            "$or": [{"until": {"$lt": now}}, {"holder": self._holder}],
        }
        change = {"$set": {"holder": self._holder, "until": now + self._duration}}
        try:
            await self._leases.update_one(free, change, upsert=True)
        except DuplicateKeyError:  # another holds it
            self._is_held = False
        else:
            self._is_held = True
        return self._is_held

    async def release(self) -> None:
        """Let another replica have the lease at once, if this one has it."""
        if self._is_held:
            self._is_held = False
            await self._leases.delete_one({"_id": self._name, "holder": self._holder})
