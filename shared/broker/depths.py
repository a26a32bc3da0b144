"""How much waits in the queues, for whoever looks from outside."""

import asyncio
from collections.abc import Sequence

import aio_pika
from aio_pika.exceptions import ChannelNotFoundEntity

from shared.broker.connection import AWAY, own_cancellation_only
from shared.topology import Queue

_SECONDS = 10.0


async def depths(url: str, queues: Sequence[Queue]) -> dict[str, int] | None:
    """Return how many messages wait in each queue, by its name; None when the broker is away.

    What is in a consumer's hand is not counted.
    """
    found = {}
    try:
        with own_cancellation_only():
            async with asyncio.timeout(_SECONDS), await aio_pika.connect(url) as connection:
                for queue in queues:
                    async with connection.channel() as channel:
                        try:
                            there = await channel.declare_queue(queue.name, passive=True)
                        except ChannelNotFoundEntity:
                            continue
                        found[queue.name] = there.declaration_result.message_count or 0
    except AWAY:
        return None
    return found
