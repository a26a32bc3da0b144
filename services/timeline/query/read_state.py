"""What a user has read, per conversation.

A conversation's row for an audience has a number, `arrived`, that grows with every new mail
(`write/listing.py`). A user has read a conversation through such a number (`ReadMark`), or all of
them through one ("mark all as read", `ReadBefore`), so marks need not be kept for ever.
"""

from collections.abc import Mapping

from msgspec import field
from pymongo import ASCENDING, IndexModel

from services.timeline.query.parts import fields_of, records_of
from services.timeline.query.viewer import Viewer
from services.timeline.write.read_marks import is_unread, mark_id, reader_id
from services.timeline.write.records import Record
from services.timeline.write.side_records import ReadBefore, ReadMark
from services.timeline.write.stored import from_document
from shared.storage.database import BY_ID, Database, Document, Index, of_id, of_ids

MAX_MARKED_UNREAD = 500
"""Conversations that one user may have marked as unread, older than what they read all at once."""
INDEXES = (
    # ReadState.mark_all, marked_unread
    Index(
        "read_marks",
        IndexModel(
            [("account", ASCENDING), ("user", ASCENDING), ("unread", ASCENDING)], name="of_user"
        ),
    ),
)


class _Marked(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Which conversation a mark is on."""

    conversation: str = field(name="thread")


class ReadState:
    """The read state of all users."""

    def __init__(self, database: Database) -> None:
        self._marks = database[ReadMark.collection]
        self._readers = database[ReadBefore.collection]

    async def read_before(self, viewer: Viewer) -> int:
        """Return the number through which the user has read everything."""
        found = await self._readers.find_one(_user(viewer))
        return from_document(ReadBefore, found).read_before if found else 0

    async def unread(
        self, viewer: Viewer, arrived: Mapping[str, int], read_before: int
    ) -> set[str]:
        """Return the unread conversations of those given, each with what arrived last in it."""
        ids = [_mark_id(viewer, conversation) for conversation in arrived]
        found = self._marks.find(of_ids(viewer.account, ids)).hint(BY_ID)
        marks = {mark.conversation: mark for mark in await records_of(ReadMark, found)}
        return {
            conversation
            for conversation, number in arrived.items()
            if is_unread(number, marks.get(conversation), read_before)
        }

    async def marked_unread(self, viewer: Viewer) -> list[str]:
        """Return the conversations that the user has marked as unread."""
        query = {"account": viewer.account, "user": viewer.person_id, "unread": True}
        found = self._marks.find(query, fields_of(_Marked)).limit(MAX_MARKED_UNREAD)
        return [mark.conversation for mark in await records_of(_Marked, found)]

    async def mark(self, viewer: Viewer, conversation: str, through: int, *, unread: bool) -> None:
        """Mark a conversation as read through a number, or as unread."""
        await self._marks.update_one(
            of_id(viewer.account, _mark_id(viewer, conversation)),
            {
                "$max": {"through": through},
                "$set": {"unread": unread},
                "$setOnInsert": {"user": viewer.person_id, "thread": conversation},
            },
            upsert=True,
        )

    async def mark_all(self, viewer: Viewer, through: int) -> None:
        """Mark everything as read that arrived through that number."""
        await self._readers.update_one(
            _user(viewer),
            {"$max": {"read_before": through}},
            upsert=True,
        )
        of_user = {"account": viewer.account, "user": viewer.person_id}
        await self._marks.delete_many({**of_user, "through": {"$lte": through}})


def _user(viewer: Viewer) -> Document:
    return of_id(viewer.account, reader_id(viewer.account, viewer.person_id))


def _mark_id(viewer: Viewer, conversation: str) -> str:
    return mark_id(viewer.account, viewer.person_id, conversation)
