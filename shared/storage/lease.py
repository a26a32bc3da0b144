"""A lease: of many replicas one does something, until it has not renewed the lease for a while.

`{_id, holder, until}`, in `leases` by what it is for, and in a collection of its own by account for
what is done account by account; or two fields of a job's own document. A lease saves work. Whatever
it guards has to be right even when two replicas hold it, because a clock or a pause may let it
expire meanwhile.
"""

import secrets
from datetime import UTC, datetime, timedelta

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from shared.storage.database import Database, Document, of_id


class Lease:
    """This replica's side of a lease."""

    def __init__(self, database: Database, name: str, duration: timedelta) -> None:
        self._leases, self._which, self._duration = database["leases"], {"_id": name}, duration
        self._holder = secrets.token_hex(8)
        self._is_held = False

    async def held(self, now: datetime | None = None) -> bool:
        """Take or renew the lease; return whether this replica has it."""
        found = self._leases, self._which, self._holder, self._duration
        self._is_held = await _held(*found, now or datetime.now(UTC))
        return self._is_held

    async def release(self) -> None:
        """Let another replica have the lease at once, if this one has it."""
        if self._is_held:
            self._is_held = False
            await self._leases.delete_one({**self._which, "holder": self._holder})


class AccountLeases:
    """This replica's side of a lease for each account."""

    def __init__(self, database: Database, collection: str, duration: timedelta) -> None:
        self._leases, self._duration = database[collection], duration
        self._holder = secrets.token_hex(8)

    async def held(self, account: str) -> bool:
        """Take or renew the account's lease; return whether this replica has it."""
        which, now = of_id(account, account), datetime.now(UTC)
        return await _held(self._leases, which, self._holder, self._duration, now)

    async def release(self, account: str) -> None:
        """Let another replica have the account's lease at once, if this one has it."""
        await self._leases.delete_one({**of_id(account, account), "holder": self._holder})


class JobLeases:
    """This replica's side of a lease for each job, in the job's own document: `holder` and `until`.

    So no lease is left when the job is deleted or has ended.
    """

    def __init__(self, jobs: AsyncCollection[Document], duration: timedelta) -> None:
        self._jobs, self._duration = jobs, duration
        self._holder = secrets.token_hex(8)

    async def held(self, job: Document) -> bool:
        """Take or renew the lease of the job that this query finds until it has ended; return
        whether this replica has it."""
        now = datetime.now(UTC)
        free = [{"until": None}, {"until": {"$lt": now}}, {"holder": self._holder}]
        change = {"$set": {"holder": self._holder, "until": now + self._duration}}
        done = await self._jobs.update_one({**job, "$or": free}, change)
        return done.matched_count > 0

    async def release(self, job: Document) -> None:
        """Let another replica have the lease at once, if this one has it."""
        gone = {"$unset": {"holder": "", "until": ""}}
        await self._jobs.update_one({**job, "holder": self._holder}, gone)


async def _held(
    leases: AsyncCollection[Document],
    which: Document,
    holder: str,
    duration: timedelta,
    now: datetime,
) -> bool:
    free: Document = {**which, "$or": [{"until": {"$lt": now}}, {"holder": holder}]}
    change = {"$set": {"holder": holder, "until": now + duration}}
    try:
        await leases.update_one(free, change, upsert=True)
    except DuplicateKeyError:  # another holds it
        return False
    return True
