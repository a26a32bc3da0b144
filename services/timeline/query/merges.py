"""Merged profiles: on which profile the mail of which people is shown (decision 51).

A merge is an edge from a profile to the one it was merged into, on the person as the directory
announces it (`write/people.py`). Edges are followed to their end, which is the profile that
survives. What is stored of a mail names the people whose addresses it has; only when it is read
these become survivors. So a merge and its undoing count at once, in every view, in whatever order,
also for mail that came in between.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace
from pymongo import ASCENDING, IndexModel

from services.timeline.query.parts import fields_of, records_of
from services.timeline.query.viewer import Viewer
from services.timeline.write.audiences import as_ruled, profile_dates
from services.timeline.write.records import Mail, MatchRecord, ProfileRef, Record
from shared.storage.database import Database, Document, Index

_MERGED: Document = {"merged_into": {"$exists": True}}


def _index(name: str, *keys: str) -> Index:
    led = [(key, ASCENDING) for key in ("account", *keys)]
    return Index("people", IndexModel(led, name=name, partialFilterExpression=_MERGED))


INDEXES = (
    # Merges.survivors
    _index("merged", "person_id", "merged_into"),
    # Merges.group
    _index("merged_in", "merged_into", "person_id"),
)


class Edge(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A person, and whom they are merged into."""

    person_id: str
    merged_into: str


@dataclass(frozen=True, slots=True)
class Group:
    """A profile with all that are merged into it."""

    survivor: str
    members: tuple[str, ...]
    """The survivor first."""


class Merges:
    """The merges of all accounts, for reading."""

    def __init__(self, database: Database) -> None:
        self._people = database["people"]

    async def survivors(self, account: str, person_ids: Collection[str]) -> dict[str, str]:
        """Return of those people that are merged into others whose profile shows their mail."""
        edges: dict[str, str] = {}
        asked, open_ = set[str](), {*person_ids}
        while open_:
            which = {"account": account, "person_id": {"$in": sorted(open_)}, **_MERGED}
            found = self._people.find(which, fields_of(Edge)).hint("merged")
            new = {edge.person_id: edge.merged_into for edge in await records_of(Edge, found)}
            edges |= new
            asked |= open_
            open_ = {*new.values()} - asked
        survivors = {person_id: survivor_of(edges, person_id) for person_id in person_ids}
        return {one: survivor for one, survivor in survivors.items() if one != survivor}

    async def survivor(self, account: str, person_id: str | None) -> str | None:
        """Return the profile that shows a person's mail; of nobody None."""
        if person_id is None:
            return None
        return (await self.survivors(account, [person_id])).get(person_id, person_id)

    async def group(self, account: str, person_id: str) -> Group:
        """Return the profile that shows a person's mail, with all others whose mail it shows."""
        survivor = await self.survivor(account, person_id) or person_id
        return Group(survivor, tuple(await self.below(account, [survivor])))

    async def below(self, account: str, people: Sequence[str]) -> list[str]:
        """Return people, and all that are merged into them."""
        members, open_ = [*people], [*people]
        while open_:
            into = {"merged_into": {"$in": open_, "$exists": True}}
            found = self._people.find({"account": account, **into}, fields_of(Edge))
            edges = await records_of(Edge, found.hint("merged_in"))
            open_ = sorted({edge.person_id for edge in edges} - {*members})
            members += open_
        return members

    async def shown(self, account: str, mails: Collection[Mail]) -> list[Mail]:
        """Return the mails on the profiles that show them."""
        named = {match.person_id for one in mails for c in one.captures for match in c.matches}
        survivors = await self.survivors(account, named)
        return [as_merged(one, survivors) for one in mails]


def survivor_of(edges: Mapping[str, str], person_id: str) -> str:
    """Return whose profile shows a person's mail. Pure.

    Edges of a cycle are in force while events of an undoing and of another merge are on their way:
    then one of its members is taken, the same from wherever it is asked.
    """
    path = [person_id]
    while (into := edges.get(path[-1])) is not None:
        if into in path:
            return min(path[path.index(into) :])
        path.append(into)
    return path[-1]


def as_merged(mail: Mail, survivors: Mapping[str, str]) -> Mail:
    """Return a mail with its matches on the profiles that show them. Pure."""
    if survivors.keys().isdisjoint(m.person_id for c in mail.captures for m in c.matches):
        return mail
    captures = (replace(c, matches=merged_matches(c.matches, survivors)) for c in mail.captures)
    return replace(mail, captures=tuple(captures))


def merged_matches(
    matches: Sequence[MatchRecord], survivors: Mapping[str, str]
) -> tuple[MatchRecord, ...]:
    """Return the matches of a capture on the profiles that show them. Pure.

    An address that only merged profiles share is not shared.
    """
    shown = [_shown(match, survivors) for match in matches]
    holders: dict[str, set[str]] = {}
    for match in shown:
        holders.setdefault(match.address, set()).add(match.person_id)
    alone = {m.address for m in shown if m.made_for and len(holders[m.address]) == 1}
    return tuple(replace(m, shared_address=False) if m.address in alone else m for m in shown)


def _shown(match: MatchRecord, survivors: Mapping[str, str]) -> MatchRecord:
    survivor = survivors.get(match.person_id)
    if survivor is None:
        return match
    return replace(match, person_id=survivor, made_for=match.person_id)


def merged_profiles(
    persons: Iterable[ProfileRef], survivors: Mapping[str, str]
) -> tuple[ProfileRef, ...]:
    """Return the profiles of a conversation, those that are merged as one. Pure."""
    persons = [*persons]
    found = {person.person_id: person for person in persons if person.person_id not in survivors}
    for person in persons:
        survivor = survivors.get(person.person_id)
        if survivor is not None:
            found.setdefault(survivor, replace(person, person_id=survivor))
    return tuple(found[person_id] for person_id in sorted(found))


def place_of(viewer: Viewer, mail: Mail, profile: str) -> datetime | None:
    """Return when a profile has a mail, as its viewer sees it; None where it has not. Pure.

    Each person whom a mail names has a row of it. Of merged ones, the row that counts is that of
    the content which is shown there.
    """
    dates = profile_dates(as_ruled(mail))
    return next((dates[a, profile] for a in viewer.audiences if (a, profile) in dates), None)
