"""The inbox: conversations newest first, one conversation, what is read.

A page is one range of one index; with `visibility` `team` a second, nearly empty one beside it, for
the user in private. At most MAX_SCANNED conversations are looked at for a page, so a page may hold
fewer than asked for, even none, and go on. What is hidden (`hiding.py`) is in no list.
"""

from collections.abc import Sequence
from datetime import datetime

from pymongo import ASCENDING, DESCENDING

from services.timeline.query.arrivals import Arrival
from services.timeline.query.conversations import Conversations
from services.timeline.query.cursors import after, read_cursor, write_cursor
from services.timeline.query.inbox_rows import (
    MAX_SCANNED,
    ConversationPage,
    InboxItem,
    InboxRows,
    newest_mail,
    row_ids,
    summary_index,
)
from services.timeline.query.parts import fields_of, records_of
from services.timeline.query.read_state import ReadState
from services.timeline.query.unread import Unread
from services.timeline.query.viewer import Viewer
from services.timeline.write.conversations import summary_id
from services.timeline.write.listed_records import SummaryRow
from services.timeline.write.read_marks import newest_arrivals
from shared.storage.database import BY_ID, Database, Document, of_ids

_NEWEST = [("last_mail_at", DESCENDING), ("thread", DESCENDING)]
INDEXES = (
    # Inbox.page
    summary_index("inbox", *_NEWEST),
    # Inbox.page with person_id
    summary_index("of_person", ("persons.person_id", ASCENDING), *_NEWEST),
)


class Inbox:
    """The conversations of all accounts, for reading."""

    def __init__(self, database: Database, read_state: ReadState) -> None:
        self._summaries = database[SummaryRow.collection]
        self._conversations = Conversations(database)
        self._read_state = read_state
        self._rows = InboxRows(database, read_state)
        self.hiding = self._rows.hiding
        self.unread = Unread(database, read_state, self._rows)

    async def page(
        self, viewer: Viewer, limit: int, cursor: str | None, person_id: str | None = None
    ) -> ConversationPage:
        """Return conversations, newest first, or one profile's. Raises InvalidCursor."""
        position = read_cursor(cursor) if cursor is not None else None
        query: Document = {"account": viewer.account, "viewer": {"$in": viewer.audiences}}
        profile = None
        if person_id is not None:
            profile = await self.hiding.profile(viewer.account, person_id)
            if profile.hidden is not None:
                return ConversationPage([], None)
            query["persons.person_id"] = {"$in": [*profile.members]}
        index = "of_person" if person_id is not None else "inbox"
        found: list[SummaryRow] = []
        left, size = MAX_SCANNED, limit + 1
        while True:
            rows = self._summaries.find({**query, **after(position, "last_mail_at", "thread")})
            part = await records_of(SummaryRow, rows.hint(index).sort(_NEWEST).limit(size))
            for row, shown in zip(
                part, await self._rows.shown(viewer.account, part, profile), strict=True
            ):
                if len(found) == limit:
                    break
                position = row.last_mail_at, row.conversation
                found += [shown] if shown is not None else []
            else:
                left -= size
                if len(part) == size and left > 0:
                    size = min(2 * size, left)
                    continue
                position = position if len(part) == size else None
            next_cursor = write_cursor(position) if position is not None else None
            return ConversationPage(await self._rows.items(viewer, found), next_cursor)

    async def one(self, viewer: Viewer, conversation_id: str) -> InboxItem | None:
        """Return a conversation by its id, or by a former id from before a merge."""
        conversation = await self._conversations.resolve(viewer.account, conversation_id)
        found = (
            await self.of_conversations(viewer, [conversation]) if conversation is not None else []
        )
        return next(iter(found), None)

    async def of_conversations(
        self, viewer: Viewer, conversations: Sequence[str]
    ) -> list[InboxItem]:
        """Return those of the conversations that the viewer may see, in this order."""
        ids = row_ids(viewer, conversations)
        found = self._summaries.find(of_ids(viewer.account, ids)).hint(BY_ID)
        rows = await self._rows.visible(viewer.account, await records_of(SummaryRow, found))
        newest = {row.conversation: row for row in sorted(rows, key=newest_mail)}
        return await self._rows.items(viewer, [newest[c] for c in conversations if c in newest])

    async def mark(self, viewer: Viewer, conversation_id: str, *, unread: bool) -> bool:
        """Mark a conversation as read or unread; return whether it exists."""
        if await self.one(viewer, conversation_id) is None:
            return False
        conversation = await self._conversations.resolve(viewer.account, conversation_id) or ""
        audiences = {*viewer.audiences, viewer.person_id}
        ids = [summary_id(viewer.account, audience, conversation) for audience in audiences]
        found = self._summaries.find(of_ids(viewer.account, ids), fields_of(Arrival)).hint(BY_ID)
        newest = newest_arrivals(await records_of(Arrival, found))
        await self._read_state.mark(viewer, conversation, newest[conversation], unread=unread)
        return True

    async def mark_all(self, viewer: Viewer, before: datetime) -> None:
        """Mark everything as read that had arrived by this time."""
        await self._read_state.mark_all(viewer, int(before.timestamp() * 1000))
