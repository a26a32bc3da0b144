"""Erasures of accounts: what was asked for, how far it is, and the receipt.

    account_erasures   `{_id: "<account>/<erasure id>", account, asked_by, asked_at, erased_at,
                       settled_at, state, erased, timeline, is_deleted, told_at, holder, until,
                       done_at, receipt}`, for good
    accounts           `erasing` of an account that is being erased (`directory/versions.py`)

* First, in one transaction, the capture addresses go (`directory/erased_addresses.py`), the
  account's version is raised, and the erasure is recorded. From then on no mail is decided for the
  account, the outbox tells nothing of it, and the APIs write nothing to it.
* `erased_at` is a while later, for clocks that differ: what was received, or told, until then is
  dropped wherever it comes late. `settled_at` is later than what began before can last.
* An account that was erased can be used again, and starts empty. Once it is done, only the record
  is left: ids, times, counts and the receipt.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeVar

import pymongo
from pymongo import ASCENDING, DESCENDING, AsyncMongoClient, IndexModel
from pymongo.asynchronous.client_session import AsyncClientSession

from services.matcher.directory.erased_addresses import ErasedAddresses
from services.matcher.directory.versions import Versions
from services.matcher.erasures.receipts import Signer
from shared.contracts.events import AccountErased, ErasedOfAccount
from shared.contracts.uuid7 import uuid7
from shared.storage.database import Database, Document, Index, of_id
from shared.storage.moments import as_stored

COLLECTION = "account_erasures"
RUNNING, DONE = "running", "done"
INDEXES = (
    # AccountErasures.running
    Index(
        COLLECTION,
        IndexModel(
            [("account", ASCENDING), ("asked_at", ASCENDING)],
            name="running",
            partialFilterExpression={"state": RUNNING},
        ),
    ),
)
_SECONDS = 30
_WORKING = (
    "is_deleted",
    "told_at",
    "timeline",
    "steps",
    "erased_at",
    "settled_at",
    "holder",
    "until",
)
"""What only an erasure that runs needs."""
State = Literal["running", "done"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AccountErasure:
    """What was asked for."""

    id: str
    account: str
    asked_by: str
    asked_at: datetime
    state: State
    erased: ErasedOfAccount
    done_at: datetime | None = None
    receipt: str | None = None


class AccountErasures:
    """The erasures of all accounts."""

    def __init__(
        self,
        client: AsyncMongoClient[Document],
        database: Database,
        addresses: ErasedAddresses,
        versions: Versions,
        settle: timedelta,
    ) -> None:
        """`settle`: longer than any request, batch or lease lasts that began before."""
        self._client, self._addresses, self._versions = client, addresses, versions
        self.documents, self._accounts = database[COLLECTION], database["accounts"]
        self._keys, self._settle = database["erasure_keys"], settle

    async def ask(self, account: str, who: str) -> AccountErasure:
        """Erase an account; return the erasure, the one that runs if there is one."""

        async def asked(session: AsyncClientSession) -> AccountErasure:
            which = {"account": account, "state": RUNNING}
            found = await self.documents.find_one(which, session=session)
            if found is not None:
                return _erasure(found)
            now = as_stored(datetime.now(UTC))
            new: Document = {
                "_id": _key(account, uuid7().hex),
                "account": account,
                "asked_by": who,
                "asked_at": now,
                "erased_at": as_stored(now + self._settle / 2),
                "settled_at": as_stored(now + self._settle),
                "state": RUNNING,
                "erased": ErasedOfAccount().model_dump(),
            }
            await self._versions.begin_erasing(account, new["_id"], session)
            await self.documents.insert_one(new, session=session)
            await self._addresses.retire(account, session)
            return _erasure(new)

        return await self._in_transaction(asked)

    async def is_running(self, account: str) -> bool:
        """Return whether the account is being erased."""
        return await self._versions.is_erasing(account)

    async def running(self) -> list[Document]:
        """Return those that are not done."""
        return await self.documents.find({"state": RUNNING}).limit(100).to_list()

    async def one(self, account: str, id_: str) -> AccountErasure | None:
        """Return an erasure of this account."""
        found = await self.documents.find_one(of_id(account, _key(account, id_)))
        return _erasure(found) if found else None

    async def list(self, account: str, limit: int, before: str | None) -> list[AccountErasure]:
        """Return erasures, the latest first; before one id."""
        # A slash follows the account in every key, and a zero follows the slash.
        start, end = f"{account}/", _key(account, before) if before else f"{account}0"
        query = {"account": account, "_id": {"$gt": start, "$lt": end}}
        found = self.documents.find(query).sort("_id", DESCENDING).limit(limit)
        return [_erasure(one) async for one in found]

    async def retire_addresses(self, account: str) -> None:
        """Delete capture addresses that a request has minted meanwhile."""
        await self._in_transaction(lambda session: self._addresses.retire(account, session))

    async def note(self, job: Document, fields: Document) -> None:
        """Note how far an erasure is, unless it is done."""
        await self.documents.update_one(running_job(job), {"$set": fields})

    async def counted(self, account: str, id_: str, erased: ErasedOfAccount) -> None:
        """Note what the timeline has erased. Idempotent."""
        which = {**of_id(account, _key(account, id_)), "state": RUNNING}
        await self.documents.update_one(which, {"$set": {"timeline": erased.model_dump()}})

    async def finish(self, job: Document, signer: Signer) -> None:
        """Sign the receipt, and let the account be used again. Idempotent."""

        async def finished(session: AsyncClientSession) -> None:
            found = await self.documents.find_one(running_job(job), session=session)
            if found is None:
                return
            told = ErasedOfAccount.model_validate(found["timeline"])
            erased = told.model_copy(update={"people": found["erased"]["people"]}).model_dump()
            now = as_stored(datetime.now(UTC))
            done = {"state": DONE, "erased": erased, "done_at": now}
            done["receipt"] = signer.sign(_claims(found | done))
            change = {"$set": done, "$unset": dict.fromkeys(_WORKING, "")}
            await self.documents.update_one(running_job(job), change, session=session)
            key = {"$set": {"key": signer.public}}
            await self._keys.update_one({"_id": signer.key_id}, key, upsert=True, session=session)
            await self._accounts.delete_one({"_id": job["account"]}, session=session)

        await self._in_transaction(finished)

    async def _in_transaction(self, write: Callable[[AsyncClientSession], Awaitable[T]]) -> T:
        async with self._client.start_session() as session:
            with pymongo.timeout(_SECONDS):  # conflicts and all
                return await session.with_transaction(write)


def running_job(job: Document) -> Document:
    """Return the query for an erasure until it is done."""
    return {**of_id(job["account"], job["_id"]), "state": RUNNING}


def id_of(job: Document) -> str:
    """Return the id of an erasure."""
    return str(job["_id"]).rpartition("/")[2]


def order_of(job: Document) -> AccountErased:
    """Return what the timeline is told."""
    return AccountErased(
        account=job["account"],
        erasure_id=id_of(job),
        erased_at=job["erased_at"],
        settled_at=job["settled_at"],
    )


def _key(account: str, id_: str) -> str:
    return f"{account}/{id_}"


def _claims(found: Document) -> dict[str, object]:
    """Return what a receipt says."""
    return {
        "erasure": id_of(found),
        "account": found["account"],
        "kind": "account",
        "asked_by": found["asked_by"],
        "asked_at": found["asked_at"].isoformat(),
        "done_at": found["done_at"].isoformat(),
        "erased": found["erased"],
    }


def _erasure(found: Document) -> AccountErasure:
    return AccountErasure(
        id_of(found),
        found["account"],
        found["asked_by"],
        found["asked_at"],
        found["state"],
        ErasedOfAccount.model_validate(found["erased"]),
        found.get("done_at"),
        found.get("receipt"),
    )
