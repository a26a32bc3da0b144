"""Merged profiles: on which profile the mail of which people is shown (decision 51).

A merge is an edge from a profile to the one it was merged into, on the person as the directory
announces it (`write/people.py`). Edges are followed to their end, which is the profile that
survives. What is stored of a mail names the people whose addresses it has; only when it is read
these become survivors. So a merge and its undoing count at once, in every view, in whatever order,
also for mail that came in between.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace
from pymongo import ASCENDING, IndexModel

from services.timeline.query.parts import fields_of, records_of
from services.timeline.write.listed_records import ProfileRef
from services.timeline.write.records import MatchRecord, Record
from shared.storage.database import Database, Document, Index

MERGED: Document = {"merged_into": {"$exists": True}}
INDEXES = (
    # Merges.below, Hiding.of
    Index(
        "people",
        IndexModel(
            [("account", ASCENDING), ("merged_into", ASCENDING), ("person_id", ASCENDING)],
            name="merged_in",
            partialFilterExpression=MERGED,
        ),
    ),
)


class Edge(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A person, and whom they are merged into."""

    person_id: str
    merged_into: str


class Merges:
    """The merges of all accounts, for reading."""

    def __init__(self, database: Database) -> None:
        self._people = database["people"]

    async def below(self, account: str, people: Sequence[str]) -> list[str]:
        """Return people, and all that are merged into them."""
        members, open_ = [*people], [*people]
        while open_:
            which = {"account": account, **merged_into_one_of(open_)}
            found = self._people.find(which, fields_of(Edge)).hint("merged_in")
            edges = await records_of(Edge, found)
            open_ = sorted({edge.person_id for edge in edges} - {*members})
            members += open_
        return members


def merged_into_one_of(people: Iterable[str]) -> Document:
    """Return the condition for who is merged into one of these, that the index answers."""
    return {"merged_into": {"$in": sorted(people), "$exists": True}}


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
