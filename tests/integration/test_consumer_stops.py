"""Consumers that stop, and brokers that go: no mail in flight is lost, and no stop is delayed."""

import asyncio
import contextlib

import aio_pika
import pytest

from dev.rabbitmq import PrivateRabbitMQ
from shared.broker import Delivery, Publisher, PublishFailed
from shared.broker.connection import close_quietly
from shared.contracts.outcomes import Done, Outcome, Retry
from shared.contracts.topology import RECEIVED
from tests.broker_parts import (
    capture_of,
    consuming,
    eventually,
    holds,
    received,
)
from tests.deadline import DEADLINE


async def test_a_stop_finishes_what_is_in_flight_and_returns_what_waits(
    amqp_url: str, publisher: Publisher, admin: aio_pika.abc.AbstractChannel
) -> None:
    started = asyncio.Event()
    finished: list[Delivery] = []

    async def slow(delivery: Delivery) -> Outcome:
        started.set()
        await asyncio.sleep(0.5)
        finished.append(delivery)
        return Done()

    async with consuming(amqp_url, publisher, slow, prefetch=2):
        for _ in range(6):
            await publisher.publish(received(), b"mail")
        await started.wait()
    assert finished
    left = 6 - len(finished)
    await holds(admin, RECEIVED.name, left)

    async def waits(_: Delivery) -> Outcome:
        return Retry("away")

    async with consuming(amqp_url, publisher, waits):
        await asyncio.sleep(0.5)
    await holds(admin, RECEIVED.name, left)


async def test_a_stop_does_not_wait_for_a_handler_that_waits_for_what_is_frozen(
    amqp_url: str,
    publisher: Publisher,
    admin: aio_pika.abc.AbstractChannel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shared.broker.deliveries._FINISH_SECONDS", 0.2)
    started = asyncio.Event()

    async def hangs(_: Delivery) -> Outcome:
        started.set()
        await asyncio.Event().wait()
        return Done()

    async with asyncio.timeout(DEADLINE), consuming(amqp_url, publisher, hangs):
        await publisher.publish(received(), b"mail")
        await started.wait()
    await holds(admin, RECEIVED.name, 1)


async def test_a_stop_does_not_wait_for_a_silent_broker(
    private_broker: PrivateRabbitMQ, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even while the consumer asks it, as it does when it has heard nothing for a while."""

    async def handler(_: Delivery) -> Outcome:
        return Done()

    # Without a heartbeat, what waits for the broker waits for ever.
    monkeypatch.setattr("shared.broker.connection.HEARTBEAT_SECONDS", 3600)
    try:
        async with (
            asyncio.timeout(DEADLINE),
            consuming(private_broker.url, publisher, handler, renew_seconds=0.3),
        ):
            await asyncio.sleep(0.5)
            private_broker.freeze()
            await asyncio.sleep(0.7)
    finally:
        private_broker.thaw()


async def test_what_a_silent_broker_does_not_let_close_counts_as_closed(
    private_broker: PrivateRabbitMQ,
) -> None:
    """The library would close it when it is collected, wherever that happens."""
    connection = await aio_pika.connect(f"{private_broker.url}?heartbeat=3600")
    private_broker.freeze()
    try:
        async with asyncio.timeout(DEADLINE):
            await close_quietly(connection)
        assert connection.is_closed
    finally:
        private_broker.thaw()


async def test_a_killed_broker_gives_every_unfinished_message_again(
    private_broker: PrivateRabbitMQ, publisher: Publisher
) -> None:
    handled: set[str] = set()
    calls = 0

    async def handler(delivery: Delivery) -> Outcome:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0.05)
        handled.add(capture_of(delivery))
        return Done()

    events = [received() for _ in range(50)]
    for event in events:
        await publisher.publish(event, b"mail")
    async with consuming(private_broker.url, publisher, handler):
        await eventually(lambda: len(handled) > 5)
        private_broker.kill()
        await asyncio.to_thread(private_broker.start)
        await eventually(lambda: handled >= {str(e.capture_id) for e in events})


async def test_a_deleted_queue_is_declared_and_consumed_again(
    amqp_url: str, publisher: Publisher, admin: aio_pika.abc.AbstractChannel
) -> None:
    seen: set[str] = set()

    async def handler(delivery: Delivery) -> Outcome:
        seen.add(capture_of(delivery))
        return Done()

    async with consuming(amqp_url, publisher, handler, renew_seconds=0.5):
        before, after = received(), [received() for _ in range(20)]
        await publisher.publish(before, b"mail")
        await eventually(lambda: str(before.capture_id) in seen)
        await admin.queue_delete(RECEIVED.name)
        for event in after:
            while True:
                with contextlib.suppress(PublishFailed):
                    await publisher.publish(event, b"mail")
                    break
                await asyncio.sleep(0.1)
        # All of them: of a channel that knew the queue before, the broker forgets the first.
        await eventually(lambda: {str(event.capture_id) for event in after} <= seen)
