"""Quarantined captures, for listing and deciding (`release.py`).

`write/quarantine.py` stores them. Users who would see the mail can see and decide it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace
from pymongo import ASCENDING, DESCENDING, IndexModel

from services.timeline.query.cursors import after, read_cursor, write_cursor
from services.timeline.query.hiding import Hiding
from services.timeline.query.parts import records_of
from services.timeline.query.viewer import Viewer
from services.timeline.write.matches import merge_matches, visible_matches
from services.timeline.write.records import MatchRecord
from services.timeline.write.side_records import Held, HeldContent
from services.timeline.write.stored import from_document
from shared.contracts.events import MailAttached
from shared.storage.database import Database, Index

_NEWEST = [("at", DESCENDING), ("_id", DESCENDING)]
_IN_RANGE = [("account", ASCENDING), ("ranges", ASCENDING), *_NEWEST]
INDEXES = (
    # Quarantine.page
    Index("quarantine", IndexModel(_IN_RANGE, name="in_range")),
    # Quarantine.of_mail
    Index(
        "quarantine",
        IndexModel([("account", ASCENDING), ("mails.mail_id", ASCENDING)], name="of_mail"),
    ),
    # Quarantine.older_than
    Index("quarantine", IndexModel([("at", ASCENDING)], name="by_age")),
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A page of quarantined captures, and where the next one begins."""

    items: list[Held]
    """Without their events."""
    next_cursor: str | None


class Quarantine:
    """The quarantine of all accounts, for reading."""

    def __init__(self, database: Database) -> None:
        self._held = database[Held.collection]
        self._hiding = Hiding(database)

    async def one(self, viewer: Viewer, id_: str) -> Held | None:
        """Return a quarantined capture, if the viewer may see it."""
        found = await self._held.find_one(
            {"_id": id_, "account": viewer.account, "ranges": {"$in": viewer.audiences}}
        )
        if found is None:
            return None
        held = from_document(Held, found)
        return held if mails_for(await self.knowing(viewer, [held]), held) else None

    async def page(self, viewer: Viewer, limit: int, cursor: str | None) -> Waiting:
        """Return quarantined captures, newest first. Raises InvalidCursor."""
        position = read_cursor(cursor) if cursor is not None else None
        query = {
            "account": viewer.account,
            "ranges": {"$in": viewer.audiences},
            **after(position, "at", "_id"),
        }
        rows = self._held.find(query, {"mails.event": 0}).hint("in_range").sort(_NEWEST)
        found = await records_of(Held, rows.limit(limit + 1))
        page, more = found[:limit], found[limit:]
        return Waiting(page, write_cursor((page[-1].at, page[-1].id)) if more else None)

    async def knowing(self, viewer: Viewer, held: Sequence[Held]) -> Viewer:
        """Return the viewer with what is hidden and what is merged of these captures."""
        ids = {m.person_id for one in held for mail in one.mails for m in mail.shown.matches}
        return viewer.knowing(await self._hiding.of(viewer.account, ids))

    async def of_mail(self, account: str, mail_id: str, owner: str | None) -> list[Held]:
        """Return the captures of a mail that wait: an owner's, or all."""
        query = {"account": account, "mails.mail_id": mail_id}
        if owner is not None:
            query["owner"] = owner
        return await records_of(Held, self._held.find(query).hint("of_mail"))

    async def older_than(self, moment: datetime, limit: int = 100) -> list[Held]:
        """Return captures that arrived before this time."""
        rows = self._held.find({"at": {"$lt": moment}}).sort("at", ASCENDING)
        return await records_of(Held, rows.limit(limit))


def events_of(held: Held) -> list[tuple[MailAttached, str]]:
    """Return the events of a quarantined capture, each with the key of its bytes."""
    return [(MailAttached.decode(mail.event), mail.raw_key) for mail in held.mails]


def keys_of(held: Held) -> set[str]:
    """Return the keys of all bytes of a quarantined capture."""
    return {mail.raw_key for mail in held.mails}


def mails_for(viewer: Viewer, held: Held) -> list[HeldContent]:
    """Return the mails of a quarantined capture that the viewer may see, each once; without what is
    on hidden profiles alone, and on the profiles that would show them."""
    by_place: dict[str, list[HeldContent]] = {}
    for mail in held.mails:
        if not {*mail.audiences}.isdisjoint(viewer.audiences):
            by_place.setdefault(mail.part.partition("/")[0], []).append(mail.shown)
    mails = (_mail_for(viewer, parts) for parts in by_place.values())
    return [mail for mail in mails if mail is not None]


def _mail_for(viewer: Viewer, parts: Sequence[HeldContent]) -> HeldContent | None:
    def visible(matches: Iterable[MatchRecord]) -> tuple[MatchRecord, ...]:
        return tuple(visible_matches(merge_matches(matches), viewer.person_id))

    hidden = viewer.hidden
    left: list[MatchRecord] = []
    for part in parts:
        open_ = [m for m in part.matches if not hidden.why(m.person_id, m.address)]
        left += hidden.merged_matches(open_)
    shown = visible(left)
    is_hidden = not shown and visible(match for part in parts for match in part.matches)
    return None if is_hidden else replace(parts[0], matches=shown)
