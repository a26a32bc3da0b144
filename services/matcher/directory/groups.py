"""Profiles that are merged: who is shown as one.

A merge is an edge on a person's document (`people.py`): `merged_into`, to a profile that has
`has_merged`, which stays when all are undone. So who was never part of a merge costs no look-up.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from pymongo import ASCENDING, IndexModel
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.storage.database import Database, Document, Index, of_id

_MERGED: Document = {"merged_into": {"$exists": True}}
_FIELDS = {"person_id": 1, "keys": 1, "merged_into": 1, "deleted": 1}
INDEXES = (
    # Groups: who is merged into one of these?
    Index(
        "people",
        IndexModel(
            [("account", ASCENDING), ("merged_into", ASCENDING)],
            name="merged_in",
            partialFilterExpression=_MERGED,
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Group:
    """Profiles that are merged, directly or by way of others."""

    survivor: str
    """The profile that shows the mail of all."""
    is_there: bool
    """Whether the directory has it."""
    members: frozenset[str]
    """The survivor among them."""
    keys: frozenset[str]
    """The addresses of all."""


class Groups:
    """The merged profiles of all accounts, as they are right now."""

    def __init__(self, database: Database) -> None:
        self._people = database["people"]

    async def of(self, account: str, people: Iterable[Document]) -> dict[str, Group]:
        """Return the groups that people are in, by their ids; of those that are in any."""
        linked = [one for one in people if "merged_into" in one or "has_merged" in one]
        found: dict[str, Group] = {}
        for one in linked:
            if one["person_id"] not in found:
                group = await self.one(account, one)
                found |= dict.fromkeys(group.members, group)
        return found

    async def one(
        self, account: str, person: Document, session: AsyncClientSession | None = None
    ) -> Group:
        """Return the group of a person's document; of one alone if they are in none."""
        top, seen = person, set[str]()
        while "merged_into" in top and top["person_id"] not in seen:  # they may change meanwhile
            seen.add(top["person_id"])
            id_ = f"{account}/{top['merged_into']}"
            above = await self._people.find_one(of_id(account, id_), _FIELDS, session=session)
            if above is None:
                break
            top = above
        members = {top["person_id"]: top}
        below: Collection[str] = [top["person_id"]]
        while below:
            which = {"account": account, "merged_into": {"$in": [*below], "$exists": True}}
            rows = self._people.find(which, _FIELDS, session=session).hint("merged_in")
            new = {one["person_id"]: one for one in await rows.to_list()}
            below = new.keys() - members.keys()
            members |= new
        keys = frozenset(key for one in members.values() for key in one["keys"])
        return Group(top["person_id"], "deleted" not in top, frozenset(members), keys)
