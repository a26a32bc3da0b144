"""Rows as they are listed: without what is hidden of their mails (`hiding.py`), and on the profiles
that survive (`merges.py`).

Rows name the profiles that a mail or a conversation is on. Where none of these is hidden a row is
as it is stored, and where all are it is not listed: that takes no look at the mails. Only a row
that is on hidden profiles and on others is rebuilt, as the writer would have made it without the
hidden matches: of a conversation from its MAX_MAILS newest mails. Only then those who are left are
named as the profiles that survive.

What arrived last, by which a conversation is unread, stays what it was.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from functools import reduce
from typing import Literal, Protocol, TypeVar

from msgspec import field
from msgspec.structs import replace

from services.timeline.query.hiding import Hidden, Hiding
from services.timeline.query.merges import merged_profiles
from services.timeline.query.parts import fields_of, records_of
from services.timeline.write.audiences import View, as_ruled, views
from services.timeline.write.conversations import summary_id, summary_row
from services.timeline.write.listed_records import MailRow, ProfileRef, SummaryRow
from services.timeline.write.mail_rows import content_id, mail_row
from services.timeline.write.records import Content, Mail, Record
from services.timeline.write.summary import MAX_PERSONS, joined, summary_of
from shared.storage.database import BY_ID, Database, of_ids

MAX_MAILS = 500
_NEWEST = [("date", -1), ("mail_id", -1)]


class Profiles(Record, frozen=True, kw_only=True, omit_defaults=True):
    """The profiles of a conversation."""

    conversation: str = field(name="thread")
    persons: tuple[ProfileRef, ...]


class OfMail(Protocol):
    """A row of a mail."""

    @property
    def mail_id(self) -> str:
        """The mail's id."""

    @property
    def audience(self) -> str:
        """Who reads the row."""

    @property
    def content(self) -> str:
        """The key of the content that the row shows."""

    @property
    def persons(self) -> tuple[ProfileRef, ...]:
        """The profiles that the mail is on."""


Row = TypeVar("Row", bound=OfMail)
Seen = View | Literal["as it is"] | None
"""What is to be seen of a row; None: nothing."""


class ShownRows:
    """Leaves hidden mail out of rows, in all accounts."""

    def __init__(self, database: Database) -> None:
        self.hiding = Hiding(database)
        self._rows, self._mails = database[MailRow.collection], database[Mail.collection]
        self._contents = database[Content.collection]
        self._summaries = database[SummaryRow.collection]

    async def hidden(self, account: str, persons: Sequence[Sequence[ProfileRef]]) -> Hidden:
        """Return what is hidden of the profiles of rows."""
        ids = {one.person_id for of_row in persons for one in of_row}
        return await self.hiding.of(account, ids)

    async def conversations(
        self, account: str, rows: Sequence[SummaryRow]
    ) -> list[SummaryRow | None]:
        """Return each row without what is hidden in it, on the profiles that survive; None for a
        hidden conversation."""
        hidden = await self.hidden(account, [row.persons for row in rows])
        shown: list[SummaryRow | None] = [
            None if is_hidden(row.persons, hidden) else row for row in rows
        ]
        partly = [at for at, row in enumerate(shown) if row and hidden.concerns(row.persons)]
        rebuilt = await asyncio.gather(*(self._rebuilt(rows[at]) for at in partly))
        for at, row in zip(partly, rebuilt, strict=True):
            shown[at] = row
        # A row names the first of a great many; rebuilt it may name others.
        first = {one.person_id for row in rows for one in row.persons}
        others = {one.person_id for row in rebuilt if row for one in row.persons} - first
        survivors = {**hidden.survivors, **(await self.hiding.of(account, others)).survivors}
        return [row and _merged(row, survivors) for row in shown]

    async def partly(
        self, account: str, audiences: Sequence[str], conversations: Collection[str]
    ) -> set[str]:
        """Return those of the conversations that have hidden mail."""
        rows, hidden = await self._hidden_in(account, audiences, conversations)
        return {row.conversation for row in rows if hidden.concerns(row.persons)}

    async def unseen(
        self, account: str, audiences: Sequence[str], conversations: Collection[str]
    ) -> set[str]:
        """Return those of the conversations that are hidden.

        One with some hidden mail is rebuilt: all of its mail may be a former holder's.
        """
        rows, hidden = await self._hidden_in(account, audiences, conversations)
        left = [row for row in rows if not is_hidden(row.persons, hidden)]
        partly = {row.conversation for row in left if hidden.concerns(row.persons)}
        seen = {row.conversation for row in left if not hidden.concerns(row.persons)}
        ids = [summary_id(account, a, one) for a in audiences for one in partly - seen]
        if ids:
            found = self._summaries.find(of_ids(account, ids)).hint(BY_ID)
            whole = await records_of(SummaryRow, found)
            seen.update(row.conversation for row in await self.conversations(account, whole) if row)
        return {row.conversation for row in rows} - seen

    async def _hidden_in(
        self, account: str, audiences: Sequence[str], conversations: Collection[str]
    ) -> tuple[list[Profiles], Hidden]:
        ids = [summary_id(account, a, one) for a in audiences for one in conversations]
        found = self._summaries.find(of_ids(account, ids), fields_of(Profiles)).hint(BY_ID)
        rows = await records_of(Profiles, found)
        return rows, await self.hidden(account, [row.persons for row in rows])

    async def found(self, account: str, rows: Sequence[Row]) -> list[Row]:
        """Return those of the mails' rows that are to be seen with the content that they have."""
        seen = await self._seen(account, rows)
        return [
            row
            for row, as_seen in zip(rows, seen, strict=True)
            if as_seen == "as it is" or (as_seen and as_seen.content == row.content)
        ]

    async def _rebuilt(self, row: SummaryRow) -> SummaryRow | None:
        """Return the row of a conversation, made of what is to be seen of its mails."""
        which = {"account": row.account, "viewer": row.audience, "thread": row.conversation}
        found = self._rows.find(which, {"terms": 0}).hint("of_thread").sort(_NEWEST)
        stored = await records_of(MailRow, found.limit(MAX_MAILS))
        seen = await self._seen(row.account, stored)
        mails = [
            await self._rebuilt_mail(mail, as_seen)
            for mail, as_seen in zip(stored, seen, strict=True)
            if as_seen is not None
        ]
        summaries = [summary_of(mail) for mail in mails if mail is not None]
        if not summaries:
            return None
        whole = reduce(joined, summaries)
        return summary_row(row.account, row.audience, row.conversation, row.arrived, whole)

    async def _rebuilt_mail(self, row: MailRow, seen: View | Literal["as it is"]) -> MailRow | None:
        if seen == "as it is":
            return row
        if seen.content == row.content:
            return replace(row, date=seen.date, persons=seen.persons)
        of_mail = of_ids(row.account, [row.mail_id])
        of_content = of_ids(row.account, [content_id(row.mail_id, seen.content)])
        mails = await records_of(Mail, self._mails.find(of_mail))
        contents = await records_of(Content, self._contents.find(of_content))
        if not mails or not contents:
            return None  # it was deleted meanwhile
        return mail_row(mails[0], row.audience, row.conversation, seen, contents[0], ())

    async def _seen(self, account: str, rows: Sequence[OfMail]) -> list[Seen]:
        """Return what is to be seen of each row."""
        hidden = await self.hidden(account, [row.persons for row in rows])
        partly = {
            row.mail_id
            for row in rows
            if hidden.concerns(row.persons) and not hidden.hides_all_of(row.persons)
        }
        by_id: dict[str, dict[str, View]] = {}
        if partly:
            mails = await records_of(Mail, self._mails.find(of_ids(account, partly)).hint(BY_ID))
            named = {m.person_id for mail in mails for c in mail.captures for m in c.matches}
            of_all = await self.hiding.of(account, named)
            by_id = {mail.id: views(of_all.without(as_ruled(mail))) for mail in mails}

        def of(row: OfMail) -> Seen:
            if row.mail_id in partly:
                return by_id.get(row.mail_id, {}).get(row.audience)
            return None if hidden.hides_all_of(row.persons) else "as it is"

        return [of(row) for row in rows]


def _merged(row: SummaryRow, survivors: Mapping[str, str]) -> SummaryRow:
    return replace(row, persons=merged_profiles(row.persons, survivors))


def is_hidden(persons: Sequence[ProfileRef], hidden: Hidden) -> bool:
    """Return whether a conversation that is on these profiles is hidden. Of a great many only the
    first are named."""
    return len(persons) < MAX_PERSONS and hidden.hides_all_of(persons)
