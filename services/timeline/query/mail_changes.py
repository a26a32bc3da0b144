"""Mails in the order in which they changed, for a back-end that keeps a copy (decision 46).

A cursor has a position in each slot in which the account's mails were ever written
(`write/mail_changes.py`), so a late commit is always beyond it. A mail that changes again moves to
the end of a slot: a reader gets it again, or for the first time. Mails from before there were
stamps come first, by their ids.

Reads use the read concern `majority`: a number that a failover rolled back could be given to
another mail.
"""

import base64
import binascii
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pymongo import ASCENDING, IndexModel
from pymongo.read_concern import ReadConcern

from services.timeline.query.cursors import InvalidCursor
from services.timeline.query.mails import Mails, ShownMail
from services.timeline.query.viewer import Viewer
from services.timeline.write.mail_changes import COUNTERS
from services.timeline.write.records import ListedContent, Mail
from shared.storage.database import Database, Document, Index

MAX_CURSOR = 1200
_VERSION, _DONE = 1, b"~" * 32
_POSITION = struct.Struct(">BQ")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BY_CHANGE = [
    *(("account", ASCENDING), ("slot", ASCENDING)),
    *(("change", ASCENDING), ("_id", ASCENDING)),
]
INDEXES = (
    # MailChanges.page
    Index(Mail.collection, IndexModel(_BY_CHANGE, name="by_change")),
)


@dataclass(slots=True)
class Position:
    """How far a reader has read."""

    unstamped_after: bytes = b""
    """The id of the last mail without a stamp; _DONE when there are no more."""
    slots: dict[int, int] = field(default_factory=dict)

    def encode(self) -> str:
        """Return the position as a cursor."""
        slots = b"".join(_POSITION.pack(*pair) for pair in sorted(self.slots.items()))
        raw = bytes([_VERSION]) + self.unstamped_after.ljust(32, b"\0") + slots
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    @classmethod
    def decode(cls, cursor: str) -> "Position":
        """Return the position of a cursor. Raises InvalidCursor."""
        try:
            raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            if raw[:1] != bytes([_VERSION]) or len(raw) < 33:
                raise InvalidCursor("is not a cursor of this list")
            raw[1:33].decode("ascii")
            slots: dict[int, int] = dict(_POSITION.iter_unpack(raw[33:]))
            if any(change >= 1 << 63 for change in slots.values()):
                raise InvalidCursor("is not a cursor of this list")
            return cls(raw[1:33].rstrip(b"\0"), slots)
        except (ValueError, struct.error, binascii.Error) as error:
            raise InvalidCursor("is not a cursor of this list") from error


@dataclass(frozen=True, slots=True)
class ChangedMail:
    """A mail, and when it last changed; None if that was before this was recorded."""

    shown: ShownMail[ListedContent]
    at: datetime | None


@dataclass(frozen=True, slots=True)
class DeletedMail:
    """A mail that is there no longer, and when it was deleted."""

    id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ChangePage:
    """A page of changed mails, and the position after it."""

    items: list[ChangedMail]
    deleted: list[DeletedMail]
    cursor: str
    more: bool


class MailChanges:
    """The changes of all accounts' mails, for reading."""

    def __init__(self, database: Database, mails: Mails) -> None:
        majority = ReadConcern("majority")
        self._mails = database.get_collection(Mail.collection, read_concern=majority)
        self._counters = database.get_collection(COUNTERS, read_concern=majority)
        self._shown, self.hiding = mails, mails.hiding

    async def page(
        self, viewer: Viewer, limit: int, cursor: str | None, since: datetime | None
    ) -> ChangePage:
        """Return the next mails that changed; for a new reader those since a time.

        Raises InvalidCursor.
        """
        position = Position.decode(cursor) if cursor is not None else Position()
        last = await self._last(viewer.account)
        if cursor is None and since is not None:
            start = max(0, (since - _EPOCH) // timedelta(microseconds=1) - 1)
            position.slots = dict.fromkeys(last, start)
        found = await self._unstamped(viewer.account, position, limit, since)
        for slot, newest in sorted(last.items()):
            if position.slots.get(slot, 0) < newest and len(found) < limit:
                found += await self._of_slot(
                    viewer.account, position, slot, newest, limit - len(found)
                )
        more = position.unstamped_after != _DONE or any(
            position.slots.get(slot, 0) < newest for slot, newest in last.items()
        )
        gone = [DeletedMail(one["_id"], _at(one["change"])) for one in found if not one["captures"]]
        return ChangePage(await self._items(viewer, found), gone, position.encode(), more)

    async def _last(self, account: str) -> dict[int, int]:
        counters = self._counters.find({"account": account})
        return {counter["slot"]: counter["last"] for counter in await counters.to_list()}

    async def _unstamped(
        self, account: str, position: Position, limit: int, since: datetime | None
    ) -> list[Document]:
        if position.unstamped_after == _DONE:
            return []
        query: Document = {
            "account": account,
            "slot": None,
            "change": None,
            "_id": {"$gt": position.unstamped_after.decode("ascii")},
        }
        rows = self._mails.find(query, {"captures.at": 1}).hint("by_change")
        found = await rows.sort("_id", ASCENDING).limit(limit).to_list()
        full = len(found) == limit
        position.unstamped_after = found[-1]["_id"].encode("ascii") if full else _DONE
        if since is None:
            return found
        return [one for one in found if max(c["at"] for c in one["captures"]) >= since]

    async def _of_slot(
        self, account: str, position: Position, slot: int, newest: int, limit: int
    ) -> list[Document]:
        query = {
            "account": account,
            "slot": slot,
            "change": {"$gt": position.slots.get(slot, 0)},
        }
        rows = self._mails.find(query, {"change": 1, "captures.at": 1}).hint("by_change")
        found = await rows.sort("change", ASCENDING).limit(limit).to_list()
        if len(found) == limit:
            position.slots[slot] = found[-1]["change"]
        else:  # what is not there up to the newest has moved on since, to a higher number
            changes = [one["change"] for one in found]
            position.slots[slot] = max([newest, *changes])
        return found

    async def _items(self, viewer: Viewer, found: Sequence[Document]) -> list[ChangedMail]:
        at = {one["_id"]: one.get("change") for one in found}
        shown = await self._shown.several(viewer, list(at))
        return [ChangedMail(one, _moment(at[one.mail.id])) for one in shown]


def _moment(change: int | None) -> datetime | None:
    return None if change is None else _at(change)


def _at(change: int) -> datetime:
    return _EPOCH + timedelta(microseconds=change)
