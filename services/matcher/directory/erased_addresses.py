"""Capture addresses of accounts that were erased: mail to one is forgotten, for good.

`erased_addresses`: `{_id: <keyed hash of the address>, account: <the account's tag>}`. The key is
made of the secret that signed the address. Without it the hash does not tell the address; once that
secret is retired ingest refuses the address, and the hash is of no use.

Without it mail to such an address would become a dead letter, as every mail to an address that is
valid and has no record.
"""

from collections.abc import Iterable

from pymongo import UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.contracts.capture_address import CaptureAddress, KeyRing
from shared.contracts.events import MailReceived
from shared.storage.database import Database, of_id

COLLECTION = "erased_addresses"


class ErasedAddresses:
    """Those of all accounts."""

    def __init__(self, database: Database, ring: KeyRing, domain: str) -> None:
        self._erased = database[COLLECTION]
        self._addresses, self._challenges = database["capture_addresses"], database["challenges"]
        self._ring, self._domain = ring, domain

    async def has(self, received: MailReceived) -> bool:
        """Return whether a capture came to such an address. Raises PyMongoError."""
        address = self._ring.verify(received.capture_address, self._domain)
        if address is None:
            return False
        which = of_id(address.account_tag, self._ring.erased_hash(address))
        return await self._erased.find_one(which, {"_id": 1}) is not None

    async def retire(self, account: str, session: AsyncClientSession) -> None:
        """Delete an account's capture addresses, and remember their hashes."""
        which = {"account": account}
        addresses = [
            one["_id"] async for one in self._addresses.find(which, {"_id": 1}, session=session)
        ]
        fields = {"return_path": 1}
        async for challenge in self._challenges.find(which, fields, session=session):
            addresses.append(challenge["return_path"])
        known = [self._ring.verify(address, self._domain) for address in addresses]
        if writes := [*self._writes(filter(None, known))]:
            await self._erased.bulk_write(writes, ordered=False, session=session)
        for collection in (self._addresses, self._challenges):
            await collection.delete_many(which, session=session)

    def _writes(self, addresses: Iterable[CaptureAddress]) -> Iterable[UpdateOne]:
        for address in addresses:
            which = of_id(address.account_tag, self._ring.erased_hash(address))
            yield UpdateOne(which, {"$setOnInsert": which}, upsert=True)
