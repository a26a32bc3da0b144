"""Searching the inbox: the mails that a query finds, and the conversations they are in.

Of a query's rarest term the index gives the viewer's own mails that may have it, newest first
(`blocks`); all terms are checked on these mails. For one page about MAX_SCANNED of them are looked
at, with a phrase the texts of MAX_READ, so a page may hold fewer than asked for, even none, and go
on. A conversation is found once, at the place of its newest mail that matches. Mail that is hidden
(`hiding.py`) finds nothing.
"""

from collections.abc import AsyncGenerator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from msgspec import field
from pymongo import ASCENDING

from services.timeline.content.terms import HAS_ATTACHMENT
from services.timeline.query import blocks, row_index
from services.timeline.query.blocks import Blocks, Found, FoundMail
from services.timeline.query.conditions import all_of
from services.timeline.query.cursors import Position, read_cursor, write_cursor
from services.timeline.query.parts import fields_of
from services.timeline.query.phrases import Phrases
from services.timeline.query.row_index import BY_TERM, RowIndex, batches
from services.timeline.query.search_query import Query
from services.timeline.query.shown_rows import ShownRows
from services.timeline.query.viewer import Viewer
from services.timeline.write.conversations import summary_id
from services.timeline.write.listed_records import MailRow, SummaryRow
from services.timeline.write.mail_rows import content_id
from services.timeline.write.records import Attachment, Content, NamedAddress, Record
from services.timeline.write.stored import from_document
from shared.storage.database import BY_ID, Database, Document, of_ids

MAX_SCANNED = 2000
MAX_READ = 500
"""Mails whose texts are read for one page."""
MAX_IN_CONVERSATION = 500
"""Mails of one conversation that are looked at to tell whether an earlier page has it."""
_FEW_MAILS = 60
_PHRASE_BATCH = 50
"""Mails whose texts are in memory at a time."""
_COMMON = 1000
"""A term that this many mails have is common, and not counted any further."""
INDEXES = (*blocks.INDEXES, *row_index.INDEXES)


class Words(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Where the words of a phrase may stand."""

    id: str = field(name="_id")
    subject: str
    text: str
    participants: tuple[NamedAddress, ...]
    attachments: tuple[Attachment, ...]


class _Group(Record, frozen=True, kw_only=True, omit_defaults=True):
    conversation: str = field(name="_id")


@dataclass(frozen=True, slots=True)
class Hits:
    """The conversations that were found, newest hit first, and where the next ones begin."""

    conversations: list[str]
    next_cursor: str | None
    partial: int = 0
    """Mails of the viewer that have more words than are searched, and may have been missed: those
    of the query's days, counted up to _COMMON."""


class Search:
    """Searches in all accounts' mails, one viewer's at a time."""

    def __init__(self, database: Database) -> None:
        self._rows, self._contents = database[MailRow.collection], database[Content.collection]
        self._conversations = database[SummaryRow.collection]
        self._shown = ShownRows(database)
        self._blocks, self._by_date = Blocks(database), RowIndex(database, "by_date")
        self._by_term: RowIndex | None = RowIndex(database, BY_TERM.name)

    async def hits(self, viewer: Viewer, query: Query, limit: int, cursor: str | None) -> Hits:
        """Return the conversations with a mail that the query finds. Raises InvalidCursor."""
        position = read_cursor(cursor) if cursor is not None else None
        mine: Document = {"account": viewer.account, "viewer": {"$in": viewer.audiences}}
        index = await self._index()
        groups = [[term] for term in query.exact]
        for prefix in query.prefixes:
            groups.append(await index.terms(mine, prefix))
        dates = _dates(query)
        # Any word may be one that is not searched.
        asks_for_words = bool(query.prefixes or set(query.exact) - {HAS_ATTACHMENT})
        partial = await index.partial(mine, dates, _COMMON) if asks_for_words else 0
        if any(not group for group in groups):
            return Hits([], None, partial)
        groups = await _rarest_first(index, mine, groups)
        in_range = {**mine, **dates, **({"terms": {"$in": groups[0]}} if groups else {})}
        # Put so that MongoDB cannot take their audiences instead of the rarest term's.
        rest = [{"$nor": [{"terms": {"$nin": group}}]} for group in groups[1:]]
        phrases = Phrases(query.phrases) if query.phrases else None
        reading = Found(MAX_SCANNED, _PHRASE_BATCH if phrases else limit + 1)
        rows_of = index if groups else self._by_date
        if phrases and not isinstance(rows_of, Blocks):
            reading.most = MAX_READ
        found: dict[str, Position] = {}
        before: set[str] = set()
        every = rows_of.rows(reading, in_range, rest, position)
        async with aclosing(self._matching(viewer.account, every, reading, phrases)) as matching:
            async for rows in matching:
                if position is not None:
                    new = {row.conversation for row in rows} - found.keys() - before
                    which = [in_range, *rest]
                    before |= await self._found_before(mine, which, new, position, phrases)
                for row in rows:
                    if row.conversation in found or row.conversation in before:
                        continue
                    if len(found) == limit:
                        cursor = write_cursor(next(reversed(found.values())))
                        return Hits(list(found), cursor, partial)
                    found[row.conversation] = row.position
        boundary = reading.boundary
        return Hits(list(found), write_cursor(boundary) if boundary else None, partial)

    async def _index(self) -> Blocks | RowIndex:
        """Return what terms are found by: the former index, until it is gone for good."""
        if self._by_term is not None and BY_TERM.name not in await self._rows.index_information():
            self._by_term = None
        return self._by_term or self._blocks

    async def _matching(
        self,
        account: str,
        every: AsyncGenerator[Sequence[FoundMail]],
        reading: Found,
        phrases: Phrases | None,
    ) -> AsyncGenerator[Sequence[FoundMail]]:
        """Yield the rows whose mails are to be seen and have the phrases, newest first.

        Of MAX_READ at most where there are phrases.
        """
        left, last = MAX_READ, None
        async with aclosing(every):
            async for rows in every:
                if phrases is None:
                    yield await self._shown.found(account, rows)
                    continue
                chosen = rows[:left]
                if chosen:
                    left, last = left - len(chosen), chosen[-1].position
                    yield await self._with_phrases(account, chosen, phrases)
                if len(chosen) < len(rows):
                    reading.boundary = last
                    return

    async def _with_phrases(
        self, account: str, rows: Sequence[FoundMail], phrases: Phrases | None
    ) -> Sequence[FoundMail]:
        """Return those of the rows whose mails are to be seen and have the phrases."""
        if phrases is None or not rows:
            return await self._shown.found(account, rows)
        ids = [content_id(row.mail_id, row.content) for row in rows]
        found = self._contents.find(of_ids(account, ids), fields_of(Words)).hint(BY_ID)
        words = (from_document(Words, document) async for document in found)
        having = {of.id async for of in words if phrases.stand_in(_texts(of))}
        standing = [row for row, id_ in zip(rows, ids, strict=True) if id_ in having]
        return await self._shown.found(account, standing)

    async def _found_before(
        self,
        mine: Document,
        which: Sequence[Document],
        conversations: AbstractSet[str],
        position: Position,
        phrases: Phrases | None,
    ) -> set[str]:
        """Return the conversations that an earlier page has: by a newer mail that matches.

        Short ones are asked about all at once. Of a long one at most MAX_IN_CONVERSATION newer
        mails are looked at.
        """
        moment, mail_id = position
        or_later = [{"date": {"$gt": moment}}, {"mail_id": {"$gte": mail_id}}]
        newer = {**mine, "date": {"$gte": moment}, "$or": or_later}
        short = await self._short(mine, conversations)
        found: set[str] = set()
        if short:
            of_short = {**newer, "thread": {"$in": sorted(short)}, "$and": list(which)}
            found = await self._conversations_of(of_short, phrases)
        for conversation in conversations - short:
            stages: list[Document] = [
                {"$match": {**newer, "thread": conversation}},
                {"$sort": {"date": ASCENDING, "mail_id": ASCENDING}},
                {"$limit": MAX_IN_CONVERSATION},
                {"$match": all_of(*which)},
                {"$project": fields_of(FoundMail)},
                *([] if phrases else [{"$limit": _PHRASE_BATCH}]),
            ]
            rows = await self._rows.aggregate(stages, hint="of_thread")
            async for batch in batches(rows, _PHRASE_BATCH):
                if await self._with_phrases(mine["account"], batch, phrases):
                    found.add(conversation)
                    break
        return found

    async def _conversations_of(self, wanted: Document, phrases: Phrases | None) -> set[str]:
        """Return the conversations of the rows that are wanted."""
        found: set[str] = set()
        if phrases is None:
            each = [{"$match": wanted}, {"$group": {"_id": "$thread"}}]
            groups = await self._rows.aggregate(each, hint="of_thread")
            named = {from_document(_Group, group).conversation async for group in groups}
            partly = await self._shown.partly(wanted["account"], wanted["viewer"]["$in"], named)
            if not partly:
                return named
            wanted, found = {**wanted, "thread": {"$in": sorted(partly)}}, named - partly
        rows = (
            self._rows.find(wanted, fields_of(FoundMail))
            .hint("of_thread")
            .batch_size(_PHRASE_BATCH)
        )
        async for batch in batches(rows, _PHRASE_BATCH):
            open_ = [row for row in batch if row.conversation not in found]
            having = await self._with_phrases(wanted["account"], open_, phrases)
            found |= {row.conversation for row in having}
        return found

    async def _short(self, mine: Document, conversations: AbstractSet[str]) -> set[str]:
        """Return the conversations with few mails."""
        account, audiences = mine["account"], mine["viewer"]["$in"]
        ids = [
            summary_id(account, audience, conversation)
            for audience in audiences
            for conversation in conversations
        ]
        long = {**of_ids(account, ids), "mail_count": {"$gt": _FEW_MAILS}}
        found = await self._conversations.distinct("thread", long)
        return set(conversations) - set(found)


async def _rarest_first(
    index: Blocks | RowIndex, mine: Document, groups: list[list[str]]
) -> list[list[str]]:
    """Return the groups with the rarest first, counted no further than it matters."""
    counts = [await index.count(mine, group, _COMMON) if len(groups) > 1 else 0 for group in groups]
    order = sorted(range(len(groups)), key=lambda number: (counts[number], number))
    return [groups[number] for number in order]


def _texts(words: Words) -> list[str]:
    people = [text for p in words.participants for text in (p.name, p.address)]
    files = [attachment.filename for attachment in words.attachments]
    return [words.subject, words.text, *people, *files]


def _dates(query: Query) -> Document:
    bounds = {"$gte": _start(query.after), "$lt": _start(query.before)}
    known = {operator: moment for operator, moment in bounds.items() if moment is not None}
    return {"date": known} if known else {}


def _start(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), UTC) if day else None
