"""What tests with a real broker have in common."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from uuid import uuid4

import aio_pika
from aio_pika.abc import AbstractIncomingMessage

from shared.broker import Consumer, Delivery, Handler, Publisher
from shared.contracts.events import MailReceived
from shared.contracts.topology import RECEIVED, uses
from shared.runtime.process import Part
from tests.deadline import DEADLINE

TOPOLOGY = uses(publishes=[MailReceived], consumes=[RECEIVED])
"""What a publisher and a consumer of received mail use."""


def received(**also: object) -> MailReceived:
    fields = {
        "capture_id": uuid4(),
        "capture_address": "a@in.satchel.test",
        "account_tag": "aaaaaaaa",
        "received_at": datetime.now(UTC),
        "door": "smtp",
        "size": 4,
    }
    return MailReceived.model_validate(fields | also)


@contextlib.asynccontextmanager
async def running(part: Part) -> AsyncIterator[None]:
    task = asyncio.create_task(part.run())
    try:
        yield
    finally:
        part.stop()
        async with asyncio.timeout(DEADLINE):
            await task


@contextlib.asynccontextmanager
async def consuming(
    amqp_url: str, publisher: Publisher, handler: Handler, **options: float
) -> AsyncIterator[Consumer]:
    prefetch = int(options.pop("prefetch", 8))
    consumer = Consumer(
        amqp_url, "test", TOPOLOGY, RECEIVED, handler, publisher, prefetch=prefetch, **options
    )
    async with running(consumer):
        await eventually(lambda: consumer.ready)
        yield consumer


async def eventually(condition: Callable[[], bool], seconds: float = DEADLINE) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


def capture_of(delivery: Delivery) -> str:
    assert isinstance(delivery.event, MailReceived)
    return str(delivery.event.capture_id)


async def take_one(
    channel: aio_pika.abc.AbstractChannel, name: str, seconds: float = DEADLINE
) -> AbstractIncomingMessage:
    """Return the next message of a queue, acknowledged."""
    queue = await channel.get_queue(name, ensure=False)
    async with asyncio.timeout(seconds):
        while (message := await queue.get(fail=False)) is None:
            await asyncio.sleep(0.05)  # polling is what Basic.Get is for
    await message.ack()
    return message


async def holds(channel: aio_pika.abc.AbstractChannel, name: str, expected: int) -> None:
    """Return once the queue holds so many messages: what is returned to it takes a moment."""
    async with asyncio.timeout(DEADLINE):
        while await count(channel, name) != expected:
            await asyncio.sleep(0.05)


async def count(channel: aio_pika.abc.AbstractChannel, name: str) -> int:
    declared = await channel.declare_queue(name, passive=True)
    return declared.declaration_result.message_count or 0
