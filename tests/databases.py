"""Empty databases with all indexes, for one test after the other.

A database of a test before is used again, emptied: its indexes take longer to build than most tests
to run.
"""

import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from pymongo import AsyncMongoClient

from shared.storage.database import Database, Document, Index, migrate

_LEFT: dict[tuple[str, int], list[str]] = defaultdict(list)
"""Databases without documents, by their server's URL and the identity of their indexes."""
_MAX_LEFT = 2000
"""Documents of a collection that are deleted one by one."""


@asynccontextmanager
async def empty_database(
    client: AsyncMongoClient[Document], mongodb_url: str, indexes: Sequence[Index]
) -> AsyncIterator[Database]:
    """Yield an empty database of the client's server, whose URL is given, with these indexes."""
    left = _LEFT[mongodb_url, id(indexes)]
    database = client[left.pop() if left else f"satchel_test_{secrets.token_hex(4)}"]
    await migrate(database, indexes)
    yield database
    if await _emptied(database):
        left.append(database.name)
    else:
        await client.drop_database(database.name)


async def _emptied(database: Database) -> bool:
    """Return whether the database is as new: not where that takes longer than a new one."""
    names = await database.list_collection_names()
    if any(name.startswith("system.") for name in names):
        return False
    for name in names:
        if await database[name].estimated_document_count() > _MAX_LEFT:
            return False
    for name in names:
        await database[name].delete_many({})
    return True
