"""What the services have of MongoDB in common, with a real one."""

import pytest
from pymongo import ASCENDING, AsyncMongoClient, IndexModel
from pymongo.errors import PyMongoError

from shared.database import Document, Index, migrate

INDEXES = [Index("people", IndexModel([("name", ASCENDING)], name="by_name"))]


async def test_an_index_is_built_however_long_it_takes(
    mongodb_url: str, database_name: str
) -> None:
    client: AsyncMongoClient[Document] = AsyncMongoClient(mongodb_url)
    hasty: AsyncMongoClient[Document] = AsyncMongoClient(mongodb_url, timeoutMS=100)
    async with client, hasty:
        await hasty.admin.command("ping")
        people = client[database_name]["people"]
        for _ in range(15):
            await people.insert_many([{"name": f"{n:0200}"} for n in range(10_000)])
        with pytest.raises(PyMongoError):
            await hasty[database_name]["people"].create_index("name", name="by_name_in_time")
        await migrate(hasty[database_name], INDEXES)
        assert "by_name" in await people.index_information()
        await client.drop_database(database_name)
