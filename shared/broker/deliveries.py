"""The deliveries of one queue: received, held while a dependency is unavailable, and settled."""

import asyncio
import contextlib
import math
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, cast

import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage

from shared.broker.acknowledge import Acknowledgements, Channel
from shared.broker.connection import AWAY, connections, first, own_cancellation_only
from shared.broker.metrics import (
    DELIVERY_COUNT,
    HANDLE_SECONDS,
    HANDLED,
    IN_FLIGHT,
    OLDEST_SECONDS,
    SETTLED,
    WAITING,
)
from shared.contracts.outcomes import Outcome, Retry
from shared.contracts.topology import Queue, Topology
from shared.runtime import tracing

HOLD_SECONDS = 20 * 60
"""How long a delivery may wait; the broker's own limit (consumer_timeout) is 30 minutes."""
RENEW_SECONDS = 15
"""How long a consumer may hear nothing until it is replaced. RabbitMQ 3.10 does not tell one that
its quorum queue was deleted; asking again, on another channel, finds that out."""
_FINISH_SECONDS = 5.0
"""How long a stop waits for handlers. A mail takes milliseconds; the rest awaits a dependency."""
_CUT_SECONDS = 0.5
"""How long it waits for what is only a courtesy."""

log = structlog.get_logger()


class QueueConsumer(ABC):
    """Consumes one queue over one connection of its own; `run` keeps it up."""

    def __init__(
        self,
        url: str,
        name: str,
        topology: Topology,
        queue: Queue,
        *,
        prefetch: int,
        hold_seconds: float = HOLD_SECONDS,
        renew_seconds: float = RENEW_SECONDS,
    ) -> None:
        self._url, self._name, self._topology = url, f"{name} consumer", topology
        self._queue = queue
        self._prefetch = prefetch
        self._hold_seconds, self._renew_seconds = hold_seconds, renew_seconds
        self._stopping = asyncio.Event()
        self._in_flight: dict[asyncio.Task[None], float] = {}  # and when it was published
        self._acknowledgements: dict[Channel, Acknowledgements] = {}
        self._idle = True
        self._probing = False
        self._prefetch_changed = asyncio.Event()
        self.ready = False
        """Whether deliveries can arrive, or are held back on purpose."""
        for word in SETTLED:
            HANDLED.labels(queue.name, word)
        WAITING.labels(queue.name)
        IN_FLIGHT.labels(queue.name).set_function(lambda: len(self._in_flight))
        OLDEST_SECONDS.labels(queue.name).set_function(self._age_of_oldest)

    async def run(self) -> None:
        """Consume until `stop`, then finish what is in flight."""
        links = connections(self._url, self._name, self._topology, self._stopping)
        async with contextlib.aclosing(links):
            async for connection in links:
                with contextlib.suppress(*AWAY), own_cancellation_only():
                    await self._until_stopped(self._consume(connection))
                self.ready = False
                if self._stopping.is_set():
                    await self._finish()

    def stop(self) -> None:
        """Take no more deliveries; let `run` end when those in flight are finished."""
        self._stopping.set()

    async def _until_stopped(self, work: Coroutine[Any, Any, None]) -> None:
        """Do the work. Once stopping it has a moment to end: the broker it asks may be silent."""
        task, stop = asyncio.create_task(work), asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({task}, timeout=2 * _CUT_SECONDS)
        finally:
            stop.cancel()
            task.cancel()
        await asyncio.wait({task}, timeout=_CUT_SECONDS)
        if task.done() and not task.cancelled():
            task.result()

    async def _finish(self) -> None:
        """Wait for what is in flight; what waits for a dependency goes back to its queue."""
        for seconds in (_FINISH_SECONDS, _CUT_SECONDS):
            if self._in_flight:
                _, unfinished = await asyncio.wait(self._in_flight, timeout=seconds)
                for task in unfinished:
                    task.cancel()

    async def _consume(self, connection: AbstractConnection) -> None:
        """Consume until the connection or the queue is gone, on one channel after the other."""
        while True:
            channel = await connection.channel()
            if not await self._consume_on(channel, connection):
                return
            await channel.close()

    async def _consume_on(self, channel: AbstractChannel, connection: AbstractConnection) -> bool:
        """Consume; return whether to go on, with nothing in flight, on another channel.

        A channel must not outlive its queue: when that was deleted and declared again, RabbitMQ
        3.10 counts the first deliveries as given to the old channel, and never sends them.
        """
        queue = await channel.get_queue(self._queue.name, ensure=False)
        underlay = await channel.get_underlay_channel()
        cancelled = asyncio.Event()  # by the broker: the queue is gone
        underlay.on_consumer_cancel_callbacks.add(lambda _: cancelled.set())
        ends = (connection.closed, channel.closed, cancelled.wait, self._stopping.wait)
        while True:
            await channel.set_qos(prefetch_count=1 if self._probing else self._prefetch)
            consumer_tag = await queue.consume(self._take)
            self.ready = True
            while not self._stopping.is_set():
                self._idle = True
                timer = asyncio.sleep(self._renew_seconds)
                await first(timer, self._prefetch_changed.wait(), *(end() for end in ends))
                if connection.is_closed or channel.is_closed or cancelled.is_set():
                    return False
                if self._prefetch_changed.is_set() or (self._idle and not self._in_flight):
                    break
            self._prefetch_changed.clear()
            # A stop does not wait for a silent broker.
            async with asyncio.timeout(_CUT_SECONDS if self._stopping.is_set() else None):
                await queue.cancel(consumer_tag)
            if self._stopping.is_set():
                return False
            if not self._in_flight:
                return True

    async def _take(self, message: AbstractIncomingMessage) -> None:
        # A task of our own: the library cancels its consumer's tasks when the channel closes, and
        # a handler that is half way must not be cut.
        self._idle = False
        returns = message.headers.get("x-delivery-count", 0)
        DELIVERY_COUNT.labels(self._queue.name).observe(returns if isinstance(returns, int) else 0)
        task = asyncio.create_task(self._handle_traced(message))
        published = message.timestamp
        self._in_flight[task] = published.timestamp() if published else time.time()
        task.add_done_callback(self._in_flight.pop)

    def _age_of_oldest(self) -> float:
        return max(0.0, time.time() - min(self._in_flight.values(), default=math.inf))

    async def _handle_traced(self, message: AbstractIncomingMessage) -> None:
        headers = message.headers
        parent = tracing.read(headers.get(tracing.PARENT), headers.get(tracing.STATE))
        with tracing.step(f"process {self._queue.name}", "consumer", parent):
            await self._handle(message)

    @abstractmethod
    async def _handle(self, message: AbstractIncomingMessage) -> None:
        """Handle a message with `_until_settled`."""

    async def _until_settled(
        self, message: AbstractIncomingMessage, attempt: Callable[[], Awaitable[Outcome]]
    ) -> None:
        """Attempt until the outcome is no `Retry`, and acknowledge; or give the message back."""
        started = time.monotonic()
        attempts = 0
        try:
            while isinstance(outcome := await attempt(), Retry):
                attempts += 1
                if attempts == 1:
                    WAITING.labels(self._queue.name).inc()
                    log.warning("waiting", queue=self._queue.name, why=outcome.why)
                if _is_lost(message):  # the broker has given it to somebody else by now
                    self._settled("redelivered")
                    return
                held_too_long = time.monotonic() - started > self._hold_seconds
                if self._stopping.is_set() or held_too_long:
                    self._probe(held_too_long)
                    await self._settle(lambda: self._give_back(message), "returned")
                    return
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), _backoff(attempts))
        finally:
            if attempts:
                WAITING.labels(self._queue.name).dec()
        self._probe(False)
        await self._settle(lambda: self._acknowledge(message), type(outcome).__name__.lower())
        HANDLE_SECONDS.labels(self._queue.name).observe(time.monotonic() - started)

    async def _guarded(
        self,
        handle: Callable[[], Awaitable[Outcome]],
        failed: Callable[[BaseException], Outcome],
    ) -> Outcome:
        """Return what the handler says, or what its failure means. Nothing may end silently."""
        try:
            return await handle()
        except (KeyboardInterrupt, SystemExit):
            raise
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            return Retry("cancelled by a library")
        except BaseException as error:  # a panic of a native library is no Exception
            log.exception("handler failed", queue=self._queue.name)
            return failed(error)

    def _probe(self, probing: bool) -> None:
        """After a long outage take one delivery at a time, until one succeeds."""
        if probing != self._probing:
            self._probing = probing
            self._prefetch_changed.set()

    async def _acknowledge(self, message: AbstractIncomingMessage) -> None:
        await self._acknowledgements_of(message).acknowledge(message.delivery_tag or 0)

    async def _give_back(self, message: AbstractIncomingMessage) -> None:
        given_back = self._acknowledgements_of(message).given_back
        await message.nack()
        given_back(message.delivery_tag or 0)

    def _acknowledgements_of(self, message: AbstractIncomingMessage) -> Acknowledgements:
        """Return those of its channel; of a closed one the library tells by raising."""
        channel = cast(Channel, message.channel)  # its interface leaves out what it can do
        if channel not in self._acknowledgements:
            self._acknowledgements = {
                open_: known
                for open_, known in self._acknowledgements.items()
                if not open_.is_closed
            }
            self._acknowledgements[channel] = Acknowledgements(channel, self._prefetch)
        return self._acknowledgements[channel]

    async def _settle(self, settle: Callable[[], Awaitable[None]], word: str) -> None:
        try:
            with own_cancellation_only():
                await settle()
        except AWAY:
            word = "redelivered"  # the channel is gone, and handlers are idempotent
        self._settled(word)

    def _settled(self, word: str) -> None:
        tracing.note("satchel.settled", word)
        if word in ("returned", "redelivered"):
            log.info("delivery returned", queue=self._queue.name, to=word)
        HANDLED.labels(self._queue.name, word).inc()


def _is_lost(message: AbstractIncomingMessage) -> bool:
    """Return whether its channel is closed; of a closed channel the library tells by raising."""
    try:
        return bool(message.channel.is_closed)
    except AWAY:
        return True


def _backoff(attempts: int) -> float:
    seconds = min(0.1 * 2.0 ** min(attempts, 8), 10.0)
    return seconds * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
