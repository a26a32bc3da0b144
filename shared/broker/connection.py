"""Connections that come back by themselves, with everything declared again."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Iterator

import aio_pika
import stamina
import structlog
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import CONNECTION_EXCEPTIONS
from yarl import URL

from shared.topology import Topology

HEARTBEAT_SECONDS = 10
_CONNECT_SECONDS = 10.0

AWAY = (*CONNECTION_EXCEPTIONS, TimeoutError)
"""What the library raises when the broker cannot be reached or is lost. StopAsyncIteration is one:
the broker hung up before its first word."""
log = structlog.get_logger()


@contextlib.contextmanager
def own_cancellation_only() -> Iterator[None]:
    """Tell the library's CancelledError (the broker went away) from one that is meant for us."""
    try:
        yield
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise ConnectionError("the broker went away") from error


async def _connect(url: str, name: str, topology: Topology) -> AbstractConnection:
    """Return a connection on which everything is declared, however long that takes."""
    async for attempt in stamina.retry_context(
        on=AWAY, attempts=None, timeout=None, wait_initial=0.1, wait_max=3.0, wait_jitter=0.5
    ):
        with attempt, own_cancellation_only():
            # Made by hand, so that one which does not come about can be closed, too.
            connection = aio_pika.Connection(
                URL(url).update_query(heartbeat=HEARTBEAT_SECONDS),
                client_properties={"connection_name": name},
            )
            try:
                async with asyncio.timeout(_CONNECT_SECONDS):
                    await connection.connect()
                    await _declare(connection, topology)
            except BaseException:
                await close_quietly(connection)
                raise
            log.info("broker connected", connection=name)
            return connection
    raise AssertionError("unreachable: retries have no end")


async def _declare(connection: AbstractConnection, topology: Topology) -> None:
    async with await connection.channel() as channel:
        for name in topology.exchanges:
            await channel.declare_exchange(name, aio_pika.ExchangeType.TOPIC, durable=True)
        for queue in topology.queues:
            declared = await channel.declare_queue(
                queue.name, durable=True, arguments=dict(queue.arguments)
            )
            for key in queue.keys:
                await declared.bind(queue.exchange, key)


async def close_quietly(connection: AbstractConnection) -> None:
    """Close it, or leave it to the broker's heartbeat after two seconds."""
    with contextlib.suppress(*AWAY), own_cancellation_only():
        async with asyncio.timeout(2):
            await connection.close()


async def connections(
    url: str, name: str, topology: Topology, stopping: asyncio.Event
) -> AsyncGenerator[AbstractConnection]:
    """Yield a fresh connection each time the last one is done with, until `stopping`."""
    while not stopping.is_set():
        connect = asyncio.create_task(_connect(url, name, topology))
        stop = asyncio.create_task(stopping.wait())
        await asyncio.wait({connect, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if not connect.done():
            connect.cancel()
            return
        connection = connect.result()
        try:
            yield connection
        finally:
            await close_quietly(connection)


async def first(*events: Awaitable[object]) -> None:
    """Return when the first of them is there."""
    tasks = [asyncio.ensure_future(event) for event in events]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
