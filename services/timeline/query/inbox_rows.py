"""Rows of conversations as a viewer sees them: without what is hidden, joined over their audiences.

A user has at most two audiences: the team, and themselves in private (`write/audiences.py`). A
conversation that is in both is shown once, joined, at the place of its newest mail.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace
from pymongo import ASCENDING, IndexModel

from services.timeline.query.arrivals import has_one_of
from services.timeline.query.hiding import Hiding, Profile
from services.timeline.query.merges import merged_profiles
from services.timeline.query.parts import records_of
from services.timeline.query.read_state import ReadState
from services.timeline.query.shown_rows import ShownRows
from services.timeline.query.viewer import Viewer
from services.timeline.write.conversations import summary_id, summary_in, summary_row
from services.timeline.write.listed_records import SummaryRow
from services.timeline.write.read_marks import newest_arrivals
from services.timeline.write.summary import joined
from shared.storage.database import BY_ID, Database, Index, of_ids

MAX_SCANNED = 2000


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


class InboxRows:
    """Makes conversations of rows, in all accounts."""

    def __init__(self, database: Database, read_state: ReadState) -> None:
        self._summaries = database[SummaryRow.collection]
        self._read_state, self._shown = read_state, ShownRows(database)

    @property
    def hiding(self) -> Hiding:
        """What is hidden."""
        return self._shown.hiding

    async def unseen(self, viewer: Viewer, conversations: Sequence[str]) -> set[str]:
        """Return those of the conversations of which the viewer sees nothing."""
        return await self._shown.unseen(viewer.account, viewer.audiences, conversations)

    async def visible(self, account: str, rows: Sequence[SummaryRow]) -> list[SummaryRow]:
        """Return those of the rows that are listed, without what is hidden in them."""
        return [row for row in await self.shown(account, rows) if row is not None]

    async def shown(
        self, account: str, rows: Sequence[SummaryRow], profile: Profile | None = None
    ) -> list[SummaryRow | None]:
        """Return each row without what is hidden in it; None for those that are not listed."""
        shown = await self._shown.conversations(account, rows)
        about = (profile.survivor,) if profile is not None else None
        return [row if row is not None and has_one_of(row, about) else None for row in shown]

    async def items(
        self, viewer: Viewer, rows: Sequence[SummaryRow], *, by_place: bool = True
    ) -> list[InboxItem]:
        """Return the rows as conversations: joined over the viewer's audiences, each shown once."""
        others = await self._others(viewer, rows)
        shown: list[SummaryRow] = []
        for row in rows:
            other = others.get((row.conversation, row.audience))
            if by_place and other is not None and newest_mail(other) > newest_mail(row):
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
        found = self._summaries.find(of_ids(viewer.account, ids)).hint(BY_ID)
        one, other = viewer.audiences
        return {
            (row.conversation, other if row.audience == one else one): row
            for row in await self.visible(viewer.account, await records_of(SummaryRow, found))
        }


def _both(row: SummaryRow, other: SummaryRow) -> SummaryRow:
    """Return a row as it is with the mails of another audience."""
    both = joined(summary_in(row), summary_in(other))
    whole = summary_row(row.account, row.audience, row.conversation, row.arrived, both)
    return replace(whole, persons=merged_profiles(whole.persons, {}))


def row_ids(viewer: Viewer, conversations: Sequence[str]) -> list[str]:
    """Return the ids of the conversations' rows, of each audience of the viewer."""
    return [
        summary_id(viewer.account, audience, conversation)
        for audience in viewer.audiences
        for conversation in conversations
    ]


def newest_mail(row: SummaryRow) -> tuple[datetime, str]:
    """Return the place of a row among those of the inbox: when its newest mail is from."""
    return row.last_mail_at, row.last.mail_id


def summary_index(name: str, *keys: tuple[str, int]) -> Index:
    """Return an index of an audience's conversations."""
    led = [("account", ASCENDING), ("viewer", ASCENDING), *keys]
    return Index(SummaryRow.collection, IndexModel(led, name=name))
