"""Account versions: how every replica knows whether its cache is current.

`accounts`: `{_id: <account>, version, has_window, erasing}`. A change of an account's directory
raises the version before and after it is written, and is acknowledged only then. If the version is
the same before and after a look-up, no change was acknowledged in between, and the result may be
used until the version changes. A change that is not acknowledged yet may be visible or not.

Version reads go to the primary. Reads that are requested while one is in flight share the next
one: with many mails in flight, a decision costs a fraction of one small read. Whether the account
keeps what matched no profile (`rematch/keys.py`) is read with it.

The first version of an account is the time: an account that was erased, and is used again, never
has a version that a cache knows from before. `erasing` names the erasure that is running.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pymongo.asynchronous.client_session import AsyncClientSession

from services.matcher.metrics import VERSION_READS
from shared.storage.database import Database, Document


class Versions:
    """The versions of all accounts."""

    def __init__(self, database: Database) -> None:
        self._accounts = database["accounts"]
        self._wanted: dict[str, asyncio.Future[int]] = {}
        self._reading: asyncio.Task[None] | None = None
        self._with_window: set[str] = set()

    async def read(self, account: str) -> int:
        """Return the account's version, read after this call began. Raises PyMongoError."""
        future = self._wanted.get(account)
        if future is None:
            future = self._wanted[account] = asyncio.get_running_loop().create_future()
            # A waiter that was cancelled must not leave the others an error that no caller reads.
            future.add_done_callback(lambda done: done.cancelled() or done.exception())
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_wanted())
        return await asyncio.shield(future)

    def has_window(self, account: str) -> bool:
        """Return whether the account's rematch window was on when its version was read last."""
        return account in self._with_window

    async def note_window(self, account: str, *, is_on: bool) -> None:
        """Tell every replica, with the version that it reads next, whether the window is on."""
        change = {"$set": {"has_window": True}} if is_on else {"$unset": {"has_window": ""}}
        await self._accounts.update_one({"_id": account}, change)

    @asynccontextmanager
    async def change(self, account: str) -> AsyncIterator[None]:
        """Raise the version, let the change be written, raise it again."""
        await self._raise(account)
        yield
        await self._raise(account)

    async def _raise(self, account: str) -> None:
        await self._accounts.update_one({"_id": account}, [{"$set": _raised()}], upsert=True)

    async def begin_erasing(self, account: str, erasure: str, session: AsyncClientSession) -> None:
        """Raise the version, in the transaction that erases the account from the directory."""
        change = _raised() | {"erasing": {"$literal": erasure}}
        await self._accounts.update_one(
            {"_id": account}, [{"$set": change}], upsert=True, session=session
        )

    async def is_erasing(self, account: str) -> bool:
        """Return whether the account is being erased."""
        which = {"_id": account, "erasing": {"$exists": True}}
        return await self._accounts.find_one(which, {"_id": 1}) is not None

    async def _read_wanted(self) -> None:
        while self._wanted:
            wanted, self._wanted = self._wanted, {}
            VERSION_READS.inc()
            try:
                found = self._accounts.find({"_id": {"$in": list(wanted)}})
                accounts = {account["_id"]: account async for account in found}
            except Exception as error:  # every waiter gets it
                for future in wanted.values():
                    future.set_exception(error)
            else:
                self._with_window -= wanted.keys()
                self._with_window |= {id_ for id_, one in accounts.items() if "has_window" in one}
                for account, future in wanted.items():
                    future.set_result(accounts[account]["version"] if account in accounts else 0)


def _raised() -> Document:
    return {"version": {"$add": [{"$ifNull": ["$version", {"$toLong": "$$NOW"}]}, 1]}}
