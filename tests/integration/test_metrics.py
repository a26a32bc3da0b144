"""What the metrics say of a broker, a database, a blob store and mail, with real ones."""

import asyncio
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aio_pika
import pytest
from prometheus_client import REGISTRY
from pymongo.errors import OperationFailure

from dev.rabbitmq import PrivateRabbitMQ
from shared.broker import Backlog, Consumer, Delivery, Publisher
from shared.contracts.events import AuthenticationVerdict, MailReceived
from shared.contracts.outcomes import Done, Outcome, Retry
from shared.contracts.topology import MAIL_EXCHANGE, RECEIVED, uses
from shared.storage.blobs import Blobs, BlobStoreAway
from shared.storage.database import connect
from tests.broker_parts import eventually, received, running
from tests.timeline_parts import ACCOUNT, a_timeline, attached, dismissed, mail

TOPOLOGY = uses(publishes=[MailReceived], consumes=[RECEIVED])


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"satchel_{name}", labels) or 0


def of_queue(name: str) -> float:
    return value(name, queue=RECEIVED.name)


async def test_a_queue_tells_how_old_its_oldest_is(amqp_url: str) -> None:
    """Published a minute ago, as far as the message says: the hand is filled from the head."""
    go_on = asyncio.Event()

    async def handler(_: Delivery) -> Outcome:
        await go_on.wait()
        return Done()

    publisher = Publisher(amqp_url, "test", TOPOLOGY)
    consumer = Consumer(amqp_url, "test", TOPOLOGY, RECEIVED, handler, publisher, prefetch=2)
    backlog = Backlog(amqp_url, "test", [RECEIVED], pause=0.05)
    async with (
        running(publisher),
        await aio_pika.connect(amqp_url) as connection,
        connection.channel() as channel,
    ):
        await eventually(lambda: publisher.ready)
        await (await channel.get_queue(RECEIVED.name)).purge()
        exchange = await channel.get_exchange(MAIL_EXCHANGE)
        event = received()
        old = aio_pika.Message(
            b"mail",
            type=event.tag,
            headers={"event": event.encode()},
            timestamp=datetime.now(UTC) - timedelta(minutes=1),
        )
        await exchange.publish(old, event.routing_key)
        for _ in range(2):
            await publisher.publish(received(), b"mail")
        done = value("handled_total", queue=RECEIVED.name, to="done")
        async with running(backlog):
            await eventually(lambda: of_queue("queue_messages") == 3)
            assert of_queue("queue_consumers") == 0
            async with running(consumer):
                await eventually(lambda: of_queue("deliveries_in_flight") == 2)
                assert of_queue("oldest_seconds") >= 60
                await eventually(lambda: of_queue("queue_consumers") == 1)
                await eventually(lambda: of_queue("queue_messages") == 1)
                go_on.set()
                await eventually(
                    lambda: value("handled_total", queue=RECEIVED.name, to="done") == done + 3
                )
                assert (of_queue("deliveries_in_flight"), of_queue("oldest_seconds")) == (0, 0)
    assert math.isnan(of_queue("queue_messages"))


async def test_a_message_says_when_it_was_published(amqp_url: str) -> None:
    publisher = Publisher(amqp_url, "test", TOPOLOGY)
    async with (
        running(publisher),
        await aio_pika.connect(amqp_url) as connection,
        connection.channel() as channel,
    ):
        await eventually(lambda: publisher.ready)
        queue = await channel.get_queue(RECEIVED.name)
        await queue.purge()
        event = received()
        counted = value("publish_seconds_count", tag=event.tag)
        before = datetime.now(UTC).replace(microsecond=0)
        await publisher.publish(event, b"mail")
        assert value("publish_seconds_count", tag=event.tag) == counted + 1
        message = await queue.get()
        await message.ack()
        assert message.timestamp is not None
        assert before <= message.timestamp <= datetime.now(UTC)


async def test_a_command_is_timed_and_a_refused_one_counted(mongodb_url: str) -> None:
    async with connect(mongodb_url, "test") as client:
        things = client["satchel_test_metrics"]["things"]
        found = value("database_seconds_count", command="find")
        refused = value("database_errors_total", command="find")
        await things.find_one({"_id": 1})
        assert value("database_seconds_count", command="find") == found + 1
        assert value("database_errors_total", command="find") == refused
        with pytest.raises(OperationFailure):
            await things.find_one({"$nothing": 1})
        assert value("database_errors_total", command="find") == refused + 1
        other = value("database_seconds_count", command="other")
        await client.admin.command("ping")
        assert value("database_seconds_count", command="other") == other + 1


async def test_a_blob_operation_is_timed_and_a_refused_one_counted(tmp_path: Path) -> None:
    blobs = Blobs(f"file://{tmp_path}/blobs")
    put = value("blob_seconds_count", operation="put")
    away = value("blob_errors_total", operation="put")
    await blobs.put("claims/a", b"mail")
    assert value("blob_seconds_count", operation="put") == put + 1
    assert value("blob_errors_total", operation="put") == away
    (tmp_path / "blobs" / ".satchel").unlink()
    with pytest.raises(BlobStoreAway):
        await blobs.put("claims/b", b"mail")
    assert value("blob_errors_total", operation="put") == away + 1


async def test_what_is_delivered_again_was_visible_already(
    mongodb_url: str, tmp_path: Path
) -> None:
    """Else each acknowledgement that is lost would look like a mail that came too late."""
    async with a_timeline(mongodb_url, tmp_path) as timeline:
        await timeline.settings.set_quarantine(ACCOUNT, "failed")
        for event in (
            attached(part=1, parts=2),
            attached(verdict=AuthenticationVerdict.FAILED),
            dismissed(),
        ):
            before = value("visible_seconds_count")
            for _ in range(3):
                await timeline.handle(event, mail())
            assert value("visible_seconds_count") == before + 1
        # Decided otherwise after a change of the directory: attached wins, and is news.
        before = value("visible_seconds_count")
        await timeline.handle(attached(capture_id=event.capture_id), mail())
        assert value("visible_seconds_count") == before + 1


async def test_a_delivery_that_is_lost_while_it_waits_is_counted_as_given_back(
    private_broker: PrivateRabbitMQ,
) -> None:
    url, tries = private_broker.url, 0

    async def handler(_: Delivery) -> Outcome:
        nonlocal tries
        tries += 1
        return Retry("away") if tries < 3 else Done()

    publisher = Publisher(url, "test", TOPOLOGY)
    consumer = Consumer(url, "test", TOPOLOGY, RECEIVED, handler, publisher)
    async with running(publisher), running(consumer):
        await eventually(lambda: publisher.ready and consumer.ready)
        lost = value("handled_total", queue=RECEIVED.name, to="redelivered")
        done = value("handled_total", queue=RECEIVED.name, to="done")
        await publisher.publish(received(), b"mail")
        await eventually(lambda: tries == 1)
        tries = -1_000
        await asyncio.to_thread(private_broker.ctl, "close_all_connections", "test")
        await eventually(
            lambda: value("handled_total", queue=RECEIVED.name, to="redelivered") == lost + 1
        )
        tries = 10
        await eventually(lambda: value("handled_total", queue=RECEIVED.name, to="done") == done + 1)
