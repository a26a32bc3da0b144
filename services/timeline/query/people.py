"""People and capture addresses, as the matcher announced them (`write/people.py`)."""

from collections.abc import Collection
from datetime import UTC, datetime

from msgspec import field
from pymongo import ASCENDING, IndexModel

from services.timeline.query.parts import fields_of, records_of
from services.timeline.write.records import Record
from shared.storage.database import BY_ID, Database, Index, of_id, of_ids

INDEXES = (
    # Directory.capture_addresses
    Index(
        "capture_addresses",
        IndexModel([("account", ASCENDING), ("person_id", ASCENDING)], name="of_person"),
    ),
)
_MAX_ADDRESSES = 20


class KnownPerson(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Someone whom the directory has."""

    person_id: str
    kind: str
    name: str
    addresses: tuple[str, ...]


class CaptureAddress(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A user's capture address."""

    address: str = field(name="_id")
    state: str
    valid_until: datetime | None = None
    """The end of its grace, when it was rotated."""


class Directory:
    """The people of all accounts, for reading."""

    def __init__(self, database: Database) -> None:
        self._people = database["people"]
        self._addresses = database["capture_addresses"]

    async def named(self, account: str, person_ids: Collection[str]) -> dict[str, KnownPerson]:
        """Return those people whom the directory has, by id."""
        if not person_ids:
            return {}
        ids = [f"{account}/{person_id}" for person_id in person_ids]
        wanted = {**of_ids(account, ids), "kind": {"$exists": True}}
        found = self._people.find(wanted, fields_of(KnownPerson)).hint(BY_ID)
        return {person.person_id: person for person in await records_of(KnownPerson, found)}

    async def has_known(self, account: str, person_id: str) -> bool:
        """Return whether the directory has this person, or had them."""
        which = of_id(account, f"{account}/{person_id}")
        return await self._people.find_one(which, {"_id": 1}) is not None

    async def capture_addresses(self, account: str, person_id: str) -> list[CaptureAddress]:
        """Return a user's capture addresses that still count, the active one first."""
        found = self._addresses.find(
            {
                "account": account,
                "person_id": person_id,
                "$or": [
                    {"state": "active"},
                    {"state": "grace", "valid_until": {"$gt": datetime.now(UTC)}},
                ],
            },
            fields_of(CaptureAddress),
        )
        sorted_ = found.sort([("state", ASCENDING), ("_id", ASCENDING)])
        return await records_of(CaptureAddress, sorted_.limit(_MAX_ADDRESSES))
