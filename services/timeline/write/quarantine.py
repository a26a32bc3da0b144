"""Captures that wait for a user's yes: their mail has failed (`docs/authentication.md`).

`quarantine`: one document a capture, `{_id, account, capture_id, owner, at, ranges, authentication,
mails[{part, event, raw_key, ranges, shown}]}`. `mails` has an entry for each event of the capture,
and the event itself: a yes projects it as if it had just come. `ranges` are those that the mail
would have been in (`viewers.py`): who would see it may see that it waits, and decide.

The bytes lie in the blob store, under keys of their own. What waits is in no other collection but
`outcomes`, where its capture is `quarantined`: no inbox, no profile, no search and no live event
has anything of it.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.asynchronous.client_session import AsyncClientSession

from services.timeline.query.cursors import after, read_cursor, write_cursor
from services.timeline.write.audiences import Viewer, seen_by_range
from services.timeline.write.matches import merge_matches, visible_matches
from services.timeline.write.outcomes import part_of
from services.timeline.write.projection import Projection
from shared.blobs import quarantine_key
from shared.database import Database, Document, Index
from shared.events import MailAttached

_NEWEST = [("at", DESCENDING), ("_id", DESCENDING)]
_IN_RANGE = [("account", ASCENDING), ("ranges", ASCENDING), *_NEWEST]
_SHOWN = ("subject", "from", "to", "cc", "snippet", "forwarded_by")
INDEXES = (
    # Quarantine.page
    Index("quarantine", IndexModel(_IN_RANGE, name="in_range")),
    # Quarantine.older_than
    Index("quarantine", IndexModel([("at", ASCENDING)], name="by_age")),
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Some captures that wait, and where the next ones begin."""

    items: list[Document]
    next_cursor: str | None


def held_id(capture_id: str) -> str:
    """Return by what a capture that waits is known: 32 base32 characters."""
    digest = hashlib.sha256(f"quarantine\0{capture_id}".encode()).digest()
    return base64.b32encode(digest[:20]).decode().lower()


def raw_key(event: MailAttached) -> str:
    """Return where the bytes of a mail wait."""
    return quarantine_key(event.account, event.capture_id, event.place)


class Quarantine:
    """What waits in all accounts."""

    def __init__(self, database: Database) -> None:
        self._held = database["quarantine"]

    async def hold(
        self, event: MailAttached, projection: Projection, session: AsyncClientSession
    ) -> None:
        """Let an event's mail wait; a repetition changes nothing."""
        id_ = {"_id": held_id(str(event.capture_id)), "account": event.account}
        capture, content = projection.capture, projection.content
        ranges = sorted(seen_by_range([capture]))
        mail = {
            "part": part_of(event),
            "event": event.encode(),
            "raw_key": raw_key(event),
            "ranges": ranges,
            "shown": {
                **{field: content[field] for field in _SHOWN},
                "date": capture["date"],
                "matches": capture["matches"],
            },
        }
        about = {
            "capture_id": str(event.capture_id),
            "owner": event.owner,
            "at": capture["at"],
            "authentication": capture["authentication"],
        }
        # Two steps: a part is there once, whatever else is in it.
        gone = {"$pull": {"mails": {"part": mail["part"]}}, "$setOnInsert": about}
        await self._held.update_one(id_, gone, upsert=True, session=session)
        added = {"$push": {"mails": mail}, "$addToSet": {"ranges": {"$each": ranges}}}
        await self._held.update_one(id_, added, session=session)

    async def take(self, event: MailAttached, session: AsyncClientSession) -> None:
        """Forget that an event's mail waited: it is attached."""
        id_ = {"_id": held_id(str(event.capture_id)), "account": event.account}
        gone = {"$pull": {"mails": {"part": part_of(event)}}}
        await self._held.update_one(id_, gone, session=session)
        await self._held.delete_one({**id_, "mails": []}, session=session)

    async def forget(self, held: Document, session: AsyncClientSession) -> None:
        """Forget a capture that waited."""
        await self._held.delete_one(
            {"_id": held["_id"], "account": held["account"]}, session=session
        )

    async def one(self, viewer: Viewer, id_: str) -> Document | None:
        """Return a capture that waits, if the viewer may see it."""
        return await self._held.find_one(
            {"_id": id_, "account": viewer.account, "ranges": {"$in": viewer.ranges}}
        )

    async def page(self, viewer: Viewer, limit: int, cursor: str | None) -> Waiting:
        """Return what waits, newest first. Raises InvalidCursor."""
        position = read_cursor(cursor) if cursor is not None else None
        query = {
            "account": viewer.account,
            "ranges": {"$in": viewer.ranges},
            **after(position, "at", "_id"),
        }
        rows = self._held.find(query, {"mails.event": 0}).hint("in_range").sort(_NEWEST)
        found = await rows.limit(limit + 1).to_list()
        page, more = found[:limit], found[limit:]
        return Waiting(page, write_cursor((page[-1]["at"], page[-1]["_id"])) if more else None)

    async def older_than(self, moment: datetime, limit: int = 100) -> list[Document]:
        """Return captures that came before that moment."""
        rows = self._held.find({"at": {"$lt": moment}}).sort("at", ASCENDING)
        return await rows.limit(limit).to_list()


def events_of(held: Document) -> list[tuple[MailAttached, str]]:
    """Return the events of a capture that waits, each with the key of its bytes."""
    return [(MailAttached.decode(mail["event"]), mail["raw_key"]) for mail in held["mails"]]


def keys_of(held: Document) -> set[str]:
    """Return the keys of all bytes of a capture that waits."""
    return {mail["raw_key"] for mail in held["mails"]}


def mails_for(viewer: Viewer, held: Document) -> list[Document]:
    """Return the mails of a capture that waits, as the viewer may see them: each once."""
    by_place: dict[str, list[Document]] = {}
    for mail in held["mails"]:
        if not {*mail["ranges"]}.isdisjoint(viewer.ranges):
            by_place.setdefault(mail["part"].partition("/")[0], []).append(mail["shown"])
    return [_mail_for(viewer, parts) for parts in by_place.values()]


def _mail_for(viewer: Viewer, parts: Sequence[Document]) -> Document:
    matches = merge_matches(match for part in parts for match in part["matches"])
    return {**parts[0], "matches": visible_matches(matches, viewer.person_id)}
