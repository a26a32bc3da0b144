"""What the stack's broker confirms with nothing else running: what rates are compared with."""

import asyncio
import time
from datetime import UTC, datetime
from uuid import uuid4

import aio_pika

from dev.stack import Stack
from shared.broker import Publisher
from shared.contracts.events import MailReceived
from shared.contracts.topology import RECEIVED, uses


def broker_alone(stack: Stack, *, size: int, count: int, concurrent: int) -> float:
    """Return how many publishes of this size a second are confirmed, so many at a time.

    The consumers are stopped meanwhile, and what was published is purged.
    """
    for replica in stack.of("matcher"):
        replica.process.stop()
    url = stack.environment["AMQP_URL"]
    rate = asyncio.run(_confirmed(url, size, count, concurrent))
    asyncio.run(_purge(url))
    for replica in stack.of("matcher"):
        replica.start()
        replica.await_ready()
    return rate


async def _confirmed(url: str, size: int, count: int, concurrent: int) -> float:
    publisher = Publisher(url, "bench", uses(publishes=[MailReceived]), deadline=60)
    running = asyncio.create_task(publisher.run())
    while not publisher.ready:
        await asyncio.sleep(0.01)
    event = MailReceived(
        capture_id=uuid4(),
        capture_address="bench@in.satchel.test",
        account_tag="a" * 8,
        received_at=datetime.now(UTC),
        door="smtp",
        size=size,
    )
    body, left = b"x" * size, iter(range(count))

    async def publish() -> None:
        for _ in left:
            await publisher.publish(event, body)

    started = time.monotonic()
    await asyncio.gather(*(publish() for _ in range(concurrent)))
    seconds = time.monotonic() - started
    publisher.stop()
    await running
    return count / seconds


async def _purge(url: str) -> None:
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        await (await channel.get_queue(RECEIVED.name)).purge()
