"""The directory: an account's people and their addresses, in MongoDB.

`people`: `{_id: "<account>/<person id>", account, person_id, kind, name, addresses, keys,
version}`, where `keys` are the addresses in the form in which they compare, and the version counts
the changes.
"""

from collections.abc import Iterable

from pymongo import ASCENDING, IndexModel, ReturnDocument
from pymongo.asynchronous.cursor import AsyncCursor

from services.matcher.addresses import normalise
from services.matcher.decide import Person
from shared.database import Database, Document, Index
from shared.events import Kind

INDEXES = (
    # Directory.look_up: who has one of these addresses?
    Index("people", IndexModel([("account", ASCENDING), ("keys", ASCENDING)], name="by_address")),
)


class Directory:
    """The people of all accounts."""

    def __init__(self, database: Database) -> None:
        self._people = database["people"]

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
        before = await self._people.find_one_and_update(
            {"_id": _key(account, person_id), "account": account},
            # `version` first: the stages of one $set read the document as it was.
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
        await self._people.delete_one({"_id": _key(account, person_id), "account": account})

    async def look_up(self, account: str, keys: frozenset[str]) -> list[Person]:
        """Return all that `decide` has to know about these addresses.

        That is everyone who has one of them, and every user who shares any address with a profile
        among those.
        """
        if not keys:
            return []
        people = [_person(found) async for found in self._holders(account, keys)]
        profile_keys = frozenset().union(*(p.keys for p in people if p.kind.is_profile)) - keys
        if profile_keys:
            sharers = self._holders(account, profile_keys, kind=Kind.USER.value)
            people += [_person(found) async for found in sharers]
        return list({person.person_id: person for person in people}.values())

    def _holders(self, account: str, keys: frozenset[str], **also: str) -> AsyncCursor[Document]:
        return self._people.find({"account": account, "keys": {"$in": sorted(keys)}, **also})


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
