"""A collection from end to end: each page is a query of its own, with a deadline of its own."""

from collections.abc import AsyncGenerator
from typing import TypeVar

from msgspec import field
from pymongo.asynchronous.collection import AsyncCollection

from services.timeline.query.parts import fields_of, records_of
from services.timeline.write.records import Record
from shared.storage.database import Document

_AT_ONCE = 1000


class Part(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What is read of a document: its id at least."""

    id: str = field(name="_id")


P = TypeVar("P", bound=Part)


async def pages(
    collection: AsyncCollection[Document],
    kind: type[P],
    ids: Document | None = None,
    *,
    fields: Document | None = None,
    **where: object,
) -> AsyncGenerator[list[P]]:
    """Yield the documents in the order of their ids, some at a time.

    `ids` limits them, as a condition on `_id` that has `$gte`; `where` by other fields.
    `fields` are read, else those of the record.
    """
    within = ids or {"$gte": ""}
    while True:
        found = collection.find({"_id": within, **where}, fields or fields_of(kind))
        page = await records_of(kind, found.sort("_id").limit(_AT_ONCE))
        if page:
            yield page
        if len(page) < _AT_ONCE:
            return
        within = {**within, "$gt": page[-1].id}
        within.pop("$gte", None)
