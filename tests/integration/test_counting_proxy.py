"""The bench counts requests to mongod as the driver sends them and mongod receives them."""

from urllib.parse import urlsplit

import pymongo
from pymongo import InsertOne, UpdateOne

from bench.counting_proxy import CountingProxies
from shared.database import Document, connect


async def test_what_a_service_asks_is_counted(mongodb_url: str, database_name: str) -> None:
    port = urlsplit(mongodb_url).port or 0
    with CountingProxies(port, ["timeline", "matcher"]) as proxies:
        client = connect(proxies.url("timeline"), "timeline")
        mails = client[database_name].mails
        await mails.insert_many([{"_id": number} for number in range(64)])
        await mails.update_many({}, {"$set": {"read": True}})
        async with client.start_session() as session, await session.start_transaction():
            writes: list[InsertOne[Document] | UpdateOne] = [
                InsertOne({"_id": 100}),
                UpdateOne({"_id": 1}, {"$set": {"read": True}}),
            ]
            await mails.bulk_write(writes, session=session)
            await mails.find_one_and_update({"_id": 2}, {"$set": {"read": False}}, session=session)
        await mails.find(batch_size=50).to_list()
        asked = proxies.asked()
        await client.close()
    assert asked["timeline"].requests == {
        "insert": 2,
        "update": 2,
        "findAndModify": 1,
        "commitTransaction": 1,
        "find": 1,
        "getMore": 1,
    }
    assert asked["timeline"].statements == 64 + 1 + 2 + 1
    assert asked["timeline"].documents == 64 + 64 + 1 + 1
    assert not asked["matcher"].requests
    with pymongo.MongoClient[Document](mongodb_url) as direct:
        assert direct[database_name].mails.count_documents({}) == 65
