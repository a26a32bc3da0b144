"""Searching the inbox: the mails that a query finds, and the conversations they are in.

A query's rarest term is one range of an index over the viewer's own mails, newest first; the other
terms are checked on the mails of that range. For one page at most MAX_SCANNED of them are looked
at, with a phrase MAX_READ, so a page may hold fewer than asked for, even none, and go on. A
conversation is found once, at the place of its newest mail that matches.
"""

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from msgspec import field
from pymongo import ASCENDING, DESCENDING, IndexModel

from services.timeline.content.terms import HAS_ATTACHMENT, PARTIAL
from services.timeline.query.cursors import MailPlace, Position, after, read_cursor, write_cursor
from services.timeline.query.parts import fields_of, records_of
from services.timeline.query.phrases import Phrases
from services.timeline.query.search_query import Query
from services.timeline.query.viewer import Viewer
from services.timeline.write.conversations import summary_id
from services.timeline.write.mail_rows import content_id
from services.timeline.write.records import (
    Attachment,
    Content,
    MailRow,
    NamedAddress,
    Record,
    SummaryRow,
)
from services.timeline.write.stored import from_document
from shared.database import BY_ID, Database, Document, Index, of_ids

MAX_SCANNED = 2000
MAX_READ = 500
"""Mails whose texts are read for one page."""
MAX_EXPANSIONS = 50
"""Terms that one prefix stands for: the first of them in their order."""
MAX_IN_CONVERSATION = 500
"""Mails of one conversation that are looked at to tell whether an earlier page has it."""
_FEW_MAILS = 60
_PHRASE_BATCH = 50
"""Mails whose texts are in memory at a time."""
_COMMON = 1000
"""A term that this many mails have is common, and not counted any further."""
_NEWEST = [("date", DESCENDING), ("mail_id", DESCENDING)]
_LAST_CHARACTER = "\U0010ffff"
_MINE = [("account", ASCENDING), ("viewer", ASCENDING)]
INDEXES = (
    # Search.hits
    Index(MailRow.collection, IndexModel([*_MINE, ("terms", ASCENDING), *_NEWEST], name="by_term")),
    # Search.hits, when a query has dates only
    Index(MailRow.collection, IndexModel([*_MINE, *_NEWEST], name="by_date")),
)


class FoundMail(MailPlace, frozen=True, kw_only=True, omit_defaults=True):
    """A mail that may be a hit."""

    conversation: str = field(name="thread")
    content: str


class Words(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Where the words of a phrase may stand."""

    id: str = field(name="_id")
    subject: str
    text: str
    participants: tuple[NamedAddress, ...]
    attachments: tuple[Attachment, ...]


class _Term(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A key of the index `by_term`."""

    term: str = field(name="terms")


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

    async def hits(self, viewer: Viewer, query: Query, limit: int, cursor: str | None) -> Hits:
        """Return the conversations with a mail that the query finds. Raises InvalidCursor."""
        position = read_cursor(cursor) if cursor is not None else None
        mine: Document = {"account": viewer.account, "viewer": {"$in": viewer.audiences}}
        groups = [[term] for term in query.exact]
        for prefix in query.prefixes:
            groups.append(await self._expansions(mine, prefix))
        dates = _dates(query)
        partial = await self._partial(mine, dates, query)
        if any(not group for group in groups):
            return Hits([], None, partial)
        groups = await self._rarest_first(mine, groups)
        in_range = {**mine, **dates, **({"terms": {"$in": groups[0]}} if groups else {})}
        # Put so that MongoDB cannot take their audiences instead of the rarest term's.
        rest = [{"$nor": [{"terms": {"$nin": group}}]} for group in groups[1:]]
        page = {**in_range, **_and(after(position, "date", "mail_id"))}
        index = "by_term" if groups else "by_date"
        phrases = Phrases(query.phrases) if query.phrases else None
        most = MAX_READ if phrases else MAX_SCANNED
        boundary = await self._boundary(in_range, position, index, most)
        wanted = {**page, "$and": [*page.get("$and", []), *rest, *_until(boundary)]}
        if not wanted["$and"]:
            del wanted["$and"]
        found: dict[str, Position] = {}
        before: set[str] = set()
        async for rows in self._matching(wanted, phrases, index, limit):
            if position is not None:
                new = {row.conversation for row in rows} - found.keys() - before
                every = [in_range, *rest]
                before |= await self._found_before(mine, every, new, position, phrases)
            for row in rows:
                if row.conversation in found or row.conversation in before:
                    continue
                if len(found) == limit:
                    cursor = write_cursor(next(reversed(found.values())))
                    return Hits(list(found), cursor, partial)
                found[row.conversation] = row.position
        return Hits(list(found), write_cursor(boundary) if boundary else None, partial)

    async def _matching(
        self, wanted: Document, phrases: Phrases | None, index: str, limit: int
    ) -> AsyncIterator[Sequence[FoundMail]]:
        """Yield the rows that are wanted, newest first; about as many are read as are needed."""
        size = _PHRASE_BATCH if phrases else limit + 1
        rows = (
            self._rows.find(wanted, fields_of(FoundMail)).hint(index).sort(_NEWEST).batch_size(size)
        )
        async for batch in _batches(rows, size):
            yield await self._with_phrases(wanted["account"], batch, phrases)

    async def _with_phrases(
        self, account: str, rows: Sequence[FoundMail], phrases: Phrases | None
    ) -> Sequence[FoundMail]:
        """Return those of the rows whose mails have the phrases."""
        if phrases is None or not rows:
            return rows
        ids = [content_id(row.mail_id, row.content) for row in rows]
        found = self._contents.find(of_ids(account, ids), fields_of(Words)).hint(BY_ID)
        words = (from_document(Words, document) async for document in found)
        having = {of.id async for of in words if phrases.stand_in(_texts(of))}
        return [row for row, id_ in zip(rows, ids, strict=True) if id_ in having]

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
                {"$match": _and(*which)},
                {"$project": fields_of(FoundMail)},
                *([] if phrases else [{"$limit": 1}]),
            ]
            rows = await self._rows.aggregate(stages, hint="of_thread")
            async for batch in _batches(rows, _PHRASE_BATCH):
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
            return {from_document(_Group, group).conversation async for group in groups}
        rows = (
            self._rows.find(wanted, fields_of(FoundMail))
            .hint("of_thread")
            .batch_size(_PHRASE_BATCH)
        )
        async for batch in _batches(rows, _PHRASE_BATCH):
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

    async def _expansions(self, mine: Document, prefix: str) -> list[str]:
        """Return the viewer's terms that begin so: one step in the index for each.

        Without a sort: the index has its own order, and to sort by what is a list in the documents
        MongoDB would look at all that begin so.
        """
        found: list[str] = []
        bound: Document = {"$gte": prefix, "$lte": prefix + _LAST_CHARACTER}
        for audience in mine["viewer"]["$in"]:
            begun, count = dict(bound), 0
            while count < MAX_EXPANSIONS:
                query = {**mine, "viewer": audience, "terms": {"$elemMatch": begun}}
                keys = self._rows.find(query, return_key=True).hint("by_term")
                step = await records_of(_Term, keys.limit(1))
                if not step:
                    break
                found.append(step[0].term)
                begun = {"$gt": step[0].term, "$lte": bound["$lte"]}
                count += 1
        return sorted(set(found))

    async def _partial(self, mine: Document, dates: Document, query: Query) -> int:
        """Return how many mails may have been missed: any word may be one that is not searched."""
        if not query.prefixes and set(query.exact) <= {HAS_ATTACHMENT}:
            return 0
        cut = {**mine, **dates, "terms": PARTIAL}
        return await self._rows.count_documents(cut, limit=_COMMON, hint="by_term")

    async def _rarest_first(self, mine: Document, groups: list[list[str]]) -> list[list[str]]:
        """Return the groups with the rarest first, counted no further than it matters."""
        counts = [
            await self._rows.count_documents(
                {**mine, "terms": {"$in": group}}, limit=_COMMON, hint="by_term"
            )
            if len(groups) > 1
            else 0
            for group in groups
        ]
        order = sorted(range(len(groups)), key=lambda number: (counts[number], number))
        return [groups[number] for number in order]

    async def _boundary(
        self, in_range: Document, position: Position | None, index: str, most: int
    ) -> Position | None:
        """Return the place of the last mail that is looked at for a page, None if that is all."""
        # By the date alone the index tells it. What begins a page has few others of its date.
        roughly = {"date": {"$lte": position[0]}} if position is not None else {}
        boundary = await self._nth(most, in_range, roughly, index)
        if boundary is not None and position is not None and boundary >= position:
            exactly = after(position, "date", "mail_id")
            return await self._nth(most, in_range, exactly, index)
        return boundary

    async def _nth(
        self, number: int, in_range: Document, which: Document, index: str
    ) -> Position | None:
        wanted = {**in_range, **_and(which)}
        rows = self._rows.find(wanted, fields_of(MailPlace)).hint(index).sort(_NEWEST)
        found = await records_of(MailPlace, rows.skip(number - 1).limit(2))
        return found[0].position if len(found) > 1 else None


async def _batches(rows: AsyncIterable[Document], size: int) -> AsyncIterator[list[FoundMail]]:
    batch: list[FoundMail] = []
    async for row in rows:
        batch.append(from_document(FoundMail, row))
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


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


def _and(*conditions: Document) -> Document:
    present = [condition for condition in conditions if condition]
    return {"$and": present} if present else {}


def _until(boundary: Position | None) -> list[Document]:
    if boundary is None:
        return []
    moment, mail_id = boundary
    newer = [{"date": {"$gt": moment}}, {"mail_id": {"$gte": mail_id}}]
    return [{"date": {"$gte": moment}, "$or": newer}]
