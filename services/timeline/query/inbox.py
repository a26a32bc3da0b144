"""Reading conversations: the inbox, one conversation, what is unread.

A page is one range of one index; with `visibility` `team` a second, nearly empty one beside it, for
the user in private (`write/audiences.py`). A conversation that is in both is shown once, joined, at
the place of its newest mail.

Unread conversations are listed by their arrival, newest first: they end where the user has read
everything before. They are looked for among more and more of the latest arrivals, in the index
alone. At most MAX_SCANNED conversations are looked at for a page, so a page may hold fewer than
asked for, even none, and go on.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pymongo import DESCENDING

from services.timeline.query.cursors import Position, after, read_cursor, write_cursor
from services.timeline.query.read_state import ReadState
from services.timeline.query.viewer import Viewer
from services.timeline.write import summary
from services.timeline.write.conversations import Conversations
from services.timeline.write.read_marks import newest_arrivals
from shared.database import BY_ID, Database, Document, of_ids

MAX_SCANNED = 2000
_NEWEST = [("last_mail_at", DESCENDING), ("thread", DESCENDING)]
_LATEST = [("arrived", DESCENDING), ("thread", DESCENDING)]
_ARRIVAL = {"_id": 0, "account": 1, "viewer": 1, "thread": 1, "arrived": 1}
"""What the index `arrivals` has of a conversation."""


@dataclass(frozen=True, slots=True)
class ConversationPage:
    """Some conversations, each with its summary and whether it is unread."""

    items: list[Document]
    next_cursor: str | None


class Inbox:
    """The conversations of all accounts, for reading."""

    def __init__(self, database: Database, read_state: ReadState) -> None:
        self._rows = database["conversations"]
        self._conversations = Conversations(database)
        self._read_state = read_state

    async def page(
        self, viewer: Viewer, limit: int, cursor: str | None, person_id: str | None = None
    ) -> ConversationPage:
        """Return conversations, newest first, or one profile's. Raises InvalidCursor."""
        position = read_cursor(cursor) if cursor is not None else None
        query: Document = {"account": viewer.account, "viewer": {"$in": viewer.audiences}}
        if person_id is not None:
            query["persons.person_id"] = person_id
        query |= after(position, "last_mail_at", "thread")
        index = "of_person" if person_id is not None else "inbox"
        rows = self._rows.find(query).hint(index).sort(_NEWEST)
        found = await rows.limit(limit + 1).to_list()
        page, more = found[:limit], found[limit:]
        return ConversationPage(
            await self._joined(viewer, page),
            write_cursor((page[-1]["last_mail_at"], page[-1]["thread"])) if more else None,
        )

    async def unread_page(
        self, viewer: Viewer, limit: int, cursor: str | None, person_id: str | None = None
    ) -> ConversationPage:
        """Return unread conversations, latest arrival first. Raises InvalidCursor."""
        position = read_cursor(cursor) if cursor is not None else None
        read_before = await self._read_state.read_before(viewer)
        found: dict[str, Document] = {}
        place, left, size = position, MAX_SCANNED, limit + 1
        while len(found) <= limit and left > 0:
            rows = await self._arrivals(viewer, place, read_before, size, person_id)
            unread = await self._read_state.unread(viewer, newest_arrivals(rows), read_before)
            for row in rows:
                if row["thread"] in unread and _has_person(row, person_id):
                    found.setdefault(row["thread"], row)
            if len(rows) < size:
                place = None
                for row in await self._marked_before(viewer, position, read_before):
                    if _has_person(row, person_id):
                        found.setdefault(row["thread"], row)
                break
            place = _moment(rows[-1]["arrived"]), rows[-1]["thread"]
            left -= size
            size = min(2 * size, left)
        items = list(found.values())
        if len(items) > limit:
            place = _moment(items[limit - 1]["arrived"]), items[limit - 1]["thread"]
        shown = await self._joined(viewer, await self._whole(viewer, items[:limit]), by_place=False)
        return ConversationPage(shown, write_cursor(place) if place else None)

    async def unread_count(self, viewer: Viewer) -> tuple[int, bool]:
        """Return how many conversations are unread, and whether there are more."""
        read_before = await self._read_state.read_before(viewer)
        rows = await self._arrivals(viewer, None, read_before, MAX_SCANNED)
        unread = await self._read_state.unread(viewer, newest_arrivals(rows), read_before)
        unread |= {r["thread"] for r in await self._marked_before(viewer, None, read_before)}
        return len(unread), len(rows) == MAX_SCANNED

    async def one(self, viewer: Viewer, conversation_id: str) -> Document | None:
        """Return a conversation by its id, or by one that it had before it was merged."""
        conversation = await self._conversations.resolve(viewer.account, conversation_id)
        found = (
            await self.of_conversations(viewer, [conversation]) if conversation is not None else []
        )
        return next(iter(found), None)

    async def of_conversations(
        self, viewer: Viewer, conversations: Sequence[str]
    ) -> list[Document]:
        """Return those of the conversations that the viewer may see, in this order."""
        ids = [
            f"{viewer.account}/{audience}/{t}"
            for audience in viewer.audiences
            for t in conversations
        ]
        rows = await self._rows.find(of_ids(viewer.account, ids)).hint(BY_ID).to_list()
        newest = {row["thread"]: row for row in sorted(rows, key=_place)}
        joined = await self._joined(viewer, [newest[t] for t in conversations if t in newest])
        return joined

    async def mark(self, viewer: Viewer, conversation_id: str, *, unread: bool) -> bool:
        """Mark a conversation as read or unread; return whether there is such a one."""
        if await self.one(viewer, conversation_id) is None:
            return False
        conversation = await self._conversations.resolve(viewer.account, conversation_id) or ""
        audiences = {*viewer.audiences, viewer.person_id}
        ids = [f"{viewer.account}/{audience}/{conversation}" for audience in audiences]
        fields = {"thread": 1, "arrived": 1}
        rows = await self._rows.find(of_ids(viewer.account, ids), fields).hint(BY_ID).to_list()
        await self._read_state.mark(
            viewer, conversation, newest_arrivals(rows)[conversation], unread=unread
        )
        return True

    async def mark_all(self, viewer: Viewer, before: datetime) -> None:
        """Mark everything as read that had arrived at that moment."""
        await self._read_state.mark_all(viewer, int(before.timestamp() * 1000))

    async def _arrivals(
        self,
        viewer: Viewer,
        position: Position | None,
        read_before: int,
        limit: int,
        person_id: str | None = None,
    ) -> list[Document]:
        """Return the conversations in which something arrived since, latest first.

        Only what the index has of them, and with a person their profiles.
        """
        query = {
            "account": viewer.account,
            "viewer": {"$in": viewer.audiences},
            "$and": [{"arrived": {"$gt": read_before}}, _after_arrival(position)],
        }
        fields = _ARRIVAL if person_id is None else {**_ARRIVAL, "persons": 1}
        rows = self._rows.find(query, fields).hint("arrivals").sort(_LATEST)
        return await rows.limit(limit).to_list()

    async def _whole(self, viewer: Viewer, rows: Sequence[Document]) -> list[Document]:
        """Return the rows with all of their fields."""
        ids = [f"{row['account']}/{row['viewer']}/{row['thread']}" for row in rows]
        wanted = of_ids(viewer.account, ids)
        found = {row["_id"]: row async for row in self._rows.find(wanted).hint(BY_ID)}
        return [found[id_] for id_ in ids if id_ in found]

    async def _marked_before(
        self, viewer: Viewer, position: Position | None, read_before: int
    ) -> list[Document]:
        """Return the conversations that were marked as unread among those read all at once."""
        conversations = await self._read_state.marked_unread(viewer)
        ids = [
            f"{viewer.account}/{audience}/{t}"
            for audience in viewer.audiences
            for t in conversations
        ]
        older = [{"arrived": {"$lte": read_before}}, _after_arrival(position)]
        query = {**of_ids(viewer.account, ids), "$and": older}
        rows = await self._rows.find(query, {**_ARRIVAL, "persons": 1}).hint(BY_ID).to_list()
        return sorted(rows, key=lambda row: (row["arrived"], row["thread"]), reverse=True)

    async def _joined(
        self, viewer: Viewer, rows: Sequence[Document], *, by_place: bool = True
    ) -> list[Document]:
        """Return the rows as conversations: joined over the viewer's audiences, each shown once."""
        others = await self._others(viewer, rows)
        shown: list[Document] = []
        for row in rows:
            other = others.get((row["thread"], row["viewer"]))
            if by_place and other is not None and _place(other) > _place(row):
                continue  # it was shown before, at the place of its newest mail
            shown.append({**row, **summary.joined(row, other)} if other is not None else row)
        read_before = await self._read_state.read_before(viewer)
        arrived = newest_arrivals([*shown, *others.values()])
        arrived = {row["thread"]: arrived[row["thread"]] for row in shown}
        unread = await self._read_state.unread(viewer, arrived, read_before)
        return [{**row, "unread": row["thread"] in unread} for row in shown]

    async def _others(
        self, viewer: Viewer, rows: Collection[Document]
    ) -> dict[tuple[str, str], Document]:
        """Return the row of the viewer's other audience, by a row's conversation and audience."""
        if len(viewer.audiences) == 1 or not rows:
            return {}
        ids = [
            f"{viewer.account}/{audience}/{row['thread']}"
            for row in rows
            for audience in viewer.audiences
            if audience != row["viewer"]
        ]
        found = self._rows.find(of_ids(viewer.account, ids)).hint(BY_ID)
        (one, other), rows = viewer.audiences, await found.to_list()
        return {(r["thread"], other if r["viewer"] == one else one): r for r in rows}


def _has_person(row: Document, person_id: str | None) -> bool:
    return person_id is None or any(person["person_id"] == person_id for person in row["persons"])


def _place(row: Document) -> tuple[datetime, str]:
    return row["last_mail_at"], row["last"]["mail_id"]


def _after_arrival(position: Position | None) -> Document:
    if position is None:
        return {}
    number = round(position[0].timestamp() * 1000)
    later = [{"arrived": {"$lt": number}}, {"thread": {"$lt": position[1]}}]
    return {"arrived": {"$lte": number}, "$or": later}


def _moment(number: int) -> datetime:
    return datetime.fromtimestamp(number / 1000, UTC)
