"""Connections that are restored by themselves, with everything declared again."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from functools import partial

import aio_pika
import aiormq
import stamina
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import CONNECTION_EXCEPTIONS
from yarl import URL

from shared.contracts.topology import Queue, Topology
from shared.runtime.dependencies import place

HEARTBEAT_SECONDS = 10
_CONNECT_SECONDS = 10.0
_CLOSE_SECONDS = 0.5

AWAY = (*CONNECTION_EXCEPTIONS, TimeoutError)
"""What the library raises when the broker cannot be reached or is lost. StopAsyncIteration is one:
the broker hung up before its first word."""
_Declare = Callable[..., Awaitable[None]]
log = structlog.get_logger()


@contextlib.contextmanager
def own_cancellation_only() -> Iterator[None]:
    """Tell the library's CancelledError (the broker closed the connection) from our own."""
    try:
        yield
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise ConnectionError("the broker closed the connection") from error


@contextlib.contextmanager
def _waiting_is_said(url: str, name: str, attempt: stamina.Attempt) -> Iterator[None]:
    try:
        yield
    except AWAY as error:
        log.warning(
            "waiting for the broker",
            at=place(url),
            why=_why(error),
            connection=name,
            attempt=attempt.num,
            next_try_in=round(attempt.next_wait, 1),
        )
        raise


def _why(error: BaseException) -> str:
    """Return what keeps us from the broker, in words for who has to put it right."""
    reasons: list[tuple[tuple[type[BaseException], ...], str]] = [
        (
            (aiormq.exceptions.AuthenticationError, aiormq.exceptions.ProbableAuthenticationError),
            "the credentials are refused",
        ),
        ((aiormq.exceptions.ConnectionNotAllowed,), "the virtual host is refused"),
        ((aiormq.exceptions.ChannelAccessRefused,), "the user may not declare what is needed"),
        (
            (aiormq.exceptions.ChannelPreconditionFailed,),
            "an exchange or queue exists with other arguments",
        ),
        (
            (aiormq.exceptions.ChannelNotFoundEntity,),
            "the service that declares what is needed has not been here yet",
        ),
        ((TimeoutError,), f"no answer within {_CONNECT_SECONDS:.0f} seconds"),
        ((ConnectionError,), "it cannot be reached"),
    ]
    found = (words for kinds, words in reasons if isinstance(error, kinds))
    return next(found, type(error).__name__)


async def _connect(url: str, name: str, topology: Topology) -> AbstractConnection:
    """Return a connection on which everything is declared, however long that takes."""
    async for attempt in stamina.retry_context(
        on=AWAY, attempts=None, timeout=None, wait_initial=0.1, wait_max=3.0, wait_jitter=0.5
    ):
        with attempt, _waiting_is_said(url, name, attempt), own_cancellation_only():
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
    """Declare what is used. Where the user may not declare all of it (`contracts.broker_users`),
    the rest has to be there: the service whose it is declares it."""
    declarations = [
        *(partial(_declare_exchange, name=name) for name in topology.exchanges),
        *(partial(_declare_queue, queue=queue) for queue in topology.queues),
    ]
    try:
        async with await connection.channel() as channel:
            for declare in declarations:
                await declare(channel)
    except aiormq.exceptions.ChannelAccessRefused:
        await _declare_own(connection, declarations)


async def _declare_own(connection: AbstractConnection, declarations: Sequence[_Declare]) -> None:
    """Declare all that the user may, then raise ChannelNotFoundEntity for what is not there."""
    missing: Exception | None = None
    for declare in declarations:
        try:
            async with await connection.channel() as channel:
                await declare(channel)
        except aiormq.exceptions.ChannelAccessRefused:
            try:
                async with await connection.channel() as channel:
                    await declare(channel, passive=True)
            except aiormq.exceptions.ChannelNotFoundEntity as error:
                missing = error
    if missing is not None:
        raise missing


async def _declare_exchange(channel: AbstractChannel, *, name: str, passive: bool = False) -> None:
    kind = aio_pika.ExchangeType.TOPIC
    await channel.declare_exchange(name, kind, durable=True, passive=passive)


async def _declare_queue(channel: AbstractChannel, *, queue: Queue, passive: bool = False) -> None:
    if passive:
        await channel.declare_queue(queue.name, passive=True)
        return
    declared = await channel.declare_queue(
        queue.name, durable=True, arguments=dict(queue.arguments)
    )
    for key in queue.keys:
        await declared.bind(queue.exchange, key)


async def close_quietly(connection: AbstractConnection) -> None:
    """Close the connection, or leave it to the heartbeat: a frozen broker must not delay us."""
    try:
        with contextlib.suppress(*AWAY), own_cancellation_only():
            async with asyncio.timeout(_CLOSE_SECONDS):
                await connection.close()
    finally:
        # What did not close in time has no transport any more, so this takes none. Else the
        # library would close it once it is collected, in whatever thread that happens.
        await connection.close()


async def connections(
    url: str, name: str, topology: Topology, stopping: asyncio.Event
) -> AsyncGenerator[AbstractConnection]:
    """Yield a new connection each time the last one is lost, until `stopping`."""
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
    """Return when the first connection is made."""
    tasks = [asyncio.ensure_future(event) for event in events]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
