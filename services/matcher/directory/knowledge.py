"""What the matcher knows about an account: a cache of its directory that is never stale.

Each decision reads the account's version. Entries cached at that version are used. Missing ones
are looked up, and cached if the version is still the same afterwards. So a change that the API has
acknowledged affects every mail received afterwards, in every replica, and most decisions cost one
small read.

Entries expire after a minute anyway: a change that was written but failed to raise the version
again was never acknowledged, yet should not stay invisible.
"""

import time
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_

from services.matcher.decision.decide import Person
from services.matcher.decision.never_capture import NOTHING, NeverCapture
from services.matcher.directory.capture_addresses import AddressRecord, CaptureAddresses
from services.matcher.directory.never_capture_lists import OF_ACCOUNT, NeverCaptureLists
from services.matcher.directory.people import Directory
from services.matcher.directory.versions import Versions
from services.matcher.metrics import LOOK_UPS

_MAX_ENTRIES = 200_000
_MAX_AGE_SECONDS = 60.0
_TRIES = 3
"""How often a look-up may find that the account was changed meanwhile."""


@dataclass(slots=True)
class _Remembered:
    """What is known of one account at one version."""

    version: int = 0
    since: float = 0.0
    addresses: dict[str, AddressRecord] = field(default_factory=dict)
    holders: dict[str, tuple[Person, ...]] = field(default_factory=dict)
    """Who has an address, by its key; an empty tuple is an answer, too."""
    never: dict[str, NeverCapture] = field(default_factory=dict)
    """The lists of the account and of its users; an empty one is an answer, too."""

    listed: int = 0
    """Entries of these lists."""

    @property
    def size(self) -> int:
        """How much it is; an empty list comes with an address and does not count."""
        return len(self.addresses) + len(self.holders) + self.listed

    def __bool__(self) -> bool:
        return bool(self.addresses or self.holders or self.never)

    def add(self, fresh: "_Remembered") -> None:
        """Remember what was just read."""
        self.addresses |= fresh.addresses
        self.holders |= fresh.holders
        new = fresh.never.keys() - self.never.keys()
        self.listed += sum(len(fresh.never[owner]) for owner in new)
        self.never |= fresh.never


@dataclass(frozen=True, slots=True)
class Known:
    """What a decision needs: the capture address, and everyone it has to consider."""

    address: AddressRecord
    people: tuple[Person, ...]
    never: NeverCapture
    """Whose mail is never captured, by the account's list and that of the address's owner."""


class Knowledge:
    """Answers decisions."""

    def __init__(
        self,
        directory: Directory,
        addresses: CaptureAddresses,
        versions: Versions,
        never_capture: NeverCaptureLists,
        *,
        max_entries: int = _MAX_ENTRIES,
    ) -> None:
        self._directory, self._addresses, self._versions = directory, addresses, versions
        self._never_capture = never_capture
        self._max_entries = max_entries
        self._accounts: OrderedDict[str, _Remembered] = OrderedDict()  # longest unused first
        self._entries = 0
        self._account_of: dict[str, str] = {}
        """Which account a capture address belongs to: that never changes."""

    async def consult(self, capture_address: str, keys: frozenset[str]) -> Known | None:
        """Return what is known about a capture address and the participants' addresses.

        None if the capture address has no record. Raises PyMongoError if the database does not
        answer.
        """
        account = self._account_of.get(capture_address)
        if account is None:
            record = await self._addresses.find(capture_address)
            if record is None:
                return None
            account = record.account
            self._remember_account(capture_address, account)
        for _ in range(_TRIES):
            version = await self._versions.read(account)
            remembered = self._at(account, version)
            fresh = _Remembered(version)
            known = await self._known(remembered, fresh, capture_address, account, keys)
            if not fresh:
                LOOK_UPS.labels("cache").inc()
                return known
            # Until the version is read again, what was just read may be older than a change that
            # was acknowledged meanwhile: it is kept apart, so that no other decision uses it.
            if await self._versions.read(account) == version:
                LOOK_UPS.labels("database").inc()
                self._remember(account, fresh)
                return known
        # The account is being written all the time. What is looked up now is as new as the mail,
        # and is not remembered.
        LOOK_UPS.labels("database").inc()
        return await self._known(_Remembered(), _Remembered(), capture_address, account, keys)

    async def people(self, account: str, keys: frozenset[str]) -> tuple[Person, ...]:
        """Return everyone whom a decision about these addresses has to consider, right now."""
        return await self._people(_Remembered(), _Remembered(), account, keys)

    async def never(self, account: str, owner: str | None) -> NeverCapture:
        """Return whose mail is never captured, right now; without an owner for all users alike."""
        owners = (OF_ACCOUNT,) if owner is None else (OF_ACCOUNT, owner)
        return await self._never(_Remembered(), _Remembered(), account, owners)

    async def lists_of(self, account: str, users: Collection[str]) -> Mapping[str, NeverCapture]:
        """Return the *never capture* list of each of these users, right now."""
        return await self._never_capture.of(account, users) if users else {}

    async def _known(
        self,
        remembered: _Remembered,
        fresh: _Remembered,
        capture_address: str,
        account: str,
        keys: frozenset[str],
    ) -> Known | None:
        """Answer from what is remembered; what has to be looked up goes to `fresh`."""
        address = remembered.addresses.get(capture_address)
        if address is None:
            address = await self._addresses.find(capture_address)
            if address is None:
                return None
            fresh.addresses[capture_address] = address
        people = await self._people(remembered, fresh, account, keys)
        owners = (OF_ACCOUNT, address.person_id)
        return Known(address, people, await self._never(remembered, fresh, account, owners))

    async def _never(
        self, remembered: _Remembered, fresh: _Remembered, account: str, owners: Sequence[str]
    ) -> NeverCapture:
        """Return what is on any of these lists."""
        missing = [owner for owner in owners if owner not in remembered.never]
        if missing:
            fresh.never |= await self._never_capture.of(account, missing)
        lists = [remembered.never.get(owner) or fresh.never.get(owner, NOTHING) for owner in owners]
        return reduce(or_, lists, NOTHING)

    async def _people(
        self, remembered: _Remembered, fresh: _Remembered, account: str, keys: frozenset[str]
    ) -> tuple[Person, ...]:
        async def holders(of: frozenset[str]) -> list[Person]:
            missing = [key for key in of if key not in remembered.holders]
            if missing:
                fresh.holders |= await self._directory.holders(account, missing)
            return [
                person
                for key in of
                for person in remembered.holders.get(key) or fresh.holders.get(key, ())
            ]

        people = await holders(keys)
        profile_keys = frozenset().union(*(p.profile_keys for p in people if p.kind.is_profile))
        people += await holders(profile_keys - keys)
        return tuple({person.person_id: person for person in people}.values())

    def _at(self, account: str, version: int) -> _Remembered:
        """Return what is remembered of the account at this version, and nothing of another."""
        remembered = self._accounts.get(account)
        now = time.monotonic()
        if (
            remembered is None
            or remembered.version != version
            or now - remembered.since > _MAX_AGE_SECONDS
        ):
            self._forget(account)
            remembered = self._accounts[account] = _Remembered(version, now)
        self._accounts.move_to_end(account)
        return remembered

    def _remember(self, account: str, fresh: _Remembered) -> None:
        remembered = self._accounts.get(account)
        if remembered is None or remembered.version != fresh.version:
            return  # another decision has seen a newer version meanwhile
        before = remembered.size
        remembered.add(fresh)
        self._entries += remembered.size - before
        while self._entries > self._max_entries:
            self._forget(next(iter(self._accounts)))

    def _forget(self, account: str) -> None:
        remembered = self._accounts.pop(account, None)
        self._entries -= remembered.size if remembered else 0

    def _remember_account(self, capture_address: str, account: str) -> None:
        if len(self._account_of) >= self._max_entries:
            self._account_of.clear()
        self._account_of[capture_address] = account
