"""Erasures in the matcher's database: what was asked for, and how far it is.

    erasures      `{_id: "<account>/<erasure id>", account, person_id, person_ids, asked_by,
                  asked_at, state, erased, done_at, receipt}`, as long as the account
    erased        `{_id: "<account>/<erasure id>/<person id>", account, erasure_id, person_id,
                  asked_by, asked_at, erased_at, addresses, names, version, unannounced}`, until the
                  timeline is done with that person
    erasure_keys  `{_id: <key id>, key}`: the public keys of all receipts

* People who are merged into one profile are erased together.
* First, in one transaction, they go from the directory, with all that a deletion leaves (hashes by
  which an id returns, addresses that a merge keeps), and the erasure is recorded. What is left of a
  person is the id, a version, so that no older event wins, and `erased`: the erasure.
* Then, once no decision can name them, `erased_at` is set, and the outbox announces it. A process
  that dies in between is followed by the next request, or by `Resuming`.
* The hashes for the timeline (`known_addresses.py`) are of all addresses that the id ever had, as
  far as they are remembered: who had the id before is erased with it.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeVar

import pymongo
from pymongo import ASCENDING, DESCENDING, AsyncMongoClient, IndexModel, InsertOne, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from services.matcher.directory.groups import Groups
from services.matcher.directory.outbox import outbox_index
from services.matcher.directory.people import person_key
from services.matcher.directory.returning import all_hashes
from services.matcher.directory.versions import Versions
from shared.contracts.events import Erased, Kind
from shared.contracts.known_addresses import name_hash
from shared.contracts.uuid7 import uuid7
from shared.storage.database import Database, Document, Index, of_id
from shared.storage.moments import as_stored

INDEXES = (
    outbox_index("erased"),
    # Erasures.unfinished
    Index(
        "erasures",
        IndexModel(
            [("asked_at", ASCENDING)],
            name="begun",
            partialFilterExpression={"state": "begun"},
        ),
    ),
)
_SECONDS = 10
_MILLISECOND = timedelta(milliseconds=1)
Refusal = Literal["unknown", "is_a_user"]
State = Literal["begun", "running", "done"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was asked for."""

    id: str
    person_id: str
    person_ids: tuple[str, ...]
    asked_by: str
    asked_at: datetime
    state: State
    erased: Erased
    done_at: datetime | None = None
    receipt: str | None = None


class Erasures:
    """The erasures of all accounts."""

    def __init__(
        self, client: AsyncMongoClient[Document], database: Database, versions: Versions
    ) -> None:
        self._client, self._versions, self._groups = client, versions, Groups(database)
        self._people, self._merges = database["people"], database["merges"]
        self._erasures, self._erased = database["erasures"], database["erased"]

    async def ask(self, account: str, who: str, person_id: str) -> Erasure | Refusal:
        """Erase a person, and who is one profile with them; return the erasure.

        The same as before unless somebody has the id again.
        """

        async def begun(session: AsyncClientSession) -> Erasure | Refusal:
            person = await self._people.find_one(_one(account, person_id), session=session)
            if person is None:
                return "unknown"
            if "erased" in person:
                return await self._known(account, person["erased"], session)
            group = await self._groups.one(account, person, session)
            ids = sorted(group.members)
            which = {"account": account, "_id": {"$in": [person_key(account, id_) for id_ in ids]}}
            members = await self._people.find(which, session=session).to_list()
            if any(member.get("kind") == Kind.USER.value for member in members):
                return "is_a_user"
            now = as_stored(datetime.now(UTC))
            new = Erasure(uuid7().hex, person_id, tuple(ids), who, now, "begun", Erased())
            await self._record(account, new, members, session)
            return new

        async with self._versions.change(account):
            found = await self._in_transaction(begun)
        if isinstance(found, str) or found.state != "begun":
            return found
        return await self.announce(account, found)

    async def addresses(self, account: str, person_id: str) -> frozenset[str]:
        """Return what is known of the addresses of a person, and of who is one profile with them,
        in the form in which they compare; none of a user. Of who is deleted there are only
        hashes."""
        person = await self._people.find_one(_one(account, person_id))
        if person is None:
            return frozenset()
        group = await self._groups.one(account, person)
        which = {
            "account": account,
            "_id": {"$in": [person_key(account, id_) for id_ in sorted(group.members)]},
        }
        found: set[str] = set()
        for member in await self._people.find(which).to_list():
            if member.get("kind") == Kind.USER.value:
                return frozenset()
            known = [*member["keys"], *member.get("holders", {}).get("known", ())]
            found.update(address for address in known if "@" in address)
        return frozenset(found)

    async def announce(self, account: str, erasure: Erasure) -> Erasure:
        """Let the outbox announce an erasure: no decision names its people any more."""
        at = as_stored(datetime.now(UTC)) + _MILLISECOND

        async def announced(session: AsyncClientSession) -> Erasure:
            id_ = _key(account, erasure.id)
            which = {**of_id(account, id_), "state": "begun"}
            change = {"$set": {"state": "running"}}
            done = await self._erasures.update_one(which, change, session=session)
            if done.modified_count:
                people = {"account": account, "_id": {"$gt": f"{id_}/", "$lt": f"{id_}0"}}
                told = {"$set": {"erased_at": at, "unannounced": True}}
                await self._erased.update_many(people, told, session=session)
            return await self._known(account, erasure.id, session)

        return await self._in_transaction(announced)

    async def unfinished(self, asked_before: datetime) -> list[tuple[str, Erasure]]:
        """Return what was asked for so long ago and never announced, with its account."""
        which = {"state": "begun", "asked_at": {"$lt": asked_before}}
        found = await self._erasures.find(which).limit(100).to_list()
        return [(one["account"], _erasure(one)) for one in found]

    async def one(self, account: str, id_: str) -> Erasure | None:
        """Return an erasure of this account."""
        found = await self._erasures.find_one(of_id(account, _key(account, id_)))
        return _erasure(found) if found else None

    async def list(self, account: str, limit: int, before: str | None) -> list[Erasure]:
        """Return erasures, the latest first; before one id."""
        # A slash follows the account in every key, and a zero follows the slash.
        start, end = f"{account}/", _key(account, before) if before else f"{account}0"
        query = {"account": account, "_id": {"$gt": start, "$lt": end}}
        found = self._erasures.find(query).sort("_id", DESCENDING).limit(limit)
        return [_erasure(one) async for one in found]

    async def _record(
        self,
        account: str,
        new: Erasure,
        members: Sequence[Document],
        session: AsyncClientSession,
    ) -> None:
        """Record an erasure, and take its people out of the directory."""
        erasure = {
            "_id": _key(account, new.id),
            "account": account,
            "person_id": new.person_id,
            "person_ids": list(new.person_ids),
            "asked_by": new.asked_by,
            "asked_at": new.asked_at,
            "state": new.state,
            "erased": new.erased.model_dump(),
        }
        await self._erasures.insert_one(erasure, session=session)
        orders = [InsertOne(_order(account, new, member)) for member in members]
        await self._erased.bulk_write(orders, session=session)
        goes = [UpdateOne(_one(account, m["person_id"]), _erasing(new)) for m in members]
        await self._people.bulk_write(goes, session=session)
        merges = [m["merge_id"] for m in members if "merged_into" in m]
        if merges:
            ids = {"$in": [f"{account}/{merge}" for merge in merges]}
            end = {"$set": {"undone_by": new.asked_by, "undone_at": new.asked_at}}
            which = {"account": account, "_id": ids, "undone_at": {"$exists": False}}
            await self._merges.update_many(which, end, session=session)

    async def _known(self, account: str, id_: str, session: AsyncClientSession) -> Erasure:
        which = of_id(account, _key(account, id_))
        found = await self._erasures.find_one(which, session=session)
        if found is None:
            raise LookupError("an erasure of a person is not recorded")
        return _erasure(found)

    async def _in_transaction(self, write: Callable[[AsyncClientSession], Awaitable[T]]) -> T:
        async with self._client.start_session() as session:
            with pymongo.timeout(_SECONDS):  # conflicts and all
                return await session.with_transaction(write)


def _one(account: str, person_id: str) -> Document:
    return of_id(account, person_key(account, person_id))


def _key(account: str, id_: str) -> str:
    return f"{account}/{id_}"


def _order(account: str, new: Erasure, person: Document) -> Document:
    """Return what the timeline needs to find what there is of a person."""
    person_id = person["person_id"]
    name = name_hash(account, person_id, person.get("name", ""))
    return {
        "_id": f"{_key(account, new.id)}/{person_id}",
        "account": account,
        "erasure_id": new.id,
        "person_id": person_id,
        "asked_by": new.asked_by,
        "asked_at": new.asked_at,
        "addresses": all_hashes(person),
        "names": [name] if name else [],
        "version": 1,
    }


def _erasing(new: Erasure) -> Document:
    """Return the change that erases a person from the directory."""
    left: dict[str, Any] = {"deleted": True, "erased": new.id, "unannounced": True}
    gone = ("name", "kind", "holders", "merged_into", "merge_id", "has_merged")
    return {
        "$set": {**left, "addresses": [], "keys": []},
        "$unset": dict.fromkeys(gone, ""),
        "$inc": {"version": 1},
    }


def _erasure(found: Document) -> Erasure:
    return Erasure(
        found["_id"].partition("/")[2],
        found["person_id"],
        tuple(found["person_ids"]),
        found["asked_by"],
        found["asked_at"],
        found["state"],
        Erased.model_validate(found["erased"]),
        found.get("done_at"),
        found.get("receipt"),
    )
