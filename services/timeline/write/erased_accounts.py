"""Accounts that were erased: what comes late of one is not written.

`erased_accounts`: `{_id: <hash of the account>, account: <the same hash>, tag, erased_at, running,
at}`, for good. `running` is there while the account is being erased: then nothing is written of it.
Afterwards an account with the same id starts empty. Mail that was received, and directory events
that were read, before `erased_at` are dropped: redeliveries, replayed dead letters, a backlog.

* `tag` is the account's, by which capture addresses name it.
* Each process has the list in memory, a second old at most. A write that an older list lets through
  is deleted by the second pass (`admin/account_erasing.py`). Nothing is dropped before the list
  has been read once more.
* An account that is not on the list costs no query.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pymongo import ASCENDING, IndexModel
from pymongo.asynchronous.client_session import AsyncClientSession

from services.timeline.write.identity import hashed_id
from shared.contracts.capture_address import account_tag
from shared.storage.database import Database, Document, Index, of_id

COLLECTION = "erased_accounts"
INDEXES = (
    # ErasedAccounts._refreshed
    Index(COLLECTION, IndexModel([("at", ASCENDING)], name="changed")),
)
_FRESH_SECONDS = 1.0
_OVERLAP = timedelta(minutes=10)
"""More than the clocks of two replicas differ."""


@dataclass(frozen=True, slots=True)
class ErasedAccount:
    """An account that is being erased, or was."""

    tag: str
    erased_at: datetime
    is_running: bool

    def drops(self, moment: datetime | None) -> bool:
        """Return whether what is of this moment is dropped; None: of before accounts were erased.

        Pure.
        """
        return self.is_running or moment is None or moment <= self.erased_at


class ErasedAccounts:
    """The erased accounts, as a process knows them."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._documents, self._clock = database[COLLECTION], clock
        self._known: dict[str, ErasedAccount] = {}
        self._read_at: float | None = None
        self._since = datetime.fromtimestamp(0, UTC)
        self._reading = asyncio.Lock()

    async def drops(self, account: str, moment: datetime | None) -> bool:
        """Return whether what is of this account and moment is dropped. Raises PyMongoError."""
        found = await self._one(hash_of(account))
        return found is not None and found.drops(moment)

    async def drops_tagged(self, tag: str, moment: datetime | None) -> bool:
        """Return the same for an account of which only the tag is known.

        What tells no moment is not dropped once the account is erased.
        """
        await self._refresh()
        ids = [id_ for id_, one in self._known.items() if one.tag == tag]
        found = [one for id_ in ids if (one := await self._one(id_)) is not None]
        return any(one.is_running or (moment is not None and one.drops(moment)) for one in found)

    async def is_running(self, account: str) -> bool:
        """Return whether the account is being erased."""
        found = await self._one(hash_of(account))
        return found is not None and found.is_running

    async def tags(self) -> frozenset[str]:
        """Return the tags of all erased accounts."""
        await self._refresh()
        return frozenset(one.tag for one in self._known.values())

    async def begin(
        self, account: str, erased_at: datetime, session: AsyncClientSession | None = None
    ) -> bool:
        """Write nothing of the account from now on; return False if this erasure, or a later one,
        has begun before."""
        which = _which(hash_of(account))
        found = await self._documents.find_one(which, session=session)
        if found is not None and found["erased_at"] >= erased_at:
            return False
        change = {"tag": account_tag(account), "erased_at": erased_at, "running": True}
        change["at"] = datetime.now(UTC)
        await self._documents.update_one(which, {"$set": change}, upsert=True, session=session)
        return True

    async def end(self, account: str, erased_at: datetime) -> None:
        """Let the account be used again after this erasure. Idempotent."""
        which = {**_which(hash_of(account)), "erased_at": erased_at}
        change = {"$unset": {"running": ""}, "$set": {"at": datetime.now(UTC)}}
        await self._documents.update_one(which, change)

    async def _one(self, id_: str) -> ErasedAccount | None:
        """Return an account of the list as it is now; without a query where it is not listed."""
        await self._refresh()
        if id_ not in self._known:
            return None
        found = await self._documents.find_one(_which(id_))
        return _account(found) if found else None

    async def _refresh(self) -> None:
        if self._is_fresh():
            return
        async with self._reading:
            if self._is_fresh():
                return
            began = self._clock()
            found = self._documents.find({"at": {"$gt": self._since - _OVERLAP}}).hint("changed")
            for document in await found.to_list():
                self._known[document["_id"]] = _account(document)
                self._since = max(self._since, document["at"])
            self._read_at = began

    def _is_fresh(self) -> bool:
        return self._read_at is not None and self._clock() - self._read_at < _FRESH_SECONDS


def hash_of(account: str) -> str:
    """Return what an erased account is known by. It is not keyed: a guess can be confirmed."""
    return hashed_id("erased account", account)


def _which(id_: str) -> Document:
    return of_id(id_, id_)


def _account(found: Document) -> ErasedAccount:
    return ErasedAccount(found["tag"], found["erased_at"], found.get("running", False))
