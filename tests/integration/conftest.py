"""What the step-by-step tests of a service begin with."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import aio_pika
import pytest

from services.matcher.directory.people import person_of
from services.matcher.indexes import INDEXES
from shared.broker import Publisher
from shared.contracts.events import Kind
from shared.contracts.topology import DEAD, RECEIVED
from shared.storage.database import Database, connect
from tests.broker_parts import TOPOLOGY, eventually, running
from tests.databases import empty_database
from tests.fakes import Recorder
from tests.matcher_parts import ACCOUNT, Replica
from tests.round_trip_parts import RoundTripParts, round_trip_parts


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
async def matcher(mongodb_url: str, tmp_path: Path, recorder: Recorder) -> AsyncIterator[Replica]:
    async with (
        connect(mongodb_url, "test") as client,
        empty_database(client, mongodb_url, INDEXES) as database,
    ):
        matcher = Replica(database, tmp_path, recorder)
        people = matcher.directory
        await people.put(ACCOUNT, person_of("u1", Kind.USER, "User", ["user@team.example"]))
        await people.put(
            ACCOUNT, person_of("c1", Kind.CANDIDATE, "C", ["cand@mail.example", "c@x.example"])
        )
        await people.put("globex", person_of("c9", Kind.CANDIDATE, "C", ["other@mail.example"]))
        yield matcher


@pytest.fixture
async def publisher(amqp_url: str) -> AsyncIterator[Publisher]:
    publisher = Publisher(amqp_url, "test", TOPOLOGY, deadline=2.0)
    async with running(publisher):
        await eventually(lambda: publisher.ready)
        yield publisher


@pytest.fixture
async def admin(amqp_url: str) -> AsyncIterator[aio_pika.abc.AbstractChannel]:
    """A channel to look and to break with; all queues are empty when the test begins."""
    async with await aio_pika.connect(amqp_url) as connection, connection.channel() as channel:
        for queue in (RECEIVED, DEAD):
            with contextlib.suppress(aio_pika.exceptions.ChannelNotFoundEntity):
                await (await channel.get_queue(queue.name, ensure=False)).purge()
        yield channel


@pytest.fixture
def database(matcher: Replica) -> Database:
    return matcher.database


@pytest.fixture
async def parts(matcher: Replica, recorder: Recorder) -> RoundTripParts:
    return await round_trip_parts(matcher, recorder)


@pytest.fixture
async def window(matcher: Replica) -> None:
    """Turn the account's rematch window on."""
    assert await matcher.sealed.set_days(ACCOUNT, 7)
