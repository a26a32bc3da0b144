"""The broker's messages, as files: one BSON document a message, one file a queue.

They are fetched without an acknowledgement and requeued at the end, so they stay in their queue.
That uses up one of each message's 60 delivery attempts. The events that show a dismissed mail for
a day are left out. Messages in flight to a consumer cannot be fetched: stop all consumers first.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import aio_pika
import bson
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import ChannelNotFoundEntity

from shared.broker import Depth, depths
from shared.broker.connection import connections
from shared.contracts.events import FLEETING
from shared.contracts.topology import QUEUES, Queue, Topology
from shared.runtime.mistake import Mistake

_AT_ONCE = 16
_OWN_HEADERS = ("x-delivery-count", "x-acquired-count")
"""What the broker adds to what it delivers."""


async def waiting(url: str) -> dict[str, Depth]:
    """Return what each queue holds. Raises Mistake when the broker is unavailable."""
    found = await depths(url, QUEUES)
    if found is None:
        raise Mistake("the broker does not answer")
    return found


async def refuse_consumers(url: str) -> None:
    """Raise Mistake when somebody consumes."""
    for queue, there in (await waiting(url)).items():
        if there.consumers:
            raise Mistake(
                f"{queue} has {there.consumers} consumers: stop matcher and timeline first"
            )


async def save(url: str, folder: Path) -> dict[str, int]:
    """Copy all messages into the folder; return how many there are of each queue."""
    folder.mkdir(parents=True)
    saved = {}
    async with await aio_pika.connect(url) as connection:
        for queue in QUEUES:
            path = folder / f"{queue.name}.bson"
            with path.open("wb") as file:
                saved[queue.name] = await _save(connection, queue, file.write)
                file.flush()
                os.fsync(file.fileno())
    return saved


async def _save(
    connection: AbstractConnection, queue: Queue, write: Callable[[bytes], object]
) -> int:
    async def take(channel: AbstractChannel) -> int:
        count = 0
        source = await channel.get_queue(queue.name, ensure=False)
        while (message := await source.get(fail=False)) is not None:
            headers = {k: v for k, v in message.headers.items() if k not in _OWN_HEADERS}
            if message.type in FLEETING:
                continue
            kept = {
                "body": message.body,
                "headers": headers,
                "type": message.type,
                "content_type": message.content_type,
                "message_id": message.message_id,
            }
            write(bson.encode(kept))
            count += 1
        return count

    # All are held until none is left: what is given back would be taken again.
    channels = [await connection.channel() for _ in range(_AT_ONCE)]
    try:
        return sum(await asyncio.gather(*(take(channel) for channel in channels)))
    except ChannelNotFoundEntity:
        return 0
    finally:
        for channel in channels:
            await channel.close()


async def restore(url: str, folder: Path) -> dict[str, int]:
    """Put all messages into their queues, which are declared first; return how many there were."""
    restored = {}
    async with _declared(url) as connection, connection.channel(on_return_raises=True) as channel:
        slots = asyncio.Semaphore(_AT_ONCE)

        async def publish(message: dict[str, Any], queue: str) -> None:
            async with slots:
                again = aio_pika.Message(
                    message.pop("body"),
                    delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                    **message,
                )
                await channel.default_exchange.publish(again, queue, mandatory=True, timeout=30)

        for queue in QUEUES:
            restored[queue.name] = 0
            for some in _batches(folder / f"{queue.name}.bson"):
                await asyncio.gather(*(publish(message, queue.name) for message in some))
                restored[queue.name] += len(some)
    return restored


def _batches(path: Path) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    with path.open("rb") as file:
        for message in bson.decode_file_iter(file):
            batch.append(message)
            if len(batch) == 100:
                yield batch
                batch = []
    yield batch


@contextlib.asynccontextmanager
async def _declared(url: str) -> AsyncIterator[AbstractConnection]:
    links = connections(url, "restore", Topology(QUEUES), asyncio.Event())
    async with contextlib.aclosing(links):
        yield await anext(links)
