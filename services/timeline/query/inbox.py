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

from msgspec import field
from msgspec.structs import replace
from pymongo import ASCENDING, DESCENDING, IndexModel

from services.timeline.query.conversations import Conversations
from services.timeline.query.cursors import Position, after, read_cursor, write_cursor
from services.timeline.query.merges import Merges, merged_profiles
from services.timeline.query.parts import fields_of, records_of
from services.timeline.query.read_state import ReadState
from services.timeline.query.viewer import Viewer
from services.timeline.write.conversations import summary_id, summary_in, summary_row
from services.timeline.write.read_marks import newest_arrivals
from services.timeline.write.records import ProfileRef, Record, SummaryRow
from services.timeline.write.summary import joined
from shared.storage.database import BY_ID, Database, Document, Index, of_ids

MAX_SCANNED = 2000
_NEWEST = [("last_mail_at", DESCENDING), ("thread", DESCENDING)]
_LATEST = [("arrived", DESCENDING), ("thread", DESCENDING)]


def _index(name: str, *keys: tuple[str, int]) -> Index:
    led = [("account", ASCENDING), ("viewer", ASCENDING), *keys]
    return Index(SummaryRow.collection, IndexModel(led, name=name))


INDEXES = (
    # Inbox.page
    _index("inbox", *_NEWEST),
    # Inbox.page with person_id
    _index("of_person", ("persons.person_id", ASCENDING), *_NEWEST),
    # Inbox.unread_page, unread_count
    _index("arrivals", *_LATEST),
)


class Arrival(Record, frozen=True, kw_only=True, omit_defaults=True):
    """When something last arrived in a conversation: what the index `arrivals` has of it."""

    account: str
    audience: str = field(name="viewer")
    conversation: str = field(name="thread")
    arrived: int


class ProfilesArrival(Arrival, frozen=True, kw_only=True, omit_defaults=True):
    """An arrival, with the profiles of its conversation."""

    persons: tuple[ProfileRef, ...]


@dataclass(frozen=True, slots=True)
class InboxItem:
    """A conversation as it is listed."""

    row: SummaryRow
    """Joined over the viewer's audiences; of merged profiles it has the one that survives."""
    unread: bool


@dataclass(frozen=True, slots=True)
class ConversationPage:
    """Some conversations, and where the next ones begin."""

    items: list[InboxItem]
    next_cursor: str | None


class Inbox:
    """The conversations of all accounts, for reading."""

    def __init__(self, database: Database, read_state: ReadState) -> None:
        self._rows = database[SummaryRow.collection]
        self._conversations = Conversations(database)
        self._read_state = read_state
        self.merges = Merges(database)

    async def page(
        self, viewer: Viewer, limit: int, cursor: str | None, person_id: str | None = None
    ) -> ConversationPage:
        """Return conversations, newest first, or one profile's. Raises InvalidCursor."""
        position = read_cursor(cursor) if cursor is not None else None
        query: Document = {"account": viewer.account, "viewer": {"$in": viewer.audiences}}
        if person_id is not None:
            group = await self.merges.group(viewer.account, person_id)
            query["persons.person_id"] = {"$in": [*group.members]}
        query |= after(position, "last_mail_at", "thread")
        index = "of_person" if person_id is not None else "inbox"
        rows = self._rows.find(query).hint(index).sort(_NEWEST)
        found = await records_of(SummaryRow, rows.limit(limit + 1))
        page, more = found[:limit], found[limit:]
        return ConversationPage(
            await self._joined(viewer, page),
            write_cursor((page[-1].last_mail_at, page[-1].conversation)) if more else None,
        )

    async def unread_page(
        self, viewer: Viewer, limit: int, cursor: str | None, person_id: str | None = None
    ) -> ConversationPage:
        """Return unread conversations, latest arrival first. Raises InvalidCursor."""
        position = read_cursor(cursor) if cursor is not None else None
        profiles: Collection[str] | None = None
        if person_id is not None:
            profiles = (await self.merges.group(viewer.account, person_id)).members
        read_before = await self._read_state.read_before(viewer)
        found: dict[str, Arrival] = {}
        place, left, size = position, MAX_SCANNED, limit + 1
        while len(found) <= limit and left > 0:
            rows = await self._arrivals(viewer, place, read_before, size, profiles)
            unread = await self._read_state.unread(viewer, newest_arrivals(rows), read_before)
            for row in rows:
                if row.conversation in unread and _is_about(row, profiles):
                    found.setdefault(row.conversation, row)
            if len(rows) < size:
                place = None
                for row in await self._marked_before(viewer, position, read_before):
                    if _is_about(row, profiles):
                        found.setdefault(row.conversation, row)
                break
            place = _place_of(rows[-1])
            left -= size
            size = min(2 * size, left)
        items = list(found.values())
        if len(items) > limit:
            place = _place_of(items[limit - 1])
        shown = await self._joined(viewer, await self._whole(viewer, items[:limit]), by_place=False)
        return ConversationPage(shown, write_cursor(place) if place else None)

    async def unread_count(self, viewer: Viewer) -> tuple[int, bool]:
        """Return how many conversations are unread, and whether there are more."""
        read_before = await self._read_state.read_before(viewer)
        rows = await self._arrivals(viewer, None, read_before, MAX_SCANNED)
        unread = await self._read_state.unread(viewer, newest_arrivals(rows), read_before)
        unread |= {row.conversation for row in await self._marked_before(viewer, None, read_before)}
        return len(unread), len(rows) == MAX_SCANNED

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
        ids = _row_ids(viewer, conversations)
        found = self._rows.find(of_ids(viewer.account, ids)).hint(BY_ID)
        rows = await records_of(SummaryRow, found)
        newest = {row.conversation: row for row in sorted(rows, key=_newest_mail)}
        return await self._joined(viewer, [newest[c] for c in conversations if c in newest])

    async def mark(self, viewer: Viewer, conversation_id: str, *, unread: bool) -> bool:
        """Mark a conversation as read or unread; return whether it exists."""
        if await self.one(viewer, conversation_id) is None:
            return False
        conversation = await self._conversations.resolve(viewer.account, conversation_id) or ""
        audiences = {*viewer.audiences, viewer.person_id}
        ids = [summary_id(viewer.account, audience, conversation) for audience in audiences]
        found = self._rows.find(of_ids(viewer.account, ids), fields_of(Arrival)).hint(BY_ID)
        newest = newest_arrivals(await records_of(Arrival, found))
        await self._read_state.mark(viewer, conversation, newest[conversation], unread=unread)
        return True

    async def mark_all(self, viewer: Viewer, before: datetime) -> None:
        """Mark everything as read that had arrived by this time."""
        await self._read_state.mark_all(viewer, int(before.timestamp() * 1000))

    async def _arrivals(
        self,
        viewer: Viewer,
        position: Position | None,
        read_before: int,
        limit: int,
        profiles: Collection[str] | None = None,
    ) -> list[Arrival]:
        """Return the conversations in which something arrived since, latest first.

        Only what the index has of them, and where `profiles` are asked for theirs.
        """
        query = {
            "account": viewer.account,
            "viewer": {"$in": viewer.audiences},
            "$and": [{"arrived": {"$gt": read_before}}, _after_arrival(position)],
        }
        kind = Arrival if profiles is None else ProfilesArrival
        rows = self._rows.find(query, fields_of(kind)).hint("arrivals").sort(_LATEST)
        return await records_of(kind, rows.limit(limit))

    async def _whole(self, viewer: Viewer, rows: Sequence[Arrival]) -> list[SummaryRow]:
        """Return the rows with all of their fields."""
        ids = [summary_id(row.account, row.audience, row.conversation) for row in rows]
        found = self._rows.find(of_ids(viewer.account, ids)).hint(BY_ID)
        whole = {row.id: row for row in await records_of(SummaryRow, found)}
        return [whole[id_] for id_ in ids if id_ in whole]

    async def _marked_before(
        self, viewer: Viewer, position: Position | None, read_before: int
    ) -> list[ProfilesArrival]:
        """Return the conversations that were marked as unread among those read all at once."""
        conversations = await self._read_state.marked_unread(viewer)
        ids = _row_ids(viewer, conversations)
        older = [{"arrived": {"$lte": read_before}}, _after_arrival(position)]
        query = {**of_ids(viewer.account, ids), "$and": older}
        found = self._rows.find(query, fields_of(ProfilesArrival)).hint(BY_ID)
        rows = await records_of(ProfilesArrival, found)
        return sorted(rows, key=lambda row: (row.arrived, row.conversation), reverse=True)

    async def _joined(
        self, viewer: Viewer, rows: Sequence[SummaryRow], *, by_place: bool = True
    ) -> list[InboxItem]:
        """Return the rows as conversations: joined over the viewer's audiences, each shown once."""
        others = await self._others(viewer, rows)
        shown: list[SummaryRow] = []
        for row in rows:
            other = others.get((row.conversation, row.audience))
            if by_place and other is not None and _newest_mail(other) > _newest_mail(row):
                continue  # it was shown before, at the place of its newest mail
            shown.append(_both(row, other) if other is not None else row)
        read_before = await self._read_state.read_before(viewer)
        newest = newest_arrivals([*shown, *others.values()])
        arrived = {row.conversation: newest[row.conversation] for row in shown}
        unread = await self._read_state.unread(viewer, arrived, read_before)
        named = {person.person_id for row in shown for person in row.persons}
        survivors = await self.merges.survivors(viewer.account, named)
        return [
            InboxItem(
                replace(row, persons=merged_profiles(row.persons, survivors)),
                row.conversation in unread,
            )
            for row in shown
        ]

    async def _others(
        self, viewer: Viewer, rows: Collection[SummaryRow]
    ) -> dict[tuple[str, str], SummaryRow]:
        """Return the row of the viewer's other audience, by a row's conversation and audience."""
        if len(viewer.audiences) == 1 or not rows:
            return {}
        ids = [
            summary_id(viewer.account, audience, row.conversation)
            for row in rows
            for audience in viewer.audiences
            if audience != row.audience
        ]
        found = self._rows.find(of_ids(viewer.account, ids)).hint(BY_ID)
        one, other = viewer.audiences
        return {
            (row.conversation, other if row.audience == one else one): row
            for row in await records_of(SummaryRow, found)
        }


def _both(row: SummaryRow, other: SummaryRow) -> SummaryRow:
    """Return a row as it is with the mails of another audience."""
    both = joined(summary_in(row), summary_in(other))
    return summary_row(row.account, row.audience, row.conversation, row.arrived, both)


def _row_ids(viewer: Viewer, conversations: Sequence[str]) -> list[str]:
    return [
        summary_id(viewer.account, audience, conversation)
        for audience in viewer.audiences
        for conversation in conversations
    ]


def _is_about(row: Arrival, profiles: Collection[str] | None) -> bool:
    if profiles is None:
        return True
    persons = row.persons if isinstance(row, ProfilesArrival) else ()
    return any(person.person_id in profiles for person in persons)


def _newest_mail(row: SummaryRow) -> tuple[datetime, str]:
    return row.last_mail_at, row.last.mail_id


def _place_of(row: Arrival) -> Position:
    return _moment(row.arrived), row.conversation


def _after_arrival(position: Position | None) -> Document:
    if position is None:
        return {}
    number = round(position[0].timestamp() * 1000)
    later = [{"arrived": {"$lt": number}}, {"thread": {"$lt": position[1]}}]
    return {"arrived": {"$lte": number}, "$or": later}


def _moment(number: int) -> datetime:
    return datetime.fromtimestamp(number / 1000, UTC)
