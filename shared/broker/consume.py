"""Consuming: a delivery leaves its queue after it was handled, and not before."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from aio_pika.abc import AbstractIncomingMessage

from shared.broker.dead import DeadLetter, read_dead_letter, replays_of
from shared.broker.deliveries import HOLD_SECONDS, RENEW_SECONDS, QueueConsumer
from shared.broker.metrics import DEAD_LETTERS
from shared.broker.publish import EventTooLarge, Publisher, PublishFailed
from shared.contracts.events import CaptureEvent, Event, InvalidEvent, decode_event
from shared.contracts.outcomes import Done, Outcome, Reject, Retry
from shared.contracts.topology import DEAD, Queue, Topology
from shared.runtime import tracing

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a handler gets."""

    event: Event
    body: bytes
    redelivered: bool


Handler = Callable[[Delivery], Awaitable[Outcome]]
DeadLetterHandler = Callable[[DeadLetter], Awaitable[Done | Retry]]


class Consumer(QueueConsumer):
    """Gives the events of a queue to a handler."""

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
        super().__init__(
            url,
            name,
            topology,
            queue,
            prefetch=prefetch,
            hold_seconds=hold_seconds,
            renew_seconds=renew_seconds,
        )
        self._handler, self._publisher = handler, publisher

    async def _handle(self, message: AbstractIncomingMessage) -> None:
        event = _decode(message)
        capture_id = str(event.capture_id) if isinstance(event, CaptureEvent) else None
        if capture_id is not None:
            tracing.note("satchel.capture_id", capture_id)
        with structlog.contextvars.bound_contextvars(capture_id=capture_id):
            if message.redelivered:
                log.info("redelivered", queue=self._queue.name)
            await self._until_settled(message, lambda: self._attempt(message, event))

    async def _attempt(self, message: AbstractIncomingMessage, event: Event | Reject) -> Outcome:
        """Return the handler's outcome; a `Reject` has been published when it is returned."""
        if isinstance(event, Reject):
            outcome: Outcome = event
        else:
            outcome = await self._guarded(
                lambda: self._ask(message, event),
                lambda error: Reject("handler_error", type(error).__name__),
            )
        if not isinstance(outcome, Reject):
            return outcome
        text = message.headers.get("event")
        letter = DeadLetter(
            tag=message.type or "",
            event=text if isinstance(text, str) else None,
            body=message.body,
            key=message.routing_key or "",
            queue=self._queue.name,
            reason=outcome.reason,
            detail=outcome.detail,
            replays=replays_of(message.headers),
        )
        try:
            await self._publisher.publish_dead(letter)
        except PublishFailed as failure:
            return Retry(f"publish dead letter: {failure.reason}")
        DEAD_LETTERS.labels(outcome.reason).inc()
        log.warning("dead letter", queue=self._queue.name, reason=outcome.reason)
        return outcome

    async def _ask(self, message: AbstractIncomingMessage, event: Event) -> Outcome:
        try:
            return await self._handler(Delivery(event, message.body, bool(message.redelivered)))
        except EventTooLarge:
            return Reject("event_too_large")
        except PublishFailed as failure:
            return Retry(f"publish: {failure.reason}")


class DeadLetterConsumer(QueueConsumer):
    """Gives the messages of the dead-letter queue to a handler, and never rejects one.

    A dead letter that makes another would loop for ever. What fails is tried again.
    """

    def __init__(
        self,
        url: str,
        name: str,
        topology: Topology,
        handler: DeadLetterHandler,
        *,
        prefetch: int = 8,
        hold_seconds: float = HOLD_SECONDS,
        renew_seconds: float = RENEW_SECONDS,
    ) -> None:
        super().__init__(
            url,
            name,
            topology,
            DEAD,
            prefetch=prefetch,
            hold_seconds=hold_seconds,
            renew_seconds=renew_seconds,
        )
        self._handler = handler

    async def _handle(self, message: AbstractIncomingMessage) -> None:
        letter = read_dead_letter(
            message.type, message.routing_key, message.headers or {}, message.body
        )
        await self._until_settled(message, lambda: self._attempt(letter))

    async def _attempt(self, letter: DeadLetter) -> Outcome:
        return await self._guarded(
            lambda: self._handler(letter),
            lambda error: Retry(f"handler failed: {type(error).__name__}"),
        )


def _decode(message: AbstractIncomingMessage) -> Event | Reject:
    try:
        return decode_event(message.type, message.headers.get("event"))
    except InvalidEvent as error:
        return Reject("invalid_event", str(error))
