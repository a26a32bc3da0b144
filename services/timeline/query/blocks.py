"""The mails that have one of some terms, newest first, by blocks of terms.

    the viewer's fresh rows, all of them -------------------------\\
    blocks with one of the terms -> their rows, a few at a time ---+-> in order of their dates

A block says that some of its 64 rows have a term; MongoDB looks through these rows. Blocks are read
newest first, and a row is given once no block that is still to come can have a newer one. So a page
looks at the fresh rows and about MAX_SCANNED others, whatever the account has; a whole block more
where a block spans the end of the page. Only where more mails than that have the same second, all
of these are looked at. All of it is read as of one moment, since rows move between blocks
meanwhile; and that moment is never before what the viewer may have seen in a list.
"""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

from msgspec import field
from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.read_concern import ReadConcern

from services.timeline.content.terms import PARTIAL
from services.timeline.query.conditions import all_of
from services.timeline.query.cursors import MailPlace, Position, after
from services.timeline.query.parts import fields_of, records_of
from services.timeline.write.listed_records import MailRow, ProfileRef, TermBlock
from services.timeline.write.records import Record
from services.timeline.write.stored import from_document
from services.timeline.write.term_blocks import (
    MAX_ROWS,
    begins_at,
    ends_before,
    first_place,
    last_place,
)
from shared.storage.database import Database, Document, Index

MAX_EXPANSIONS = 50
"""Terms that one prefix stands for: the first of them in their order."""
_FIRST_BLOCKS = 1
"""Blocks whose rows are read first; then twice as many each time."""
_MOST_BLOCKS = 16
LAST_CHARACTER = "\U0010ffff"
_FIRST_ID = "2" * 32
"""No mail's id is before this."""
_MINE = [("account", ASCENDING), ("viewer", ASCENDING)]
INDEXES = (
    # Blocks.rows, Blocks.terms, Blocks.count
    Index(
        TermBlock.collection,
        IndexModel([*_MINE, ("terms", ASCENDING), ("place", DESCENDING)], name="by_term"),
    ),
    # Blocks.partial
    Index(
        MailRow.collection,
        IndexModel(
            [*_MINE, ("date", DESCENDING)],
            name="partial",
            partialFilterExpression={"terms": PARTIAL},
        ),
    ),
)


class FoundMail(MailPlace, frozen=True, kw_only=True, omit_defaults=True):
    """A mail that may be a hit."""

    audience: str = field(name="viewer")
    conversation: str = field(name="thread")
    content: str
    persons: tuple[ProfileRef, ...]


class _Place(Record, frozen=True, kw_only=True, omit_defaults=True):
    place: bytes


@dataclass(slots=True)
class Found:
    """How rows are read for a page, and where that ended."""

    most: int
    """Rows that are looked at."""
    size: int
    """Rows that are given at a time."""
    boundary: Position | None = None
    """Once all are given: after which position there may be more, None if there are none."""


class Term(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A key of the index `by_term`."""

    term: str = field(name="terms")


class _Terms(Record, frozen=True, kw_only=True, omit_defaults=True):
    terms: tuple[str, ...] = ()


class Blocks:
    """The blocks of terms of all accounts."""

    def __init__(self, database: Database) -> None:
        self._rows, self._blocks = database[MailRow.collection], database[TermBlock.collection]
        self._client = database.client

    async def count(self, mine: Document, terms: Sequence[str], most: int) -> int:
        """Return how many blocks have one of the terms, counted no further than `most`."""
        which = {**mine, "terms": {"$in": list(terms)}}
        return await self._blocks.count_documents(which, limit=most, hint="by_term")

    async def partial(self, mine: Document, dates: Document, most: int) -> int:
        """Return how many mails have more words than are searched, counted up to `most`."""
        which = {**mine, **dates, "terms": PARTIAL}
        return await self._rows.count_documents(which, limit=most, hint="partial")

    async def terms(self, mine: Document, prefix: str) -> list[str]:
        """Return the viewer's terms that begin so: of each audience the first MAX_EXPANSIONS.

        Fresh rows first: one that gets into a block meanwhile is found in it.
        """
        found: set[str] = set()
        for audience in mine["viewer"]["$in"]:
            in_audience = {**mine, "viewer": audience}
            begun = {*await self._of_fresh(in_audience, prefix)}
            begun.update(await self._of_blocks(in_audience, prefix))
            found.update(sorted(begun)[:MAX_EXPANSIONS])
        return sorted(found)

    async def _of_blocks(self, mine: Document, prefix: str) -> list[str]:
        """Return the terms of blocks that begin so: one step in the index for each.

        Without a sort: the index has its own order, and to sort by what is a list in the documents
        MongoDB would look at all that begin so.
        """
        found: list[str] = []
        begun: Document = {"$gte": prefix, "$lte": prefix + LAST_CHARACTER}
        while len(found) < MAX_EXPANSIONS:
            query = {**mine, "terms": {"$elemMatch": begun}}
            keys = self._blocks.find(query, return_key=True).hint("by_term")
            step = await records_of(Term, keys.limit(1))
            if not step:
                break
            found.append(step[0].term)
            begun = {"$gt": step[0].term, "$lte": begun["$lte"]}
        return found

    async def _of_fresh(self, mine: Document, prefix: str) -> set[str]:
        bound = {"$gte": prefix, "$lte": prefix + LAST_CHARACTER}
        which = {**mine, "block": None, "terms": {"$elemMatch": bound}}
        first, last = {"$literal": prefix}, {"$literal": prefix + LAST_CHARACTER}
        begins = {"$and": [{"$gte": ["$$this", first]}, {"$lte": ["$$this", last]}]}
        stages: list[Document] = [
            {"$match": which},
            {"$project": {"_id": 0, "terms": {"$filter": {"input": "$terms", "cond": begins}}}},
        ]
        rows = await self._rows.aggregate(stages, hint="by_block")
        return {term async for row in rows for term in from_document(_Terms, row).terms}

    async def rows(
        self, found: Found, in_range: Document, rest: Sequence[Document], position: Position | None
    ) -> AsyncGenerator[Sequence[FoundMail]]:
        """Yield the rows in the range for which the rest holds, after the position."""
        wanted = {**in_range, **all_of(after(position, "date", "mail_id"), *rest)}
        async with (
            self._as_of_now() as session,
            aclosing(self._places(in_range, position, session)) as places,
        ):
            waiting: list[FoundMail] = []
            await self._add(waiting, {**wanted, "block": None}, session)
            following = await anext(places, None)
            number, looked_at = _FIRST_BLOCKS, 0
            while following is not None:
                chunk = [following]
                while (following := await anext(places, None)) and len(chunk) < number:
                    chunk.append(following)
                await self._add(waiting, {**wanted, "block": {"$in": chunk}}, session)
                looked_at += MAX_ROWS * len(chunk)
                number = min(2 * number, _MOST_BLOCKS)
                if following is None:
                    break
                cut = ends_before(following)
                ready = sum(row.date >= cut for row in waiting)
                for batch in _parts([waiting.pop() for _ in range(ready)], found.size):
                    yield batch
                is_further = position is None or (cut, _FIRST_ID) < position
                if looked_at >= found.most and is_further:
                    found.boundary = cut, _FIRST_ID
                    return
            for batch in _parts(waiting[::-1], found.size):
                yield batch

    @asynccontextmanager
    async def _as_of_now(self) -> AsyncGenerator[AsyncClientSession]:
        """Yield a session that reads as of one moment, with all that is visible by now.

        A snapshot is of what a majority has. On its own it may be older than a row that lists show
        already, so the last write is asked for first, and the snapshot waits for it.
        """
        async with self._client.start_session() as session:
            await self._client.admin.command("ping", session=session)
            async with await session.start_transaction(ReadConcern("snapshot")):
                yield session

    async def _add(
        self, waiting: list[FoundMail], which: Document, session: AsyncClientSession
    ) -> None:
        """Add rows to those that wait, the newest last."""
        rows = self._rows.find(which, fields_of(FoundMail), session=session).hint("by_block")
        waiting += await records_of(FoundMail, rows)
        waiting.sort(key=lambda row: row.position)

    async def _places(
        self, in_range: Document, position: Position | None, session: AsyncClientSession
    ) -> AsyncGenerator[bytes]:
        """Yield the places of the blocks that may have rows in the range, newest first."""
        dates = in_range.get("date", {})
        lower, upper = dates.get("$gte"), dates.get("$lt")
        if position is not None:
            upper = min(position[0], upper) if upper is not None else position[0]
        bounds: Document = {}
        if lower is not None:
            bounds["$gte"] = first_place(lower)
        if upper is not None:
            bounds["$lte"] = last_place(upper)
        which = {key: in_range[key] for key in ("account", "viewer", "terms")}
        if bounds:
            which["place"] = bounds
        found = self._blocks.find(which, fields_of(_Place), session=session).hint("by_term")
        async with found.sort("place", DESCENDING).batch_size(_MOST_BLOCKS):
            async for document in found:
                place = from_document(_Place, document).place
                begins = begins_at(place)
                if upper is None or begins is None or begins <= upper:
                    yield place


def _parts(rows: Sequence[FoundMail], size: int) -> Iterator[Sequence[FoundMail]]:
    return (rows[at : at + size] for at in range(0, len(rows), size))
