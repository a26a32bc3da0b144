"""How many messages wait in the queues, for other programs."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

import aio_pika
from aio_pika.exceptions import ChannelNotFoundEntity

from shared.broker.connection import AWAY, own_cancellation_only
from shared.contracts.topology import Queue

_SECONDS = 10.0


class Depth(NamedTuple):
    """How many messages a queue holds, without those in flight."""

    messages: int
    consumers: int


async def depths(url: str, queues: Sequence[Queue]) -> dict[str, Depth] | None:
    """Return the depth of each queue there is, by name; None when the broker is unavailable."""
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
                        said = there.declaration_result
                        found[queue.name] = Depth(said.message_count or 0, said.consumer_count or 0)
    except AWAY:
        return None
    return found
