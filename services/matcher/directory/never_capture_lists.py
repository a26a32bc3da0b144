"""The *never capture* lists, in MongoDB: one of each account, and one of each user.

`never_capture`: `{_id: "<account>/<person id>", account, person_id, addresses, domains}`, in the
form in which they compare; the account's own list has no person id. A change raises the account's
version (`versions.py`), so it decides every mail received after it was acknowledged.
"""

from collections.abc import Collection

from pymongo.errors import DuplicateKeyError

from services.matcher.decision.never_capture import NOTHING, NeverCapture
from services.matcher.directory.people import person_key
from services.matcher.directory.versions import Versions
from shared.storage.database import Database, Document, of_id, of_ids

OF_ACCOUNT = ""
"""Stands for the account where a person id is expected: no person has it."""


class NeverCaptureLists:
    """The lists of all accounts."""

    def __init__(self, database: Database, versions: Versions) -> None:
        self._lists, self._versions = database["never_capture"], versions

    async def put(
        self,
        account: str,
        person_id: str,
        never: NeverCapture,
        expected: NeverCapture | None = None,
    ) -> bool:
        """Store a list as given, in place of the one before. An empty one is removed.

        Return False, and change nothing, when the one before is not as expected.
        """
        key = of_id(account, person_key(account, person_id))
        async with self._versions.change(account):
            if expected is not None:
                key |= _entries(expected) if expected else {"addresses": {"$exists": False}}
            if not never:
                gone = await self._lists.delete_one(key)
                return not expected or gone.deleted_count > 0
            owner = {"person_id": person_id} if person_id else {}
            change = {"$set": {**owner, **_entries(never)}}
            try:
                done = await self._lists.update_one(key, change, upsert=not expected)
            except DuplicateKeyError:  # there is one, which is not the one expected
                if expected is None:
                    raise
                return False
            return bool(done.matched_count or done.upserted_id)

    async def of(self, account: str, person_ids: Collection[str]) -> dict[str, NeverCapture]:
        """Return the list of each of these; one that there is not is empty."""
        keys = {person_key(account, person_id): person_id for person_id in person_ids}
        found = dict.fromkeys(person_ids, NOTHING)
        async for stored in self._lists.find(of_ids(account, keys)):
            found[keys[stored["_id"]]] = _list(stored)
        return found

    async def forget(self, account: str, person_ids: Collection[str]) -> None:
        """Remove the lists of people who are no users any more."""
        keys = of_ids(account, [person_key(account, person_id) for person_id in person_ids])
        if not person_ids or await self._lists.find_one(keys, {"_id": 1}) is None:
            return  # as for most people: then nothing has changed
        async with self._versions.change(account):
            await self._lists.delete_many(keys)


def _entries(never: NeverCapture) -> Document:
    return {"addresses": sorted(never.addresses), "domains": sorted(never.domains)}


def _list(stored: Document) -> NeverCapture:
    return NeverCapture(frozenset(stored["addresses"]), frozenset(stored["domains"]))
