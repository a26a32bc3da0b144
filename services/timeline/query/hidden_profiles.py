"""The profiles that are hidden from a viewer, and why (`hiding.py`).

Only profiles with mail of the viewer: who sees no mail of a profile is not told that there is one.
Of an id that somebody else has now it is not looked up whether that mail is the former holder's.

What hides a profile is somebody whose document says `may_hide`: who was deleted, whose id somebody
else had before, or a user. They are gone through in the order of their ids, at most MAX_SCANNED for
a page; behind each come the profiles that it hides, each behind the first of several. So a page
costs no more in an account of 100,000 people. Of merged profiles the one that survives is named.
"""

import base64
import binascii
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pymongo import ASCENDING, IndexModel

from services.timeline.query.cursors import InvalidCursor
from services.timeline.query.hiding import Hidden, Hiding, Reason, Standing, hidden_of
from services.timeline.query.parts import fields_of, records_of
from services.timeline.query.people import Directory
from services.timeline.query.viewer import Viewer
from services.timeline.write.listed_records import ProfileRow
from shared.contracts.events import Kind
from shared.storage.database import Database, Index

MAX_SCANNED = 1000
_AT_ONCE = 200
_END = "~" * 129
"""After every id."""
_ID = re.compile("[A-Za-z0-9._:@+~-]{0,129}")
_NO_USERS = [kind for kind in Kind if kind is not Kind.USER]
INDEXES = (
    # HiddenProfiles.page
    Index(
        "people",
        IndexModel(
            [("account", ASCENDING), ("_id", ASCENDING)],
            name="may_hide",
            partialFilterExpression={"may_hide": True},
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class HiddenProfile:
    """A profile that is hidden."""

    person_id: str
    reason: Reason
    name: str = ""
    kind: str | None = None
    """As the directory has it now; None where it has not."""
    in_use: bool = False
    """Of a deleted one: somebody else has the id now. Of a blocked one: it is in the directory."""


@dataclass(frozen=True, slots=True)
class HiddenPage:
    """Some hidden profiles, and where the next ones begin."""

    items: list[HiddenProfile]
    next_cursor: str | None


_Place = tuple[str, str]
"""The id of the source, and of the profile: what the list is sorted by."""


class HiddenProfiles:
    """The hidden profiles of all accounts."""

    def __init__(self, database: Database) -> None:
        self._people, self._rows = database["people"], database[ProfileRow.collection]
        self._hiding, self._directory = Hiding(database), Directory(database)

    async def page(self, viewer: Viewer, limit: int, cursor: str | None) -> HiddenPage:
        """Return hidden profiles. Raises InvalidCursor."""
        place = _read(cursor) if cursor is not None else ("", "")
        found: list[tuple[_Place, HiddenProfile]] = []
        scanned, more = 0, True
        while more and len(found) <= limit and scanned < MAX_SCANNED:
            sources = await self._sources(viewer.account, place)
            more, scanned = len(sources) == _AT_ONCE, scanned + len(sources)
            found += [one for one in await self._of(viewer, sources) if one[0] > place]
            place = (sources[-1].person_id, _END) if sources else place
        if len(found) > limit:
            return HiddenPage([one for _, one in found[:limit]], _cursor(found[limit - 1][0]))
        return HiddenPage([one for _, one in found], _cursor(place) if more else None)

    async def _sources(self, account: str, place: _Place) -> list[Standing]:
        """Return who is next to be looked at, beginning with the one at the place."""
        begin = "$gt" if place[1] == _END else "$gte"
        ids = {begin: f"{account}/{place[0]}", "$lt": f"{account}0"}
        which = {"account": account, "_id": ids, "may_hide": True}
        found = self._people.find(which, fields_of(Standing)).hint("may_hide")
        return await records_of(Standing, found.sort("_id", ASCENDING).limit(_AT_ONCE))

    async def _of(
        self, viewer: Viewer, sources: Sequence[Standing]
    ) -> list[tuple[_Place, HiddenProfile]]:
        """Return the hidden profiles of these sources with their places, in order."""
        account, ids = viewer.account, {one.person_id for one in sources}
        blocking = [one for one in sources if one.kind == Kind.USER]
        sharing = await self._hiding.holders(account, _NO_USERS, _keys_of(blocking))
        people = await self._hiding.groups(account, ids | {one.person_id for one in sharing})
        users = await self._hiding.holders(account, [Kind.USER], _keys_of(people))
        known = hidden_of(account, people, _keys_of(users))
        found = [
            one for one in _groups(people, known, users) if min(one.sources, default="") in ids
        ]
        seen = await self._with_mail(viewer, {id_ for one in found for id_ in one.hidden})
        found = [one for one in found if not seen.isdisjoint(one.hidden)]
        names = await self._names(account, [one.survivor for one in found])
        return sorted(((one.place, one.profile(names)) for one in found), key=lambda one: one[0])

    async def _names(self, account: str, person_ids: Collection[str]) -> dict[str, str]:
        people = await self._directory.named(account, person_ids)
        return {one.person_id: one.name for one in people.values()}

    async def _with_mail(self, viewer: Viewer, person_ids: Collection[str]) -> set[str]:
        """Return those of the profiles that have mail of the viewer: a step in the index each."""
        found: set[str] = set()
        for audience in viewer.audiences if person_ids else ():
            which = {
                "account": viewer.account,
                "viewer": audience,
                "person_id": {"$in": sorted(person_ids)},
            }
            found.update(await self._rows.distinct("person_id", which))
        return found


@dataclass(frozen=True, slots=True)
class _Group:
    """A profile of which mail is hidden, with all that are merged into it."""

    survivor: str
    kind: str | None
    reason: Reason
    whole: bool
    """Whether all of it is hidden; else what was somebody else's, who had one of the ids before."""
    hidden: set[str]
    """Of whose matches."""
    sources: set[str]
    """Because of whom."""

    @property
    def place(self) -> _Place:
        first = min(self.sources)
        return first, "" if first == self.survivor else self.survivor

    def profile(self, names: Mapping[str, str]) -> HiddenProfile:
        in_use = not self.whole or self.kind is not None
        if self.reason == "deleted":
            return HiddenProfile(self.survivor, "deleted", in_use=in_use)
        name = names.get(self.survivor, "")
        return HiddenProfile(self.survivor, "blocked", name, self.kind, in_use=in_use)


def _groups(
    people: Sequence[Standing], known: Hidden, users: Sequence[Standing]
) -> Iterator[_Group]:
    """Yield the profiles of which mail is hidden, each once."""
    by_id = {one.person_id: one for one in people}
    groups: dict[str, list[Standing]] = {}
    for one in people:
        groups.setdefault(known.survivors.get(one.person_id, one.person_id), []).append(one)
    for id_, members in groups.items():
        survivor, reason = by_id.get(id_), known.reasons.get(id_)
        keys = _keys_of(members)
        before = {one.person_id for one in members if one.known_by is not None}
        sources = {one.person_id for one in users if not keys.isdisjoint(one.keys or ())}
        sources |= {one.person_id for one in members if one.kind == Kind.USER} | before
        if survivor is not None and survivor.kind is None:
            sources.add(id_)
        kind = survivor.kind if survivor is not None else None
        if reason is not None:
            hidden = {id_, *(one.person_id for one in members)}
            yield _Group(id_, kind, reason, whole=True, hidden=hidden, sources=sources)
        elif before:
            yield _Group(id_, kind, "deleted", whole=False, hidden=before, sources=sources)


def _keys_of(people: Iterable[Standing]) -> set[str]:
    return {key for one in people for key in one.keys or ()}


def _cursor(place: _Place) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def _read(cursor: str) -> _Place:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        source, profile = json.loads(base64.urlsafe_b64decode(padded))
        if _ID.fullmatch(source) and _ID.fullmatch(profile):
            return source, profile
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise InvalidCursor("is not a cursor of this list") from error
    raise InvalidCursor("is not a cursor of this list")
