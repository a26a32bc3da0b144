"""A collection from end to end: each page is a query of its own, with a deadline of its own."""

from collections.abc import AsyncGenerator

from pymongo.asynchronous.collection import AsyncCollection

from shared.database import Document

_AT_ONCE = 1000


async def pages(
    collection: AsyncCollection[Document],
    fields: Document,
    ids: Document | None = None,
    **where: object,
) -> AsyncGenerator[list[Document]]:
    """Yield the documents in the order of their ids, some at a time.

    `ids` limits them, as a condition on `_id` that has `$gte`; `where` by other fields.
    """
    within = ids or {"$gte": ""}
    while True:
        found = collection.find({"_id": within, **where}, fields).sort("_id").limit(_AT_ONCE)
        page = await found.to_list()
        if page:
            yield page
        if len(page) < _AT_ONCE:
            return
        within = {**within, "$gt": page[-1]["_id"]}
        within.pop("$gte", None)
