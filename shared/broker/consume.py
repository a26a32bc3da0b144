"""Consuming: a delivery leaves the queue when it was handled, and not before."""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import structlog
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage
from prometheus_client import Counter, Gauge, Histogram

from shared.broker.connection import AWAY, connections, first, own_cancellation_only
from shared.broker.publish import EventTooLarge, Publisher, PublishFailed
from shared.events import Event, InvalidEvent, decode_event
from shared.outcomes import Outcome, Reject, Retry
from shared.topology import Queue, Topology

HANDLED = Counter("satchel_handled_total", "Deliveries, by the handler's outcome", ["queue", "to"])
HANDLE_SECONDS = Histogram(
    "satchel_handle_seconds", "From a delivery to its outcome, waiting included", ["queue"]
)
DEAD_LETTERS = Counter("satchel_dead_letters_total", "Dead letters made, by reason", ["reason"])
PAUSED = Gauge("satchel_consumer_paused", "1 while a dependency is away", ["queue"])

HOLD_SECONDS = 20 * 60
"""How long a delivery may wait in hand; the broker's own limit (consumer_timeout) is 30 minutes."""
RENEW_SECONDS = 15
"""How often a consumer is made anew. RabbitMQ 3.10 does not tell a consumer that its quorum queue
was deleted; asking for a consumer again finds that out, and costs two frames."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a handler gets."""

    event: Event
    body: bytes
    redelivered: bool


Handler = Callable[[Delivery], Awaitable[Outcome]]


class Consumer:
    """Consumes one queue over one connection of its own; `run` keeps it up."""

    def __init__(
        self,
        url: str,
        name: str,
        topology: Topology,
        queue: Queue,
        handler: Handler,
        publisher: Publisher,
        *,
        prefetch: int = 32,
        hold_seconds: float = HOLD_SECONDS,
        renew_seconds: float = RENEW_SECONDS,
    ) -> None:
        self._url, self._name, self._topology = url, f"{name} consumer", topology
        self._queue, self._handler, self._publisher = queue, handler, publisher
        self._prefetch = prefetch
        self._hold_seconds, self._renew_seconds = hold_seconds, renew_seconds
        self._stopping = asyncio.Event()
        self._flow = _Flow(queue.name)
        self._in_hand: set[asyncio.Task[None]] = set()
        self.ready = False
        """Whether deliveries can arrive, or are held back on purpose."""

    async def run(self) -> None:
        """Consume until `stop`, then finish what is in hand."""
        links = connections(self._url, self._name, self._topology, self._stopping)
        async with contextlib.aclosing(links):
            async for connection in links:
                with contextlib.suppress(*AWAY), own_cancellation_only():
                    await self._consume(connection)
                self.ready = False
                if self._stopping.is_set() and self._in_hand:
                    await asyncio.wait(self._in_hand)

    def stop(self) -> None:
        """Take no more deliveries; let `run` end when those in hand are finished."""
        self._stopping.set()

    async def _consume(self, connection: AbstractConnection) -> None:
        channel = await connection.channel()
        queue = await channel.get_queue(self._queue.name, ensure=False)
        underlay = await channel.get_underlay_channel()
        cancelled = asyncio.Event()  # by the broker: the queue is gone
        underlay.on_consumer_cancel_callbacks.add(lambda _: cancelled.set())
        lost = (connection.closed, channel.closed, cancelled.wait, self._stopping.wait)
        while True:
            await channel.set_qos(prefetch_count=1 if self._flow.probing else self._prefetch)
            consumer_tag = await queue.consume(self._take)
            self.ready = True
            await first(
                self._flow.paused.wait(),
                asyncio.sleep(self._renew_seconds),
                *(event() for event in lost),
            )
            if connection.is_closed or channel.is_closed or cancelled.is_set():
                return
            await queue.cancel(consumer_tag)
            if self._stopping.is_set():
                return
            await first(self._flow.open.wait(), *(event() for event in lost))

    async def _take(self, message: AbstractIncomingMessage) -> None:
        # A task of our own: the library cancels its consumer's tasks when the channel closes, and
        # a handler that is half way must not be cut.
        task = asyncio.create_task(self._handle(message))
        self._in_hand.add(task)
        task.add_done_callback(self._in_hand.discard)

    async def _handle(self, message: AbstractIncomingMessage) -> None:
        started = time.monotonic()
        with self._flow.delivery() as flow:
            while isinstance(outcome := await self._attempt(message), Retry):
                flow.wait(outcome.why)
                if message.channel.is_closed:
                    return  # the broker has given it to somebody else by now
                held_too_long = time.monotonic() - started > self._hold_seconds
                if self._stopping.is_set() or held_too_long:
                    self._flow.probing = held_too_long
                    await self._settle(message.nack, "returned")
                    return
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), flow.backoff())
            self._flow.probing = False
        await self._settle(message.ack, type(outcome).__name__.lower())
        HANDLE_SECONDS.labels(self._queue.name).observe(time.monotonic() - started)

    async def _attempt(self, message: AbstractIncomingMessage) -> Outcome:
        """Return the handler's outcome; a `Reject` has been published when it is returned."""
        text = message.headers.get("event")
        try:
            event = decode_event(message.type, text)
        except InvalidEvent as error:
            outcome: Outcome = Reject("invalid_event", str(error))
        else:
            try:
                delivery = Delivery(event, message.body, bool(message.redelivered))
                outcome = await self._handler(delivery)
            except EventTooLarge:
                outcome = Reject("event_too_large")
            except PublishFailed as failure:
                outcome = Retry(f"publish: {failure.reason}")
            except Exception as error:
                log.exception("handler failed", queue=self._queue.name)
                outcome = Reject("handler_error", type(error).__name__)
        if isinstance(outcome, Reject):
            try:
                await self._publisher.publish_dead(
                    message.type or "unknown",
                    text if isinstance(text, str) else "",
                    message.body,
                    reason=outcome.reason,
                    detail=outcome.detail,
                    queue=self._queue.name,
                )
            except PublishFailed as failure:
                return Retry(f"publish dead letter: {failure.reason}")
            DEAD_LETTERS.labels(outcome.reason).inc()
            log.warning("dead letter", queue=self._queue.name, reason=outcome.reason)
        return outcome

    async def _settle(self, settle: Callable[[], Awaitable[None]], word: str) -> None:
        try:
            with own_cancellation_only():
                await settle()
        except AWAY:
            word = "redelivered"  # the channel is gone, and handlers are idempotent
        HANDLED.labels(self._queue.name, word).inc()


class _Flow:
    """Whether new deliveries are wanted: not while any one waits for a dependency."""

    def __init__(self, queue: str) -> None:
        self._queue = queue
        self._waiting = 0
        self.paused = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()
        self.probing = False
        """After a long outage: take one delivery at a time until one succeeds."""

    @contextlib.contextmanager
    def delivery(self) -> Iterator["_Flow._Waiting"]:
        waiting = self._Waiting(self)
        try:
            yield waiting
        finally:
            if waiting.attempts:
                self._count(-1)

    def _count(self, change: int) -> None:
        self._waiting += change
        away = self._waiting > 0
        PAUSED.labels(self._queue).set(away)
        if away:
            self.open.clear()
            self.paused.set()
        else:
            self.paused.clear()
            self.open.set()

    class _Waiting:
        """One delivery, which may wait many times."""

        def __init__(self, flow: "_Flow") -> None:
            self._flow = flow
            self.attempts = 0

        def wait(self, why: str) -> None:
            if self.attempts == 0:
                self._flow._count(+1)
                log.warning("waiting", queue=self._flow._queue, why=why)
            self.attempts += 1

        def backoff(self) -> float:
            seconds = min(0.1 * 2.0 ** min(self.attempts, 8), 10.0)
            return seconds * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
