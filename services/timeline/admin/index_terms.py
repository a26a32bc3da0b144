"""Puts all search terms that are in no block into blocks, then drops the index that was before.

For upgrades: until then a search uses the former index, which old and new timelines both fill.
It can be interrupted, and begun again, at any moment; what is done stays done.
"""

import asyncio
from collections.abc import Callable

import pymongo

from services.timeline.query.row_index import BY_TERM
from services.timeline.write.indexing import TermIndexer
from shared.storage.database import Database


async def index_terms(
    indexer: TermIndexer,
    database: Database,
    stopping: asyncio.Event,
    step: Callable[[int], None] = lambda _: None,
) -> bool:
    """Put the terms of every audience into blocks; return whether all is done.

    `step` is called with the number of new blocks.
    """
    audience = await indexer.audiences()
    while audience is not None:
        if stopping.is_set():
            return False
        await indexer.release(*audience)
        step(await indexer.index(*audience))
        audience = await indexer.audiences(after=audience)
    rows = database[BY_TERM.collection]
    if BY_TERM.name in await rows.index_information():
        with pymongo.timeout(0):
            await rows.drop_index(BY_TERM.name)
    return True
