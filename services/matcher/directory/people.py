"""The directory: an account's people and their addresses, in MongoDB.

`people`: `{_id: "<account>/<person id>", account, person_id, kind, name, addresses, keys,
holders, version, unannounced, deleted, merged_into, merge_id, has_merged, erased}`, where `keys`
are the addresses in the form in which they compare, and the version counts the changes. What was
deleted leaves its id, its version, so that an older event never wins, and hashes of its addresses:
`holders` says whose mail is whose when an id comes back (`returning.py`). `unannounced` is there
until the change was published (`outbox.py`). `erased` names the erasure of who was erased, and has
nothing else left. The three before it are of merges (`merges.py`): a merged
profile that is deleted keeps its `kind` and its `keys`, since mail to its addresses goes to the one
that survives.
"""

import contextlib
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from pymongo import ASCENDING, IndexModel, ReturnDocument, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from services.matcher.decision.decide import Person
from services.matcher.directory.groups import Group, Groups
from services.matcher.directory.outbox import outbox_index
from services.matcher.directory.returning import as_put, hashes_when_deleted
from services.matcher.directory.versions import Versions
from services.matcher.reading.addresses import normalise
from shared.contracts.events import Kind
from shared.storage.database import Database, Document, Index, of_id

INDEXES = (
    # Directory.holders: who has one of these addresses?
    Index("people", IndexModel([("account", ASCENDING), ("keys", ASCENDING)], name="by_address")),
    outbox_index("people"),
)


T = TypeVar("T")
_LIVING = {"deleted": {"$exists": False}}


class Directory:
    """The people of all accounts."""

    def __init__(self, database: Database, versions: Versions) -> None:
        self._people, self._versions = database["people"], versions
        self._groups = Groups(database)

    async def put(self, account: str, person: Person) -> bool:
        """Create or replace a person; return whether they are new. Idempotent."""
        async with self._versions.change(account):
            before = await _again_if_raced(
                lambda: self._people.find_one_and_update(
                    *_upsert(account, person), upsert=True, return_document=ReturnDocument.BEFORE
                )
            )
        return before is None or "deleted" in before

    async def replace(self, account: str, expected: Person, person: Person) -> bool:
        """Replace a person; return False if the stored one is not as expected."""
        which, changes = _upsert(account, person)
        as_expected = {
            "kind": expected.kind.value,
            "name": expected.name,
            "addresses": list(expected.addresses),
        }
        async with self._versions.change(account):
            done = await self._people.update_one({**which, **_LIVING, **as_expected}, changes)
        return done.matched_count > 0

    async def put_all(self, account: str, people: Sequence[Person]) -> None:
        """Create or replace many people, each of them once."""
        async with self._versions.change(account):
            writes = [UpdateOne(*_upsert(account, person), upsert=True) for person in people]
            await _again_if_raced(lambda: self._people.bulk_write(writes, ordered=False))

    async def is_erasing(self, account: str) -> bool:
        """Return whether the account is being erased."""
        return await self._versions.is_erasing(account)

    async def get(self, account: str, person_id: str) -> Person | None:
        """Return the person, or None."""
        found = await self._people.find_one(
            {"_id": person_key(account, person_id), "account": account, **_LIVING}
        )
        return _person(found) if found else None

    async def delete(self, account: str, person_id: str) -> None:
        """Delete the person, if there is one."""
        living = {"_id": person_key(account, person_id), "account": account, **_LIVING}
        async with self._versions.change(account):
            while (found := await self._people.find_one(living)) is not None:
                unchanged = {**living, "version": found.get("version")}
                deleted = await self._people.update_one(unchanged, _deletion(found))
                if deleted.matched_count:  # else it was changed meanwhile
                    break

    async def list(self, account: str, limit: int, after: str | None) -> list[Person]:
        """List people in the order of their ids, after one id."""
        # A slash follows the account in every key, and a zero follows the slash.
        start, end = person_key(account, after or ""), f"{account}0"
        query = {"account": account, "_id": {"$gt": start, "$lt": end}, **_LIVING}
        found = self._people.find(query).sort("_id", ASCENDING).limit(limit)
        return [_person(person) async for person in found]

    async def holders(self, account: str, keys: Collection[str]) -> dict[str, tuple[Person, ...]]:
        """Return for each key the people who have it; an empty tuple if there are none.

        Somebody who is deleted, but merged into a profile that is not, has their keys still.
        """
        holders: dict[str, tuple[Person, ...]] = dict.fromkeys(keys, ())
        which = {"account": account, "keys": {"$in": list(keys)}}
        found = await self._people.find(which).to_list()
        of_group = await self._groups.of(account, found)
        for one in found:
            group = of_group.get(one["person_id"])
            if "deleted" in one and (group is None or not group.is_there):
                continue
            person = _person(one)
            if group is not None:
                into = group.survivor if group.survivor != person.person_id else None
                person = replace(person, merged_into=into, merged_keys=group.keys - person.keys)
            for key in person.keys & holders.keys():
                holders[key] += (person,)
        return holders

    async def group(self, account: str, person_id: str) -> Group | None:
        """Return the profiles that a person is merged with; None if there are none."""
        found = await self._people.find_one(of_id(account, person_key(account, person_id)))
        group = (await self._groups.of(account, [found])).get(person_id) if found else None
        return group if group is not None and len(group.members) > 1 else None

    async def with_address(self, account: str, key: str) -> Sequence[Person]:
        """Return the people who have an address, in the order of their ids."""
        found = self._people.find({"account": account, "keys": key, **_LIVING})
        people = [_person(one) for one in await found.to_list()]
        return sorted(people, key=lambda person: person.person_id)


def person_of(person_id: str, kind: Kind, name: str, addresses: Iterable[str]) -> Person:
    """Return a person with their addresses in the form in which they compare, each once."""
    by_key = {normalise(address): address for address in addresses}
    return Person(person_id, kind, name, tuple(by_key.values()), frozenset(by_key))


async def _again_if_raced(write: Callable[[], Awaitable[T]]) -> T:
    """Run upserts, and again when others made the same documents meanwhile: now they are there."""
    for _ in range(3):
        with contextlib.suppress(DuplicateKeyError, BulkWriteError):
            return await write()
    return await write()


def _upsert(account: str, person: Person) -> tuple[Document, list[Document]]:
    """Return the filter and the pipeline that store a person and count a change as one."""
    fields = {
        "account": account,
        "person_id": person.person_id,
        "kind": person.kind.value,
        "name": person.name,
        "addresses": list(person.addresses),
        "keys": sorted(person.keys),
    }
    # Literals, so that nothing that an ATS sends is read as an expression.
    literals = {field: {"$literal": value} for field, value in fields.items()}
    same = {"$and": [{"$eq": [f"${field}", literal]} for field, literal in literals.items()]}
    version = {"$add": [{"$ifNull": ["$version", 0]}, {"$cond": [same, 0, 1]}]}
    unannounced = {"$cond": [same, "$unannounced", True]}
    filter_ = {"_id": person_key(account, person.person_id), "account": account}
    # All expressions of one $set read the document as it was.
    changed = {
        **literals,
        "holders": as_put(account, person.person_id, person.keys),
        "version": version,
        "unannounced": unannounced,
        "deleted": "$$REMOVE",
        "erased": "$$REMOVE",
    }
    return filter_, [{"$set": changed}]


def _deletion(person: Document) -> Document:
    """Return the change that deletes a person; a merged profile keeps what mail is matched by."""
    emptied = {"deleted": True, "unannounced": True, "addresses": []}
    emptied["holders.known"] = hashes_when_deleted(person)
    gone = {"name": ""}
    if "merged_into" not in person or not Kind(person["kind"]).is_profile:
        emptied["keys"] = []
        gone["kind"] = ""
    return {"$set": emptied, "$unset": gone, "$inc": {"version": 1}}


def person_key(account: str, person_id: str) -> str:
    """Return the id of a document of which each person has one."""
    return f"{account}/{person_id}"


def _person(found: Document) -> Person:
    return Person(
        found["person_id"],
        Kind(found["kind"]),
        found.get("name", ""),
        tuple(found["addresses"]),
        frozenset(found["keys"]),
    )
