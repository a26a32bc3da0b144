"""A user for each service on a real broker: what it needs works, and nothing else does."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import aio_pika
import pytest
from aio_pika.exceptions import ChannelNotFoundEntity
from aiormq.exceptions import ChannelAccessRefused

from dev.rabbitmq import PrivateRabbitMQ
from shared.broker import Publisher
from shared.contracts.events import EVENTS, MailDismissed, MailReceived
from shared.contracts.topology import (
    DEAD,
    DEAD_EXCHANGE,
    MAIL_EXCHANGE,
    OUTCOMES,
    QUEUES,
    RECEIVED,
    RECEIVED_BACKFILL,
    uses,
)
from tests.broker_parts import eventually, running

SERVICES = ("ingest", "matcher", "timeline")
OWNS = {queue.name: queue.name.split(".")[0] for queue in QUEUES} | {DEAD.name: "timeline"}


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateRabbitMQ]:
    with PrivateRabbitMQ(tmp_path_factory.mktemp("rabbitmq")) as broker:
        yield broker


def publishers(broker: PrivateRabbitMQ) -> dict[str, Publisher]:
    """Return a publisher of each service, with what it declares."""
    decided = [event for event in EVENTS.values() if event is not MailReceived]
    topologies = {
        "ingest": uses(publishes=[MailReceived]),
        "matcher": uses(publishes=decided, consumes=[RECEIVED, RECEIVED_BACKFILL]),
        "timeline": uses(publishes=EVENTS.values(), consumes=[OUTCOMES]),
    }
    return {
        name: Publisher(broker.url_of(name), name, topology, deadline=5.0)
        for name, topology in topologies.items()
    }


@pytest.fixture(scope="module")
async def declared(broker: PrivateRabbitMQ) -> AsyncIterator[dict[str, Publisher]]:
    """All services, started in the order that has to wait longest."""
    found = publishers(broker)
    async with contextlib.AsyncExitStack() as stack:
        for name in SERVICES:
            await stack.enter_async_context(running(found[name]))
            if name != "timeline":  # it declares the last that is needed
                await asyncio.sleep(0.2)
                assert not found[name].ready
        await eventually(lambda: all(publisher.ready for publisher in found.values()))
        yield found


async def is_refused(action: object) -> bool:
    try:
        await action  # type: ignore[misc]  # whatever the library gives to await
    except ChannelAccessRefused:
        return True
    return False


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("queue", QUEUES, ids=lambda queue: queue.name)
async def test_a_service_reads_its_own_queues_alone(
    broker: PrivateRabbitMQ, declared: dict[str, Publisher], service: str, queue: object
) -> None:
    name = getattr(queue, "name", "")
    is_own = OWNS[name] == service
    for act in ("get", "purge", "delete"):
        if is_own and act != "get":
            continue
        async with await aio_pika.connect(broker.url_of(service)) as connection:
            channel = await connection.channel()
            there = await channel.get_queue(name, ensure=False)
            options = {"fail": False} if act == "get" else {}
            assert await is_refused(getattr(there, act)(**options)) is not is_own, act


@pytest.mark.parametrize(
    ("service", "exchange", "key", "may"),
    [
        ("ingest", MAIL_EXCHANGE, MailReceived.tag, True),
        ("ingest", MAIL_EXCHANGE, f"{MailReceived.tag}.backfill", True),
        ("ingest", MAIL_EXCHANGE, MailDismissed.tag, False),
        ("ingest", MAIL_EXCHANGE, "mail.attached.v1", False),
        ("ingest", DEAD_EXCHANGE, "mail.received.v1", False),
        ("ingest", "", RECEIVED.name, False),
        ("ingest", "", OUTCOMES.name, False),
        ("matcher", MAIL_EXCHANGE, MailDismissed.tag, True),
        ("matcher", MAIL_EXCHANGE, MailReceived.tag, False),
        ("matcher", DEAD_EXCHANGE, "anything", True),
        ("matcher", "", OUTCOMES.name, False),
        ("timeline", MAIL_EXCHANGE, MailReceived.tag, True),
        ("timeline", DEAD_EXCHANGE, "anything", True),
        ("timeline", "", RECEIVED.name, False),
    ],
)
async def test_a_service_publishes_its_own_events_alone(
    broker: PrivateRabbitMQ,
    declared: dict[str, Publisher],
    service: str,
    exchange: str,
    key: str,
    may: bool,
) -> None:
    async with await aio_pika.connect(broker.url_of(service)) as connection:
        channel = await connection.channel()
        to = (
            await channel.get_exchange(exchange, ensure=False)
            if exchange
            else channel.default_exchange
        )
        assert await is_refused(to.publish(aio_pika.Message(b"x"), key)) is not may
    async with await aio_pika.connect(broker.url) as connection:
        for queue in QUEUES:
            await (await (await connection.channel()).get_queue(queue.name)).purge()


async def test_no_queue_of_its_own_lets_a_service_listen_to_others(
    broker: PrivateRabbitMQ, declared: dict[str, Publisher]
) -> None:
    async with await aio_pika.connect(broker.url_of("ingest")) as connection:
        channel = await connection.channel()
        assert await is_refused(channel.declare_queue("amq.gen-mine", exclusive=True))
    async with await aio_pika.connect(broker.url_of("matcher")) as connection:
        channel = await connection.channel()
        own = await channel.declare_queue("matcher.mine", durable=True)
        assert await is_refused(own.bind(MAIL_EXCHANGE, "mail.attached.v1"))
    async with await aio_pika.connect(broker.url) as connection:
        await (await (await connection.channel()).get_queue("matcher.mine")).delete()


async def test_where_nothing_is_declared_ingest_waits_and_accepts_nothing(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with PrivateRabbitMQ(tmp_path_factory.mktemp("empty")) as broker:
        ingest = publishers(broker)["ingest"]
        async with running(ingest):
            await asyncio.sleep(0.5)
            assert not ingest.ready
            async with await aio_pika.connect(broker.url) as connection:
                channel = await connection.channel()
                with pytest.raises(ChannelNotFoundEntity):
                    await channel.declare_queue(RECEIVED.name, passive=True)
