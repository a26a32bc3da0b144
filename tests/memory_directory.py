"""A directory in memory, for tests of what rests on it. `directory_suite.py` tests both kinds.

`meanwhile` is a race made by hand: it runs once, between a look-up and its answer.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime

from services.matcher.decision.decide import Person
from services.matcher.decision.never_capture import NOTHING, NeverCapture
from services.matcher.directory.capture_addresses import AddressRecord, CaptureAddresses
from services.matcher.directory.never_capture_lists import NeverCaptureLists
from services.matcher.directory.people import Directory
from services.matcher.directory.versions import Versions

Meanwhile = Callable[[], Awaitable[object]]


class Race:
    """Something that happens while an answer is on its way."""

    meanwhile: Meanwhile | None = None

    async def happens(self) -> None:
        """Let it happen, once."""
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()


class MemoryVersions(Versions):
    """Account versions without a database."""

    def __init__(self) -> None:
        self.versions: Counter[str] = Counter()
        self.race = Race()

    async def read(self, account: str) -> int:
        """Return the account's version."""
        version = self.versions[account]
        await self.race.happens()
        return version

    async def is_erasing(self, account: str) -> bool:
        """Return that no account is being erased."""
        return False

    async def _raise(self, account: str) -> None:
        self.versions[account] += 1


class MemoryDirectory(Directory):
    """People without a database."""

    def __init__(self, versions: MemoryVersions) -> None:
        self._versions = versions
        self.people: dict[tuple[str, str], Person] = {}
        self.look_ups: list[list[str]] = []
        self.race = Race()

    async def put(self, account: str, person: Person) -> bool:
        """Store a person; return whether they are new."""
        async with self._versions.change(account):
            is_new = (account, person.person_id) not in self.people
            self.people[account, person.person_id] = person
        return is_new

    async def replace(self, account: str, expected: Person, person: Person) -> bool:
        """Store a person in place of one that is as expected."""
        async with self._versions.change(account):
            is_so = self.people.get((account, person.person_id)) == expected
            if is_so:
                self.people[account, person.person_id] = person
        return is_so

    async def delete(self, account: str, person_id: str) -> None:
        """Forget a person."""
        async with self._versions.change(account):
            self.people.pop((account, person_id), None)

    async def holders(self, account: str, keys: Collection[str]) -> dict[str, tuple[Person, ...]]:
        """Return who has each of these keys."""
        self.look_ups.append(sorted(keys))
        of_account = [person for (owner, _), person in self.people.items() if owner == account]
        found = {key: tuple(p for p in of_account if key in p.keys) for key in keys}
        await self.race.happens()
        return found


class MemoryNeverCapture(NeverCaptureLists):
    """*Never capture* lists without a database."""

    def __init__(self, versions: MemoryVersions) -> None:
        self._versions = versions
        self.lists: dict[tuple[str, str], NeverCapture] = {}
        self.look_ups: list[list[str]] = []
        self.race = Race()

    async def put(
        self,
        account: str,
        person_id: str,
        never: NeverCapture,
        expected: NeverCapture | None = None,
    ) -> bool:
        """Store a list."""
        async with self._versions.change(account):
            if expected not in (None, self.lists.get((account, person_id), NOTHING)):
                return False
            self.lists[account, person_id] = never
        return True

    async def of(self, account: str, person_ids: Collection[str]) -> dict[str, NeverCapture]:
        """Return the list of each of these."""
        self.look_ups.append(sorted(person_ids))
        found = {one: self.lists.get((account, one), NOTHING) for one in person_ids}
        await self.race.happens()
        return found

    async def forget(self, account: str, person_ids: Collection[str]) -> None:
        """Remove lists."""
        async with self._versions.change(account):
            for person_id in person_ids:
                self.lists.pop((account, person_id), None)


class MemoryAddresses(CaptureAddresses):
    """Capture addresses without a database."""

    def __init__(self, versions: MemoryVersions, domain: str) -> None:
        self._versions, self._domain = versions, domain
        self.records: dict[str, AddressRecord] = {}
        self.look_ups: list[str] = []
        self.race = Race()

    async def mint(self, account: str, person_id: str, name: str) -> tuple[AddressRecord, bool]:
        """Return the user's active address, and whether it was made by this call."""
        for record in self.records.values():
            if (record.account, record.person_id, record.state) == (account, person_id, "active"):
                return record, False
        address = f"{name.lower()}.{len(self.records)}@{self._domain}"
        record = AddressRecord(address, account, person_id, "k1", "active", datetime.now(UTC), None)
        self.records[address] = record
        return record, True

    async def find(self, address: str) -> AddressRecord | None:
        """Return the record of an address, or None."""
        self.look_ups.append(address)
        found = self.records.get(address)
        await self.race.happens()
        return found

    async def revoke_one(self, account: str, address: str) -> None:
        """Let one address count no more."""
        async with self._versions.change(account):
            old = self.records[address]
            self.records[address] = AddressRecord(
                address, account, old.person_id, "k1", "revoked", old.created_at, datetime.now(UTC)
            )
