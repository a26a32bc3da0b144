"""Which profiles are hidden, and what that hides of a mail.

A profile is hidden

* `deleted`: while the directory does not have it any more. Of an id that came back for somebody
  else, what was matched by an address of the former holder is (`PersonChanged.known_by`).
* `blocked`: while it is a user, or shares an address with a user of the account. Guests, vendors
  and other accounts' people block nothing.

Who is not in the timeline's copy of the directory was not announced yet and is not hidden.

It is told when mail is read, from the copy as it is at that moment, so nothing is moved or written,
and the order in which mail and changes arrive does not matter. What is hidden of a mail is what it
would not have if its hidden matches had never been made: a capture that names hidden profiles only
is not there, nor is a mail without captures. A mail that users removed from all of its profiles is
on none, and not hidden by any.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from msgspec.structs import replace
from pymongo import ASCENDING, IndexModel

from services.timeline.query.parts import fields_of, records_of
from services.timeline.write.records import Capture, ProfileRef, Record
from shared.contracts.events import Kind
from shared.contracts.known_addresses import address_hash
from shared.mail.address_form import normalise
from shared.storage.database import BY_ID, Database, Index, of_ids

Reason = Literal["deleted", "blocked"]
INDEXES = (
    # Hiding.of: users who have one of these addresses; HiddenProfiles: profiles who have
    Index(
        "people",
        IndexModel(
            [("account", ASCENDING), ("kind", ASCENDING), ("keys", ASCENDING)], name="by_address"
        ),
    ),
)


class Standing(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What the directory says about somebody, as far as it may hide mail."""

    person_id: str
    kind: str | None = None
    """None once deleted."""
    keys: tuple[str, ...] | None = None
    """None where an older timeline wrote it; then `addresses` are there."""
    addresses: tuple[str, ...] = ()
    known_by: tuple[str, ...] | None = None

    @property
    def addresses_as_compared(self) -> tuple[str, ...]:
        """Return the addresses in the form in which they compare."""
        return tuple(map(normalise, self.addresses)) if self.keys is None else self.keys


@dataclass(frozen=True, slots=True)
class Hidden:
    """What is hidden, of the profiles that were asked about."""

    account: str = ""
    reasons: Mapping[str, Reason] = field(default_factory=lambda: MappingProxyType({}))
    """Of profiles that are hidden as a whole."""
    known_by: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    """Of ids that somebody else had before: hashes of the addresses of who has them now."""

    def __bool__(self) -> bool:
        return bool(self.reasons or self.known_by)

    def why(self, person_id: str, address: str) -> Reason | None:
        """Return why a match is hidden; None if it is not."""
        known_by = self.known_by.get(person_id)
        if person_id in self.reasons or known_by is None:
            return self.reasons.get(person_id)
        is_theirs = address_hash(self.account, person_id, normalise(address)) in known_by
        return None if is_theirs else "deleted"

    def hides_all_of(self, profiles: Collection[ProfileRef]) -> bool:
        """Return whether a row that is on these profiles is hidden."""
        return bool(profiles) and all(one.person_id in self.reasons for one in profiles)

    def concerns(self, profiles: Iterable[ProfileRef]) -> bool:
        """Return whether something may be hidden of a row that is on these profiles."""
        some = self.reasons.keys() | self.known_by.keys()
        return any(one.person_id in some for one in profiles)

    def without(self, captures: Iterable[Capture]) -> tuple[Capture, ...]:
        """Return captures, as they are ruled, as they would be had no hidden match been made."""
        if not self:
            return tuple(captures)
        return tuple(seen for one in captures if (seen := self._seen(one)) is not None)

    def _seen(self, capture: Capture) -> Capture | None:
        matches = tuple(
            match
            for match in capture.matches
            if match.detached or self.why(match.person_id, match.address) is None
        )
        if matches == capture.matches:
            return capture
        if all(match.detached for match in matches):
            return None
        return replace(capture, matches=matches)


NOTHING_HIDDEN = Hidden()


def hidden_of(account: str, people: Iterable[Standing], user_keys: Collection[str]) -> Hidden:
    """Return what is hidden of these people, where users have these addresses. Pure."""
    reasons: dict[str, Reason] = {}
    known_by: dict[str, frozenset[str]] = {}
    for person in people:
        if person.kind is None:
            reasons[person.person_id] = "deleted"
        elif _is_blocked(person, user_keys):
            reasons[person.person_id] = "blocked"
        elif person.known_by is not None:
            known_by[person.person_id] = frozenset(person.known_by)
    return Hidden(account, reasons, known_by)


def _is_blocked(person: Standing, user_keys: Collection[str]) -> bool:
    if person.kind == Kind.USER:
        return True
    return any(key in user_keys for key in person.addresses_as_compared)


class Hiding:
    """Tells what is hidden, in all accounts."""

    def __init__(self, database: Database) -> None:
        self._people = database["people"]

    async def of(self, account: str, person_ids: Collection[str]) -> Hidden:
        """Return what is hidden of these profiles."""
        if not person_ids:
            return NOTHING_HIDDEN
        ids = of_ids(account, [f"{account}/{person_id}" for person_id in person_ids])
        found = self._people.find(ids, fields_of(Standing)).hint(BY_ID)
        people = await records_of(Standing, found)
        no_users = (one for one in people if one.kind != Kind.USER)
        keys = {key for one in no_users for key in one.addresses_as_compared}
        users = await self.holders(account, [Kind.USER], keys)
        return hidden_of(account, people, {key for user in users for key in user.keys or ()})

    async def holders(
        self, account: str, kinds: Collection[Kind], keys: Collection[str]
    ) -> list[Standing]:
        """Return the people of these kinds who have one of these addresses."""
        if not keys:
            return []
        which = {
            "account": account,
            "kind": {"$in": [kind.value for kind in kinds]},
            "keys": {"$in": sorted(keys)},
        }
        found = self._people.find(which, fields_of(Standing)).hint("by_address")
        return await records_of(Standing, found)
