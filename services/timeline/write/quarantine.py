"""Captures that wait for a user's yes: their mail failed authentication (`docs/authentication.md`).

`quarantine`: one document per capture, `{_id, account, capture_id, owner, at, ranges,
authentication, mails[{part, event, raw_key, ranges, shown}]}`. `mails` has an entry for each event
of the capture, with the event itself: a yes projects it as if it had just arrived. `ranges` are the
audiences of the mail (`audiences.py`): who would see it sees that it waits, and may decide.

The bytes are in the blob store, under keys of their own. Apart from `outcomes`, where the capture
is `quarantined`, no other collection has anything of it: no inbox, profile, search or live event
shows it.
"""

import base64
import hashlib

from pymongo.asynchronous.client_session import AsyncClientSession

from services.timeline.write.audiences import seen_by_audience
from services.timeline.write.outcomes import part_of
from services.timeline.write.projection import Projection
from shared.blobs import quarantine_key
from shared.database import Database, Document
from shared.events import MailAttached

_SHOWN = ("subject", "from", "to", "cc", "snippet", "forwarded_by")


def held_id(capture_id: str) -> str:
    """Return by what a capture that waits is known: 32 base32 characters."""
    digest = hashlib.sha256(f"quarantine\0{capture_id}".encode()).digest()
    return base64.b32encode(digest[:20]).decode().lower()


def raw_key(event: MailAttached) -> str:
    """Return where the bytes of a mail wait."""
    return quarantine_key(event.account, event.capture_id, event.place)


class Quarantine:
    """What waits in all accounts, for writing."""

    def __init__(self, database: Database) -> None:
        self._held = database["quarantine"]

    async def hold(
        self, event: MailAttached, projection: Projection, session: AsyncClientSession
    ) -> None:
        """Let an event's mail wait; a repetition changes nothing."""
        id_ = {"_id": held_id(str(event.capture_id)), "account": event.account}
        capture, content = projection.capture, projection.content
        audiences = sorted(seen_by_audience([capture]))
        mail = {
            "part": part_of(event),
            "event": event.encode(),
            "raw_key": raw_key(event),
            "ranges": audiences,
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
        added = {"$push": {"mails": mail}, "$addToSet": {"ranges": {"$each": audiences}}}
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
