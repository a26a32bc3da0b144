"""The records of capture addresses: whose each one is, and whether it still counts.

`capture_addresses`: `{_id: <address>, account, person_id, key_id, state, created_at, valid_until,
version, unannounced, watched_since, watched_until}`. The key's id is recorded so that a key can be
retired when no address of it lives; version and `unannounced` are as in `directory.py`; the last
two are of the user's set-up window (`windows.py`), if there was one.

    active   counts; a user has at most one such address
    grace    was rotated, and counts for mail received until `valid_until`
    revoked  counts no more

An address of the account belongs to no person: its `person_id` is empty, and `minted_by` says who
made it. The timeline is not told of it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pymongo import ASCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from services.matcher.directory.outbox import outbox_index
from services.matcher.directory.versions import Versions
from shared.contracts.capture_address import KeyRing, handle_for
from shared.storage.database import Database, Document, Index

_ACCOUNT_HANDLE = "company"
_ACTIVE, _GRACE, _REVOKED = "active", "grace", "revoked"
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
    outbox_index("capture_addresses"),
    # CaptureAddresses.list
    Index(
        "capture_addresses",
        IndexModel(
            [("account", ASCENDING), ("person_id", ASCENDING), ("_id", ASCENDING)], name="by_person"
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class AddressRecord:
    """A capture address and whose it is."""

    address: str
    account: str
    person_id: str
    key_id: str
    state: str
    created_at: datetime
    valid_until: datetime | None
    """The end of a rotated address's grace, or the moment of its revocation."""
    minted_by: str | None = None
    """Of an address of the account: who made it."""
    watched_since: datetime | None = None
    watched_until: datetime | None = None

    def is_watched_at(self, moment: datetime) -> bool:
        """Return whether the user's set-up window was open when a mail arrived."""
        since, until = self.watched_since, self.watched_until
        return since is not None and until is not None and since <= moment < until

    @property
    def is_of_account(self) -> bool:
        """Return whether it belongs to the account and to no user."""
        return not self.person_id

    def counts_at(self, moment: datetime) -> bool:
        """Return whether a mail received at this time is accepted."""
        if self.state == _GRACE:
            return self.valid_until is not None and moment <= self.valid_until
        return self.state == _ACTIVE


class CaptureAddresses:
    """The capture addresses of all accounts."""

    def __init__(self, database: Database, versions: Versions, ring: KeyRing, domain: str) -> None:
        self._records, self._versions = database["capture_addresses"], versions
        self._ring, self._domain = ring, domain

    async def mint(self, account: str, person_id: str, name: str) -> tuple[AddressRecord, bool]:
        """Return the user's active address, and whether it is new."""
        return await self._mint(account, person_id, name, {})

    async def mint_for_account(self, account: str, by: str) -> tuple[AddressRecord, bool]:
        """Return the account's own active address, and whether it is new."""
        return await self._mint(account, "", _ACCOUNT_HANDLE, {"minted_by": by})

    async def _mint(
        self, account: str, person_id: str, name: str, more: Document
    ) -> tuple[AddressRecord, bool]:
        while True:
            if existing := await self.of_person(account, person_id):
                return existing, False
            record = self._new_record(account, person_id, name) | more
            try:
                await self._records.insert_one(record)
            except DuplicateKeyError:
                continue  # another call was faster: its address is the user's
            return _record(record), True

    async def rotate(self, record: AddressRecord, name: str, grace: timedelta) -> AddressRecord:
        """Replace an active address and return the new one. The old one is accepted for the grace.

        Rotating an address that was already rotated returns the active one: asking twice does not
        rotate twice.
        """
        async with self._versions.change(record.account):
            await self._records.update_one(
                {"_id": record.address, "account": record.account, "state": _ACTIVE},
                _changed(_GRACE, datetime.now(UTC) + grace),
            )
        if record.is_of_account:
            return (await self.mint_for_account(record.account, record.minted_by or ""))[0]
        return (await self.mint(record.account, record.person_id, name))[0]

    async def list(
        self, account: str, person_id: str | None, limit: int, after: str | None
    ) -> list[AddressRecord]:
        """Return the account's addresses, or one user's, in a fixed order; begin after one.

        Raises KeyError when the account has no address to begin after.
        """
        query: Document = {"account": account}
        order = [("person_id", ASCENDING), ("_id", ASCENDING)]
        if person_id is not None:
            query["person_id"] = person_id
        if after is not None:
            last = await self.find(after)
            if last is None or last.account != account:
                raise KeyError(after)
            query["$or"] = [
                {"person_id": {"$gt": last.person_id}},
                {"person_id": last.person_id, "_id": {"$gt": last.address}},
            ]
        found = self._records.find(query).sort(order).limit(limit)
        return [_record(record) async for record in found]

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

    async def revoke(self, account: str, *, person_ids: Collection[str]) -> None:
        """Revoke all addresses of these people."""
        if person_ids:
            await self._revoke(account, {"person_id": {"$in": list(person_ids)}})

    async def revoke_one(self, account: str, address: str) -> None:
        """Revoke one address."""
        await self._revoke(account, {"_id": address})

    async def watch(self, account: str, person_id: str, since: datetime, until: datetime) -> None:
        """Record that a user's set-up window is open."""
        async with self._versions.change(account):
            await self._records.update_many(
                {"account": account, "person_id": person_id, "state": {"$ne": _REVOKED}},
                {"$set": {"watched_since": since, "watched_until": until}},
            )

    async def _revoke(self, account: str, which: Document) -> None:
        query = {"account": account, "state": {"$ne": _REVOKED}, **which}
        if await self._records.find_one(query, {"_id": 1}) is None:
            return  # as for most people: then nothing has changed
        async with self._versions.change(account):
            await self._records.update_many(query, _changed(_REVOKED, datetime.now(UTC)))

    def _new_record(self, account: str, person_id: str, name: str) -> Document:
        minted = self._ring.mint(account, handle_for(name), self._domain)
        return {
            "_id": minted.address,
            "account": account,
            "person_id": person_id,
            "key_id": minted.key_id,
            "state": _ACTIVE,
            "created_at": datetime.now(UTC),
            "version": 1,
            "unannounced": True,
        }


def _changed(state: str, valid_until: datetime) -> Document:
    return {
        "$set": {"state": state, "valid_until": valid_until, "unannounced": True},
        "$inc": {"version": 1},
    }


def _record(found: Document) -> AddressRecord:
    return AddressRecord(
        address=found["_id"],
        account=found["account"],
        person_id=found["person_id"],
        key_id=found["key_id"],
        state=found["state"],
        created_at=found["created_at"],
        valid_until=found.get("valid_until"),
        minted_by=found.get("minted_by"),
        watched_since=found.get("watched_since"),
        watched_until=found.get("watched_until"),
    )
