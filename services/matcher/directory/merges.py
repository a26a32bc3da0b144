"""Merges: a profile's mail is shown on another, until that is undone.

    people   `merged_into`, `merge_id` of who is merged; `has_merged` of who survives
    merges   `{_id: "<account>/<merge id>", account, person_id, into, by, at, undone_by, undone_at}`

* The merges of an account that stand are a forest of edges. A person has one at most, and none
  leads back, so the profile that survives is found by following them. Nothing else is written: each
  edge is taken away alone, in whatever order, and what it did is undone exactly.
* A match names the person whose address it is, merged or not. The timeline, which the outbox tells
  of an edge with its person, shows it on the profile that survives.
* Merges of one account meet in its document (`accounts.merges`), so that no two of them close a
  circle.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, TypeVar

import pymongo
from pymongo import DESCENDING, AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession

from services.matcher.directory.groups import Groups
from services.matcher.directory.people import person_key
from services.matcher.directory.versions import Versions
from shared.contracts.events import Kind
from shared.contracts.uuid7 import uuid7
from shared.storage.database import Database, Document, of_id
from shared.storage.moments import as_stored

MAX_GROUP = 100
"""Profiles that are shown as one. The timeline reads a range of an index for each."""
_SECONDS = 10
Refusal = Literal[
    "unknown", "into_unknown", "not_a_profile", "merged_already", "circle", "too_many"
]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Merge:
    """A profile that was merged into another."""

    id: str
    person_id: str
    into: str
    by: str
    at: datetime
    undone_by: str | None = None
    undone_at: datetime | None = None


class Merges:
    """The merges of all accounts."""

    def __init__(
        self, client: AsyncMongoClient[Document], database: Database, versions: Versions
    ) -> None:
        self._client, self._versions, self._groups = client, versions, Groups(database)
        self._people, self._merges = database["people"], database["merges"]
        self._accounts = database["accounts"]

    async def merge(
        self, account: str, who: str, person_id: str, into: str
    ) -> tuple[Merge, bool] | Refusal:
        """Merge a profile into another; return the merge, and whether it is new. Idempotent."""

        async def merged(session: AsyncClientSession) -> tuple[Merge, bool] | Refusal:
            person = await self._person(account, person_id, session)
            if person is not None and "merged_into" in person:
                if person["merged_into"] != into:
                    return "merged_already"
                return await self._known(account, person["merge_id"], session), False
            survivor = await self._person(account, into, session)
            refusal = await self._refusal(account, person, survivor, session)
            if refusal is not None:
                return refusal
            new = Merge(uuid7().hex, person_id, into, who, as_stored(datetime.now(UTC)))
            await self._accounts.update_one(
                {"_id": account}, {"$inc": {"merges": 1}}, upsert=True, session=session
            )
            edge = {"merged_into": into, "merge_id": new.id, "unannounced": True}
            change = {"$set": edge, "$inc": {"version": 1}}
            await self._people.update_one(_one(account, person_id), change, session=session)
            flag = {"$set": {"has_merged": True}}
            await self._people.update_one(_one(account, into), flag, session=session)
            await self._merges.insert_one(_document(account, new), session=session)
            return new, True

        return await self._in_transaction(account, merged)

    async def undo(self, account: str, who: str, merge_id: str) -> Merge | None:
        """Undo a merge; return it, or None if there is none. Idempotent."""

        async def undone(session: AsyncClientSession) -> Merge | None:
            id_ = of_id(account, f"{account}/{merge_id}")
            found = await self._merges.find_one(id_, session=session)
            if found is None or "undone_at" in found:
                return _merge(found) if found else None
            end = {"undone_by": who, "undone_at": as_stored(datetime.now(UTC))}
            await self._merges.update_one(id_, {"$set": end}, session=session)
            # What a deleted person kept for the sake of the merge goes with it.
            if_deleted = {"$gt": ["$deleted", None]}
            changed = {
                "merged_into": "$$REMOVE",
                "unannounced": True,
                "version": {"$add": ["$version", 1]},
                "keys": {"$cond": [if_deleted, [], "$keys"]},
                "kind": {"$cond": [if_deleted, "$$REMOVE", "$kind"]},
            }
            of_merge = {**_one(account, found["person_id"]), "merge_id": merge_id}
            await self._people.update_one(of_merge, [{"$set": changed}], session=session)
            return _merge(found | end)

        return await self._in_transaction(account, undone)

    async def one(self, account: str, merge_id: str) -> Merge | None:
        """Return a merge, undone or not."""
        found = await self._merges.find_one(of_id(account, f"{account}/{merge_id}"))
        return _merge(found) if found else None

    async def list(self, account: str, limit: int, before: str | None) -> list[Merge]:
        """Return merges, undone or not, the latest first; before one id."""
        # A slash follows the account in every key, and a zero follows the slash.
        start, end = f"{account}/", f"{account}/{before}" if before else f"{account}0"
        query = {"account": account, "_id": {"$gt": start, "$lt": end}}
        found = self._merges.find(query).sort("_id", DESCENDING).limit(limit)
        return [_merge(one) async for one in found]

    async def _person(
        self, account: str, person_id: str, session: AsyncClientSession
    ) -> Document | None:
        return await self._people.find_one(_one(account, person_id), session=session)

    async def _known(self, account: str, merge_id: str, session: AsyncClientSession) -> Merge:
        id_ = of_id(account, f"{account}/{merge_id}")
        found = await self._merges.find_one(id_, session=session)
        if found is None:
            raise LookupError("a merge that stands is not recorded")
        return _merge(found)

    async def _refusal(
        self,
        account: str,
        person: Document | None,
        survivor: Document | None,
        session: AsyncClientSession,
    ) -> Refusal | None:
        """Return why a person cannot be merged into another."""
        if person is None or "deleted" in person:
            return "unknown"
        if survivor is None or "deleted" in survivor:
            return "into_unknown"
        if not all(Kind(one["kind"]).is_profile for one in (person, survivor)):
            return "not_a_profile"
        own = await self._groups.one(account, person, session)
        other = await self._groups.one(account, survivor, session)
        if own.survivor == other.survivor:
            return "circle"
        return "too_many" if len(own.members | other.members) > MAX_GROUP else None

    async def _in_transaction(
        self, account: str, write: Callable[[AsyncClientSession], Awaitable[T]]
    ) -> T:
        async with self._versions.change(account), self._client.start_session() as session:
            with pymongo.timeout(_SECONDS):  # conflicts and all
                return await session.with_transaction(write)


def _one(account: str, person_id: str) -> Document:
    return of_id(account, person_key(account, person_id))


def _document(account: str, merge: Merge) -> Document:
    return {
        "_id": f"{account}/{merge.id}",
        "account": account,
        "person_id": merge.person_id,
        "into": merge.into,
        "by": merge.by,
        "at": merge.at,
    }


def _merge(found: Document) -> Merge:
    return Merge(
        found["_id"].partition("/")[2],
        found["person_id"],
        found["into"],
        found["by"],
        found["at"],
        found.get("undone_by"),
        found.get("undone_at"),
    )
