"""The *never capture* lists, in MongoDB: one of each account, and one of each user.

`never_capture`: `{_id: "<account>/<person id>", account, person_id, addresses, domains}`, in the
form in which they compare; the account's own list has no person id. A change raises the account's
version (`versions.py`), so it decides every mail received after it was acknowledged.
"""

from collections.abc import Collection

from services.matcher.never_capture import NOTHING, NeverCapture
from services.matcher.versions import Versions
from shared.database import Database, Document, of_id, of_ids

OF_ACCOUNT = ""
"""Stands for the account where a person id is expected: no person has it."""


class NeverCaptureLists:
    """The lists of all accounts."""

    def __init__(self, database: Database, versions: Versions) -> None:
        self._lists, self._versions = database["never_capture"], versions

    async def put(self, account: str, person_id: str, never: NeverCapture) -> None:
        """Store a list as given, in place of the one before. An empty one is removed."""
        key = of_id(account, _key(account, person_id))
        async with self._versions.change(account):
            if not never:
                await self._lists.delete_one(key)
                return
            entries = {"addresses": sorted(never.addresses), "domains": sorted(never.domains)}
            owner = {"person_id": person_id} if person_id else {}
            await self._lists.update_one(key, {"$set": {**owner, **entries}}, upsert=True)

    async def of(self, account: str, person_ids: Collection[str]) -> dict[str, NeverCapture]:
        """Return the list of each of these; one that there is not is empty."""
        keys = {_key(account, person_id): person_id for person_id in person_ids}
        found = dict.fromkeys(person_ids, NOTHING)
        async for stored in self._lists.find(of_ids(account, keys)):
            found[keys[stored["_id"]]] = _list(stored)
        return found

    async def forget(self, account: str, person_ids: Collection[str]) -> None:
        """Remove the lists of people who are no users any more."""
        keys = of_ids(account, [_key(account, person_id) for person_id in person_ids])
        if not person_ids or await self._lists.find_one(keys, {"_id": 1}) is None:
            return  # as for most people: then nothing has changed
        async with self._versions.change(account):
            await self._lists.delete_many(keys)


def _key(account: str, person_id: str) -> str:
    return f"{account}/{person_id}"


def _list(stored: Document) -> NeverCapture:
    return NeverCapture(frozenset(stored["addresses"]), frozenset(stored["domains"]))
