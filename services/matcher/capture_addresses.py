"""The records of capture addresses: whose each one is, and whether it still counts.

`capture_addresses`: `{_id: <address>, account, person_id, key_id, state, created_at, revoked_at}`.
The key's id is recorded so that a key can be retired when no address of it lives.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from pymongo import ASCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from services.matcher.versions import Versions
from shared.capture_address import KeyRing, handle_for
from shared.database import Database, Document, Index

_ACTIVE = "active"
INDEXES = (
    # CaptureAddresses.mint and of_person. Unique: a user has one active address.
    Index(
        "capture_addresses",
        IndexModel(
            [("account", ASCENDING), ("person_id", ASCENDING)],
            name="one_active",
            unique=True,
            partialFilterExpression={"state": _ACTIVE},
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class AddressRecord:
    """A capture address and whose it is."""

    address: str
    account: str
    person_id: str
    active: bool
    created_at: datetime


class CaptureAddresses:
    """The capture addresses of all accounts."""

    def __init__(self, database: Database, versions: Versions, ring: KeyRing, domain: str) -> None:
        self._records, self._versions = database["capture_addresses"], versions
        self._ring, self._domain = ring, domain

    async def mint(self, account: str, person_id: str, name: str) -> tuple[AddressRecord, bool]:
        """Return the user's active address, and whether it was made by this call."""
        while True:
            if existing := await self.of_person(account, person_id):
                return existing, False
            minted = self._ring.mint(account, handle_for(name), self._domain)
            record: Document = {
                "_id": minted.address,
                "account": account,
                "person_id": person_id,
                "key_id": minted.key_id,
                "state": _ACTIVE,
                "created_at": datetime.now(UTC),
            }
            try:
                await self._records.insert_one(record)
            except DuplicateKeyError:
                continue  # another call was faster: its address is the user's
            return _record(record), True

    async def of_person(self, account: str, person_id: str) -> AddressRecord | None:
        """Return the user's active address, or None."""
        found = await self._records.find_one(
            {"account": account, "person_id": person_id, "state": _ACTIVE}
        )
        return _record(found) if found else None

    async def find(self, address: str) -> AddressRecord | None:
        """Return the record of an address, revoked ones included, or None."""
        found = await self._records.find_one({"_id": address})
        return _record(found) if found else None

    async def revoke(self, account: str, person_id: str) -> None:
        """Let the person's address count no more."""
        async with self._versions.change(account):
            await self._records.update_many(
                {"account": account, "person_id": person_id, "state": _ACTIVE},
                {"$set": {"state": "revoked", "revoked_at": datetime.now(UTC)}},
            )


def _record(found: Document) -> AddressRecord:
    return AddressRecord(
        found["_id"],
        found["account"],
        found["person_id"],
        found["state"] == _ACTIVE,
        found["created_at"],
    )
