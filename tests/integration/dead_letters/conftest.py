"""The desk, and what consumes for it."""

from collections.abc import AsyncIterator
from pathlib import Path

import aio_pika
import pytest

from services.timeline.admin.dead_letters.records import INDEXES
from shared.broker import (
    DeadLetterConsumer,
    Publisher,
)
from shared.contracts.topology import DEAD, RECEIVED
from shared.storage.blobs import Blobs
from shared.storage.database import connect
from tests.broker_parts import eventually, running
from tests.databases import empty_database
from tests.dead_letter_parts import TOPOLOGY, Desk


@pytest.fixture
async def desk(amqp_url: str, mongodb_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    publisher = Publisher(amqp_url, "test", TOPOLOGY)
    async with (
        connect(mongodb_url, "test") as client,
        empty_database(client, mongodb_url, INDEXES) as database,
        running(publisher),
        await aio_pika.connect(amqp_url) as connection,
        connection.channel() as admin,
    ):
        await eventually(lambda: publisher.ready)
        for queue in (RECEIVED, DEAD):
            await (await admin.get_queue(queue.name, ensure=False)).purge()
        blobs = Blobs(f"file://{tmp_path}/blobs")
        yield Desk(database, blobs, publisher, admin, tmp_path)


@pytest.fixture
async def consuming(desk: Desk, amqp_url: str) -> AsyncIterator[DeadLetterConsumer]:
    consumer = DeadLetterConsumer(amqp_url, "test dead", TOPOLOGY, desk.keeper.handle)
    async with running(consumer):
        await eventually(lambda: consumer.ready)
        yield consumer
