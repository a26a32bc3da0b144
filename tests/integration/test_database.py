"""What the services have of MongoDB in common, with a real one."""

from datetime import UTC, datetime

import pymongo
import pytest
from pymongo import ASCENDING, AsyncMongoClient, IndexModel
from pymongo.errors import OperationFailure, PyMongoError

from shared.storage.database import Document, Index, migrate, what_is_missing

HOUR, DAY = 3600, 24 * 3600
INDEXES = [Index("people", IndexModel([("name", ASCENDING)], name="by_name"))]


async def test_an_index_is_built_however_long_it_takes(
    mongodb_url: str, database_name: str
) -> None:
    client: AsyncMongoClient[Document] = AsyncMongoClient(mongodb_url)
    hasty: AsyncMongoClient[Document] = AsyncMongoClient(mongodb_url, timeoutMS=100)
    async with client, hasty:
        with pymongo.timeout(0):  # to connect may take longer, on a busy machine
            await hasty.admin.command("ping")
        people = client[database_name]["people"]
        for _ in range(15):
            await people.insert_many([{"name": f"{n:0200}"} for n in range(10_000)])
        with pytest.raises(PyMongoError):
            await hasty[database_name]["people"].create_index("name", name="by_name_in_time")
        await migrate(hasty[database_name], INDEXES)
        assert "by_name" in await people.index_information()
        await client.drop_database(database_name)


def expiring(seconds: int | None) -> list[Index]:
    options = {} if seconds is None else {"expireAfterSeconds": seconds}
    return [Index("questions", IndexModel([("at", ASCENDING)], name="expire", **options))]


@pytest.mark.parametrize(("before", "after"), [(30 * DAY, DAY), (DAY, None), (None, HOUR)], ids=str)
async def test_an_index_that_lets_documents_expire_is_taken_over(
    mongodb_url: str, database_name: str, before: int | None, after: int | None
) -> None:
    client: AsyncMongoClient[Document] = AsyncMongoClient(mongodb_url)
    async with client:
        database = client[database_name]
        await migrate(database, expiring(before))
        await database["questions"].insert_one({"at": datetime.now(UTC)})
        assert await what_is_missing(database, expiring(before))() is None
        assert "--migrate" in str(await what_is_missing(database, expiring(after))())
        for _ in range(2):
            await migrate(database, expiring(after))
            assert await what_is_missing(database, expiring(after))() is None
        present = await database["questions"].index_information()
        assert present["expire"].get("expireAfterSeconds") == after
        assert await database["questions"].count_documents({}) == 1
        await client.drop_database(database_name)


async def test_it_is_taken_over_without_the_right_to_change_it(
    mongodb_url: str, database_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The role readWrite may drop and build indexes, and has no collMod."""
    client: AsyncMongoClient[Document] = AsyncMongoClient(mongodb_url)
    async with client:
        database = client[database_name]
        await migrate(database, expiring(30 * DAY))

        async def refused(*_: object, **__: object) -> None:
            raise OperationFailure("not authorized to execute command collMod", 13)

        monkeypatch.setattr(type(database), "command", refused)
        await migrate(database, expiring(DAY))
        monkeypatch.undo()
        present = await database["questions"].index_information()
        assert present["expire"]["expireAfterSeconds"] == DAY
        await client.drop_database(database_name)
