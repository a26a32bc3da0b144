"""The mails of a viewer, newest first, by an index over their rows.

A query that has only dates uses the index by date. The other one, by terms, is from before terms
were in blocks (decision 35). While it exists, old and new versions keep it complete, so it is used.
"""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Sequence
from datetime import datetime

from pymongo import ASCENDING, DESCENDING, IndexModel

from services.timeline.content.terms import PARTIAL
from services.timeline.query.blocks import LAST_CHARACTER, MAX_EXPANSIONS, Found, FoundMail, Term
from services.timeline.query.conditions import all_of
from services.timeline.query.cursors import MailPlace, Position, after
from services.timeline.query.parts import fields_of, records_of
from services.timeline.write.listed_records import MailRow
from services.timeline.write.stored import from_document
from shared.storage.database import Database, Document, Index

_NEWEST = [("date", DESCENDING), ("mail_id", DESCENDING)]
_MINE = [("account", ASCENDING), ("viewer", ASCENDING)]
BY_TERM = Index(
    MailRow.collection, IndexModel([*_MINE, ("terms", ASCENDING), *_NEWEST], name="by_term")
)
"""Not built any more; `--index-terms` drops it."""
INDEXES = (
    # Search.hits, when a query has dates only
    Index(MailRow.collection, IndexModel([*_MINE, *_NEWEST], name="by_date")),
)


class RowIndex:
    """Rows, by an index over them."""

    def __init__(self, database: Database, name: str) -> None:
        self._rows, self._name = database[MailRow.collection], name

    async def count(self, mine: Document, terms: Sequence[str], most: int) -> int:
        """Return how many mails have one of the terms, counted no further than `most`."""
        which = {**mine, "terms": {"$in": list(terms)}}
        return await self._rows.count_documents(which, limit=most, hint=self._name)

    async def partial(self, mine: Document, dates: Document, most: int) -> int:
        """Return how many mails have more words than are searched, counted up to `most`."""
        which = {**mine, **dates, "terms": PARTIAL}
        return await self._rows.count_documents(which, limit=most, hint=self._name)

    async def terms(self, mine: Document, prefix: str) -> list[str]:
        """Return the viewer's terms that begin so: one step in the index for each.

        Without a sort: the index has its own order, and to sort by what is a list in the documents
        MongoDB would look at all that begin so.
        """
        found: list[str] = []
        bound: Document = {"$gte": prefix, "$lte": prefix + LAST_CHARACTER}
        for audience in mine["viewer"]["$in"]:
            begun, count = dict(bound), 0
            while count < MAX_EXPANSIONS:
                query = {**mine, "viewer": audience, "terms": {"$elemMatch": begun}}
                keys = self._rows.find(query, return_key=True).hint(self._name)
                step = await records_of(Term, keys.limit(1))
                if not step:
                    break
                found.append(step[0].term)
                begun = {"$gt": step[0].term, "$lte": bound["$lte"]}
                count += 1
        return sorted(set(found))

    async def rows(
        self, found: Found, in_range: Document, rest: Sequence[Document], position: Position | None
    ) -> AsyncGenerator[Sequence[FoundMail]]:
        """Yield the rows in the range for which the rest holds, after the position."""
        found.boundary = await self._boundary(in_range, position, found.most)
        wanted = {
            **in_range,
            **all_of(after(position, "date", "mail_id"), *rest, *_until(found.boundary)),
        }
        rows = self._rows.find(wanted, fields_of(FoundMail)).hint(self._name).sort(_NEWEST)
        async for batch in batches(rows.batch_size(found.size), found.size):
            yield batch

    async def _boundary(
        self, in_range: Document, position: Position | None, most: int
    ) -> Position | None:
        """Return the place of the last mail that is looked at for a page, None if that is all."""
        # By the date alone the index tells it. What begins a page has few others of its date.
        roughly = {"date": {"$lte": position[0]}} if position is not None else {}
        boundary = await self._nth(most, in_range, roughly)
        if boundary is not None and position is not None and boundary >= position:
            exactly = after(position, "date", "mail_id")
            return await self._nth(most, in_range, exactly)
        return boundary

    async def _nth(self, number: int, in_range: Document, which: Document) -> Position | None:
        wanted = {**in_range, **all_of(which)}
        rows = self._rows.find(wanted, fields_of(MailPlace)).hint(self._name).sort(_NEWEST)
        found = await records_of(MailPlace, rows.skip(number - 1).limit(2))
        return found[0].position if len(found) > 1 else None


async def batches(rows: AsyncIterable[Document], size: int) -> AsyncIterator[list[FoundMail]]:
    """Yield rows, so many at a time."""
    batch: list[FoundMail] = []
    async for row in rows:
        batch.append(from_document(FoundMail, row))
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _until(boundary: tuple[datetime, str] | None) -> list[Document]:
    if boundary is None:
        return []
    moment, mail_id = boundary
    newer = [{"date": {"$gt": moment}}, {"mail_id": {"$gte": mail_id}}]
    return [{"date": {"$gte": moment}, "$or": newer}]
