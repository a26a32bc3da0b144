"""Dead letters on the broker: how one is written, and how any message of their queue is read.

A message that a handler rejected says so in our own headers. One that reached the delivery limit
has its original headers, and the broker's: `x-first-death-*` and `x-death`
(https://www.rabbitmq.com/docs/dlx#effects). Anyone may have put anything else there: nothing
raises.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.contracts.events import MAX_EVENT_BYTES
from shared.runtime import tracing
from shared.runtime.tracing import Trace

REPLAYS = "x-satchel-replays"
"""How often a message was replayed. It travels with it, so that one that dies again is told from
the same one that comes twice."""
_REASON, _DETAIL = "x-satchel-reason", "x-satchel-detail"
_QUEUE, _KEY = "x-satchel-queue", "x-satchel-key"
_MAX_TEXT = 255
"""AMQP's own limit for queues and routing keys, in bytes."""
_MAX_DETAIL = 1000
_MAX_REPLAYS = 2**31

Headers = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that could not be handled, and how it died."""

    tag: str
    """Its property `type`; empty when it had none."""
    event: str | None
    """Its header `event`, if that is a text."""
    body: bytes
    key: str
    """The routing key by which it came to the queue where it died."""
    queue: str
    """Where it died; empty when unknown."""
    reason: str
    detail: str
    replays: int
    """How often it had been replayed when it died."""
    trace: Trace | None = None
    """Where it belongs, if it came with that; a replay goes on from there."""

    def headers(self) -> dict[str, str | int]:
        """Return the headers with which it goes to the dead-letter queue."""
        about: dict[str, str | int] = {
            _REASON: self.reason,
            _DETAIL: self.detail[:_MAX_DETAIL],
            _QUEUE: self.queue,
            _KEY: self.key,
        }
        return about | self._own_headers(self.replays)

    def headers_again(self) -> dict[str, str | int]:
        """Return the headers with which it is replayed."""
        return self._own_headers(self.replays + 1)

    def _own_headers(self, replays: int) -> dict[str, str | int]:
        own: dict[str, str | int] = {REPLAYS: replays} if replays else {}
        if self.event is not None:
            own["event"] = self.event.encode()[:MAX_EVENT_BYTES].decode(errors="ignore")
        return own


def read_dead_letter(tag: object, key: object, headers: Headers, body: bytes) -> DeadLetter:
    """Return the dead letter in a message of the dead-letter queue, whatever the message is."""
    event = headers.get("event")
    return DeadLetter(
        tag=_text(tag),
        event=event if isinstance(event, str) else None,
        body=body,
        key=_text(headers.get(_KEY)) or _text(key),
        queue=_text(headers.get(_QUEUE)) or _text(headers.get("x-first-death-queue")),
        reason=_text(headers.get(_REASON))
        or _text(headers.get("x-first-death-reason"))
        or "unknown",
        detail=_text(headers.get(_DETAIL), _MAX_DETAIL),
        replays=replays_of(headers),
        trace=tracing.read(headers.get(tracing.PARENT), headers.get(tracing.STATE)),
    )


def replays_of(headers: Headers) -> int:
    """Return how often a message was replayed."""
    replays = headers.get(REPLAYS)
    # What is none is zero, never the most that there can be: one more must be another number.
    return int(replays) if isinstance(replays, int) and 0 <= replays < _MAX_REPLAYS else 0


def _text(value: object, limit: int = _MAX_TEXT) -> str:
    return value[:limit] if isinstance(value, str) else ""
