"""The directory: an account's people and their addresses, in MongoDB.

`people`: `{_id: "<account>/<person id>", account, person_id, kind, name, addresses, keys,
version}`, where `keys` are the addresses in the form in which they compare, and the version counts
the changes.
"""

from collections.abc import Collection, Iterable

from pymongo import ASCENDING, IndexModel, ReturnDocument

from services.matcher.addresses import normalise
from services.matcher.decide import Person
from services.matcher.versions import Versions
from shared.database import Database, Document, Index
from shared.events import Kind

INDEXES = (
    # Directory.holders: who has one of these addresses?
    Index("people", IndexModel([("account", ASCENDING), ("keys", ASCENDING)], name="by_address")),
)


class Directory:
    """The people of all accounts."""

    def __init__(self, database: Database, versions: Versions) -> None:
        self._people, self._versions = database["people"], versions

    async def put(
        self, account: str, person_id: str, kind: Kind, name: str, addresses: Iterable[str]
    ) -> tuple[Person, bool]:
        """Store a person as given; return them, and whether they are new.

        Putting the same again changes nothing.
        """
        by_key = {normalise(address): address for address in addresses}
        fields = {
            "account": account,
            "person_id": person_id,
            "kind": kind.value,
            "name": name,
            "addresses": list(by_key.values()),
            "keys": list(by_key),
        }
        same = {"$and": [{"$eq": [f"${field}", {"$literal": fields[field]}]} for field in fields]}
        version = {"$add": [{"$ifNull": ["$version", 0]}, {"$cond": [same, 0, 1]}]}
        async with self._versions.change(account):
            before = await self._people.find_one_and_update(
                {"_id": _key(account, person_id), "account": account},
                # All expressions of one $set read the document as it was.
                [{"$set": {"version": version, **{f: {"$literal": v} for f, v in fields.items()}}}],
                upsert=True,
                return_document=ReturnDocument.BEFORE,
            )
        person = Person(person_id, kind, name, tuple(by_key.values()), frozenset(by_key))
        return person, before is None

    async def get(self, account: str, person_id: str) -> Person | None:
        """Return the person, or None."""
        found = await self._people.find_one({"_id": _key(account, person_id), "account": account})
        return _person(found) if found else None

    async def delete(self, account: str, person_id: str) -> None:
        """Forget the person. Who is not there is forgotten already."""
        async with self._versions.change(account):
            await self._people.delete_one({"_id": _key(account, person_id), "account": account})

    async def holders(self, account: str, keys: Collection[str]) -> dict[str, tuple[Person, ...]]:
        """Return for each of these keys who has it; nobody is an empty tuple."""
        holders: dict[str, tuple[Person, ...]] = dict.fromkeys(keys, ())
        async for found in self._people.find({"account": account, "keys": {"$in": list(keys)}}):
            person = _person(found)
            for key in person.keys & holders.keys():
                holders[key] += (person,)
        return holders


def _key(account: str, person_id: str) -> str:
    return f"{account}/{person_id}"


def _person(found: Document) -> Person:
    return Person(
        found["person_id"],
        Kind(found["kind"]),
        found["name"],
        tuple(found["addresses"]),
        frozenset(found["keys"]),
    )
