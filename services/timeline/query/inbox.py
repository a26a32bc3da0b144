"""Reading conversations: the inbox, one conversation, what is unread.

A page is one range of one index; with `visibility` `team` a second, nearly empty one beside it, for
the user in private (`write/audiences.py`). A conversation that is in both is shown once, joined, at
the place of its newest mail.

Unread conversations are listed by their arrival, newest first: they end where the user has read
everything before. They are looked for among more and more of the latest arrivals, in the index
alone. At most MAX_SCANNED conversations are looked at for a page, so a page may hold fewer than
asked for, even none, and go on.

What is hidden (`hiding.py`) is in no list. Of more than MAX_COUNTED unread conversations it is
counted beyond the latest of them.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace
from pymongo import ASCENDING, DESCENDING, IndexModel

from services.timeline.query.arrivals import (
    Arrival,
    ProfilesArrival,
    after_arrival,
    has_one_of,
    place_of,
)
from services.timeline.query.conversations import Conversations
from services.timeline.query.cursors import Position, after, read_cursor, write_cursor
from services.timeline.query.hiding import Profile
from services.timeline.query.merges import merged_profiles
from services.timeline.query.parts import fields_of, records_of
from services.timeline.query.read_state import ReadState
from services.timeline.query.shown_rows import ShownRows
from services.timeline.query.viewer import Viewer
from services.timeline.write.conversations import summary_id, summary_in, summary_row
from services.timeline.write.listed_records import SummaryRow
from services.timeline.write.read_marks import newest_arrivals
from services.timeline.write.summary import joined
from shared.storage.database import BY_ID, Database, Document, Index, of_ids

MAX_SCANNED = 2000
MAX_COUNTED = 100
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
        self._shown = ShownRows(database)
        self.hiding = self._shown.hiding

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
            rows = self._rows.find({**query, **after(position, "last_mail_at", "thread")})
            part = await records_of(SummaryRow, rows.hint(index).sort(_NEWEST).limit(size))
            for row, shown in zip(part, await self._shown_of(viewer, part, profile), strict=True):
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
            return ConversationPage(await self._joined(viewer, found), next_cursor)

    async def unread_page(
        self, viewer: Viewer, limit: int, cursor: str | None, person_id: str | None = None
    ) -> ConversationPage:
        """Return unread conversations, latest arrival first. Raises InvalidCursor."""
        position = read_cursor(cursor) if cursor is not None else None
        profile = None
        if person_id is not None:
            profile = await self.hiding.profile(viewer.account, person_id)
            if profile.hidden is not None:
                return ConversationPage([], None)
        members = profile.members if profile is not None else None
        read_before = await self._read_state.read_before(viewer)
        found: dict[str, tuple[Arrival, SummaryRow]] = {}
        place, left, size = position, MAX_SCANNED, limit + 1
        while len(found) <= limit and left > 0:
            rows = await self._arrivals(viewer, place, read_before, size, members)
            unread = await self._read_state.unread(viewer, newest_arrivals(rows), read_before)
            some = [row for row in rows if row.conversation in unread]
            await self._add(found, viewer, some, profile)
            if len(rows) < size:
                place = None
                marked = await self._marked_before(viewer, position, read_before)
                await self._add(found, viewer, marked, profile)
                break
            place = place_of(rows[-1])
            left -= size
            size = min(2 * size, left)
        items = list(found.values())
        if len(items) > limit:
            place = place_of(items[limit - 1][0])
        shown = await self._joined(viewer, [row for _, row in items[:limit]], by_place=False)
        return ConversationPage(shown, write_cursor(place) if place else None)

    async def unread_count(self, viewer: Viewer) -> tuple[int, bool]:
        """Return how many conversations are unread, and whether there are more."""
        read_before = await self._read_state.read_before(viewer)
        rows = await self._arrivals(viewer, None, read_before, MAX_SCANNED)
        unread = await self._read_state.unread(viewer, newest_arrivals(rows), read_before)
        unread |= {row.conversation for row in await self._marked_before(viewer, None, read_before)}
        latest = [row.conversation for row in rows if row.conversation in unread]
        latest = [*dict.fromkeys([*latest, *sorted(unread)])][:MAX_COUNTED]
        hidden = await self._shown.unseen(viewer.account, viewer.audiences, latest)
        return len(unread - hidden), len(rows) == MAX_SCANNED

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
        rows = await self._of_shown(viewer, await records_of(SummaryRow, found))
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

    async def _of_shown(self, viewer: Viewer, rows: Sequence[SummaryRow]) -> list[SummaryRow]:
        return [row for row in await self._shown_of(viewer, rows) if row is not None]

    async def _shown_of(
        self, viewer: Viewer, rows: Sequence[SummaryRow], profile: Profile | None = None
    ) -> list[SummaryRow | None]:
        """Return each row without what is hidden in it; None for those that are not listed."""
        shown = await self._shown.conversations(viewer.account, rows)
        about = (profile.survivor,) if profile is not None else None
        return [row if row is not None and has_one_of(row, about) else None for row in shown]

    async def _add(
        self,
        found: dict[str, tuple[Arrival, SummaryRow]],
        viewer: Viewer,
        arrivals: Sequence[Arrival],
        profile: Profile | None,
    ) -> None:
        """Add conversations to those that are found, each at its latest arrival."""
        members = profile.members if profile is not None else None
        wanted = [row for row in arrivals if has_one_of(row, members)]
        whole = await self._whole(viewer, wanted)
        shown = await self._shown_of(viewer, whole, profile)
        by_id = {row.id: row for row in shown if row is not None}
        for arrival in wanted:
            id_ = summary_id(arrival.account, arrival.audience, arrival.conversation)
            if id_ in by_id:
                found.setdefault(arrival.conversation, (arrival, by_id[id_]))

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
            "$and": [{"arrived": {"$gt": read_before}}, after_arrival(position)],
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
        older = [{"arrived": {"$lte": read_before}}, after_arrival(position)]
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
        return [InboxItem(row, row.conversation in unread) for row in shown]

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
            for row in await self._of_shown(viewer, await records_of(SummaryRow, found))
        }


def _both(row: SummaryRow, other: SummaryRow) -> SummaryRow:
    """Return a row as it is with the mails of another audience."""
    both = joined(summary_in(row), summary_in(other))
    whole = summary_row(row.account, row.audience, row.conversation, row.arrived, both)
    return replace(whole, persons=merged_profiles(whole.persons, {}))


def _row_ids(viewer: Viewer, conversations: Sequence[str]) -> list[str]:
    return [
        summary_id(viewer.account, audience, conversation)
        for audience in viewer.audiences
        for conversation in conversations
    ]


def _newest_mail(row: SummaryRow) -> tuple[datetime, str]:
    return row.last_mail_at, row.last.mail_id
