"""Which profiles are hidden, and what that hides of a mail.

A profile is hidden

* `deleted`: while the directory does not have it any more. Of an id that came back for somebody
  else, what was matched by an address of the former holder is (`PersonChanged.known_by`).
* `blocked`: while it is a user, or shares an address with a user of the account. Guests, vendors
  and other accounts' people block nothing.

Of merged profiles (`merges.py`) the one that survives is hidden or not, and all with it: who was
merged and is deleted then hides nothing. It is blocked by an address of any that is there. What is
hidden is told of what is stored, which names the people whose addresses matched; what is left of
that is on the profile that survives. Whose an id was before stays a matter of that id alone.

Who is not in the timeline's copy of the directory was not announced yet and is not hidden.

It is told when mail is read, from the copy as it is at that moment, so nothing is moved or written,
and the order in which mail and changes arrive does not matter. What is hidden of a mail is what it
would not have if its hidden matches had never been made: a capture that names hidden profiles only
is not there, nor is a mail without captures. A mail that users removed from all of its profiles is
on none, and not hidden by any.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from msgspec.structs import replace
from pymongo import ASCENDING, IndexModel

from services.timeline.query.merges import merged_into_one_of, merged_matches, survivor_of
from services.timeline.query.parts import fields_of, records_of
from services.timeline.write.listed_records import ProfileRef
from services.timeline.write.records import Capture, MatchRecord, Record
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
    merged_into: str | None = None

    @property
    def addresses_as_compared(self) -> tuple[str, ...]:
        """Return the addresses in the form in which they compare."""
        return tuple(map(normalise, self.addresses)) if self.keys is None else self.keys


@dataclass(frozen=True, slots=True)
class Hidden:
    """What is hidden, of the profiles that were asked about, and which of them are merged.

    Ids are those that are stored, of the people whose addresses matched.
    """

    account: str = ""
    reasons: Mapping[str, Reason] = field(default_factory=lambda: MappingProxyType({}))
    """Of profiles that are hidden as a whole."""
    known_by: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    """Of ids that somebody else had before: hashes of the addresses of who has them now."""
    survivors: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Of those that are merged into others, whose profile shows their mail."""

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

    def profiles_of(self, captures: Iterable[Capture]) -> dict[str, Reason]:
        """Return the profiles of captures by which none of these is to be seen, and why."""
        on = [m for capture in captures for m in capture.matches if not m.detached]
        why: dict[str, set[Reason | None]] = {}
        for match in on:
            shows = self.survivors.get(match.person_id, match.person_id)
            why.setdefault(shows, set()).add(self.why(match.person_id, match.address))
        reasons: tuple[Reason, ...] = "deleted", "blocked"
        hidden = ((one, found) for one, found in why.items() if None not in found)
        return {one: next(r for r in reasons if r in found) for one, found in hidden}

    def without(self, captures: Iterable[Capture]) -> tuple[Capture, ...]:
        """Return captures, as they are ruled, as they would be had no hidden match been made."""
        if not self:
            return tuple(captures)
        return tuple(seen for one in captures if (seen := self._seen(one)) is not None)

    def merged(self, captures: Iterable[Capture]) -> tuple[Capture, ...]:
        """Return captures with their matches on the profiles that survive."""
        if not self.survivors:
            return tuple(captures)
        return tuple(replace(one, matches=self.merged_matches(one.matches)) for one in captures)

    def merged_matches(self, matches: Sequence[MatchRecord]) -> tuple[MatchRecord, ...]:
        """Return the matches of one capture on the profiles that survive."""
        return merged_matches(matches, self.survivors)

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


def hidden_of(account: str, people: Collection[Standing], user_keys: Collection[str]) -> Hidden:
    """Return what is hidden of these people, where users have these addresses. Pure.

    Everybody has to be there who is merged with one of them.
    """
    by_id = {one.person_id: one for one in people}
    edges = {one.person_id: one.merged_into for one in people if one.merged_into is not None}
    users = {*user_keys}
    groups: dict[str, list[Standing]] = {}
    for one in people:
        groups.setdefault(survivor_of(edges, one.person_id), []).append(one)
        if one.kind == Kind.USER:
            users.update(one.addresses_as_compared)
    reasons: dict[str, Reason] = {}
    for survivor, members in groups.items():
        reason = _reason(by_id.get(survivor), members, users)
        if reason is not None:
            reasons |= dict.fromkeys([survivor, *(one.person_id for one in members)], reason)
    known_by = {
        one.person_id: frozenset(one.known_by)
        for one in people
        if one.known_by is not None and one.person_id not in reasons
    }
    merged = {one.person_id: to for to, members in groups.items() for one in members}
    survivors = {one: survivor for one, survivor in merged.items() if one != survivor}
    return Hidden(account, reasons, known_by, survivors)


def _reason(
    survivor: Standing | None, members: Iterable[Standing], user_keys: Collection[str]
) -> Reason | None:
    """Return why a profile is hidden, with all that are merged into it."""
    if survivor is not None and survivor.kind is None:
        return "deleted"
    if survivor is not None and survivor.kind == Kind.USER:
        return "blocked"
    keys = (key for one in members for key in one.addresses_as_compared)
    return "blocked" if any(key in user_keys for key in keys) else None


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile that shows mail, with all others whose mail it shows."""

    survivor: str
    members: tuple[str, ...]
    """All of them, the survivor first."""
    hidden: Reason | None


class Hiding:
    """Tells what is hidden and what is merged, in all accounts."""

    def __init__(self, database: Database) -> None:
        self._people = database["people"]

    async def of(self, account: str, person_ids: Collection[str]) -> Hidden:
        """Return what is hidden of these profiles, and on which profiles they are shown."""
        if not person_ids:
            return NOTHING_HIDDEN
        return await self.told_of(account, await self.groups(account, person_ids))

    async def told_of(self, account: str, people: Collection[Standing]) -> Hidden:
        """Return what is hidden of people, among whom are all who are merged with them."""
        no_users = (one for one in people if one.kind != Kind.USER)
        keys = {key for one in no_users for key in one.addresses_as_compared}
        users = await self.holders(account, [Kind.USER], keys)
        return hidden_of(account, people, {key for user in users for key in user.keys or ()})

    async def profile(self, account: str, person_id: str) -> Profile:
        """Return the profile that shows a person's mail."""
        people = await self.groups(account, [person_id])
        known = await self.told_of(account, people)
        survivor = known.survivors.get(person_id, person_id)
        others = sorted({one.person_id for one in people} - {survivor})
        return Profile(survivor, (survivor, *others), known.reasons.get(survivor))

    async def groups(self, account: str, person_ids: Collection[str]) -> list[Standing]:
        """Return what the directory says of these people, and of all who are merged with them."""
        found: dict[str, Standing] = {}
        above, open_ = set[str](), {*person_ids}
        while open_:
            ids = of_ids(account, [f"{account}/{person_id}" for person_id in sorted(open_)])
            rows = self._people.find(ids, fields_of(Standing)).hint(BY_ID)
            found |= {one.person_id: one for one in await records_of(Standing, rows)}
            above |= open_
            open_ = {one.merged_into for one in found.values() if one.merged_into} - above
        open_ = above
        while open_:
            which = {"account": account, **merged_into_one_of(open_)}
            rows = self._people.find(which, fields_of(Standing)).hint("merged_in")
            below = {one.person_id: one for one in await records_of(Standing, rows)}
            open_ = below.keys() - found.keys() - above
            found |= below
        return [*found.values()]

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
