"""What is unread: conversations by their latest arrival, and how many they are.

They end where the user has read everything before. They are looked for among more and more of the
latest arrivals, in the index alone. At most MAX_SCANNED conversations are looked at for a page, so
a page may hold fewer than asked for, even none, and go on.

Of more than MAX_COUNTED unread conversations, what is hidden is counted beyond the latest of them.
"""

from collections.abc import Collection, Sequence

from pymongo import DESCENDING

from services.timeline.query.arrivals import (
    Arrival,
    ProfilesArrival,
    after_arrival,
    has_one_of,
    place_of,
)
from services.timeline.query.cursors import Position, read_cursor, write_cursor
from services.timeline.query.hiding import Profile
from services.timeline.query.inbox_rows import (
    MAX_SCANNED,
    ConversationPage,
    InboxRows,
    row_ids,
    summary_index,
)
from services.timeline.query.parts import fields_of, records_of
from services.timeline.query.read_state import ReadState
from services.timeline.query.viewer import Viewer
from services.timeline.write.conversations import summary_id
from services.timeline.write.listed_records import SummaryRow
from services.timeline.write.read_marks import newest_arrivals
from shared.storage.database import BY_ID, Database, of_ids

MAX_COUNTED = 100
_LATEST = [("arrived", DESCENDING), ("thread", DESCENDING)]
INDEXES = (summary_index("arrivals", *_LATEST),)


class Unread:
    """The unread conversations of all accounts, for reading."""

    def __init__(self, database: Database, read_state: ReadState, rows: InboxRows) -> None:
        self._summaries = database[SummaryRow.collection]
        self._read_state, self._rows = read_state, rows

    async def page(
        self, viewer: Viewer, limit: int, cursor: str | None, person_id: str | None = None
    ) -> ConversationPage:
        """Return unread conversations, latest arrival first. Raises InvalidCursor."""
        position = read_cursor(cursor) if cursor is not None else None
        profile = None
        if person_id is not None:
            profile = await self._rows.hiding.profile(viewer.account, person_id)
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
        shown = await self._rows.items(viewer, [row for _, row in items[:limit]], by_place=False)
        return ConversationPage(shown, write_cursor(place) if place else None)

    async def count(self, viewer: Viewer) -> tuple[int, bool]:
        """Return how many conversations are unread, and whether there are more."""
        read_before = await self._read_state.read_before(viewer)
        rows = await self._arrivals(viewer, None, read_before, MAX_SCANNED)
        unread = await self._read_state.unread(viewer, newest_arrivals(rows), read_before)
        unread |= {row.conversation for row in await self._marked_before(viewer, None, read_before)}
        latest = [row.conversation for row in rows if row.conversation in unread]
        latest = [*dict.fromkeys([*latest, *sorted(unread)])][:MAX_COUNTED]
        hidden = await self._rows.unseen(viewer, latest)
        return len(unread - hidden), len(rows) == MAX_SCANNED

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
        shown = await self._rows.shown(viewer.account, whole, profile)
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
        rows = self._summaries.find(query, fields_of(kind)).hint("arrivals").sort(_LATEST)
        return await records_of(kind, rows.limit(limit))

    async def _whole(self, viewer: Viewer, rows: Sequence[Arrival]) -> list[SummaryRow]:
        """Return the rows with all of their fields."""
        ids = [summary_id(row.account, row.audience, row.conversation) for row in rows]
        found = self._summaries.find(of_ids(viewer.account, ids)).hint(BY_ID)
        whole = {row.id: row for row in await records_of(SummaryRow, found)}
        return [whole[id_] for id_ in ids if id_ in whole]

    async def _marked_before(
        self, viewer: Viewer, position: Position | None, read_before: int
    ) -> list[ProfilesArrival]:
        """Return the conversations that were marked as unread among those read all at once."""
        conversations = await self._read_state.marked_unread(viewer)
        ids = row_ids(viewer, conversations)
        older = [{"arrived": {"$lte": read_before}}, after_arrival(position)]
        query = {**of_ids(viewer.account, ids), "$and": older}
        found = self._summaries.find(query, fields_of(ProfilesArrival)).hint(BY_ID)
        rows = await records_of(ProfilesArrival, found)
        return sorted(rows, key=lambda row: (row.arrived, row.conversation), reverse=True)
