"""The profiles that are hidden from a viewer, and why (`hiding.py`).

Only profiles with mail of the viewer: who sees no mail of a profile is not told that there is one.
Of an id that somebody else has now it is not looked up whether that mail is the former holder's.

What hides a profile is somebody whose document says `may_hide`: who was deleted, whose id somebody
else had before, or a user. They are gone through in the order of their ids, at most MAX_SCANNED for
a page; behind each user come the profiles who share an address, each behind the first of several.
So a page costs no more in an account of 100,000 people.
"""

import base64
import binascii
import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pymongo import ASCENDING, IndexModel

from services.timeline.query.cursors import InvalidCursor
from services.timeline.query.hiding import Hiding, Reason, Standing
from services.timeline.query.parts import fields_of, records_of
from services.timeline.query.viewer import Viewer
from services.timeline.write.records import ProfileRow
from shared.contracts.events import Kind
from shared.storage.database import BY_ID, Database, Index, of_ids

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


class Source(Standing, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody because of whom mail may be hidden."""

    name: str = ""


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
        self._hiding = Hiding(database)

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

    async def _sources(self, account: str, place: _Place) -> list[Source]:
        """Return who is next to be looked at, beginning with the one at the place."""
        begin = "$gt" if place[1] == _END else "$gte"
        ids = {begin: f"{account}/{place[0]}", "$lt": f"{account}0"}
        which = {"account": account, "_id": ids, "may_hide": True}
        found = self._people.find(which, fields_of(Source)).hint("may_hide")
        return await records_of(Source, found.sort("_id", ASCENDING).limit(_AT_ONCE))

    async def _of(
        self, viewer: Viewer, sources: Sequence[Source]
    ) -> list[tuple[_Place, HiddenProfile]]:
        """Return the hidden profiles of these sources with their places, in order."""
        found = await self._themselves(viewer.account, sources)
        found += await self._blocked_by(viewer.account, sources)
        seen = await self._with_mail(viewer, {one.person_id for _, one in found})
        return sorted((one for one in found if one[1].person_id in seen), key=lambda one: one[0])

    async def _themselves(
        self, account: str, sources: Sequence[Source]
    ) -> list[tuple[_Place, HiddenProfile]]:
        """Return the sources as profiles: users now, deleted, or somebody else's before."""
        returned = [one.person_id for one in sources if one.kind not in (None, Kind.USER)]
        blocked = (await self._hiding.of(account, returned)).reasons
        found: list[tuple[_Place, HiddenProfile]] = []
        for one in sources:
            id_, in_use = one.person_id, one.kind is not None
            if one.kind == Kind.USER:
                found.append(((id_, ""), HiddenProfile(id_, "blocked", one.name, one.kind, in_use)))
            elif id_ not in blocked:  # else it is listed behind the user
                found.append(((id_, ""), HiddenProfile(id_, "deleted", in_use=in_use)))
        return found

    async def _blocked_by(
        self, account: str, sources: Sequence[Source]
    ) -> list[tuple[_Place, HiddenProfile]]:
        """Return who shares an address with a user of these, and with none of a lower id."""
        own = {key for one in sources if one.kind == Kind.USER for key in one.keys or ()}
        sharing = await self._hiding.holders(account, _NO_USERS, own)
        keys = {key for one in sharing for key in one.keys or ()}
        users = await self._hiding.holders(account, [Kind.USER], keys)
        names = await self._names(account, [one.person_id for one in sharing])
        found: list[tuple[_Place, HiddenProfile]] = []
        ids = {one.person_id for one in sources}
        for one in sharing:
            own = {*(one.keys or ())}
            blocking = (user.person_id for user in users if not own.isdisjoint(user.keys or ()))
            by = min(blocking, default="")
            if by in ids:
                name = names.get(one.person_id, "")
                profile = HiddenProfile(one.person_id, "blocked", name, one.kind, in_use=True)
                found.append(((by, one.person_id), profile))
        return found

    async def _names(self, account: str, person_ids: Collection[str]) -> dict[str, str]:
        ids = of_ids(account, [f"{account}/{person_id}" for person_id in person_ids])
        found = self._people.find(ids, fields_of(Source)).hint(BY_ID)
        return {one.person_id: one.name for one in await records_of(Source, found)}

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
