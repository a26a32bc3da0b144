"""Publishing: a message is published when the broker has confirmed it, and not before."""

import asyncio
import contextlib
import time
import uuid
from datetime import UTC, datetime
from typing import cast

import aiormq
import structlog
from aio_pika import DeliveryMode
from aio_pika.exceptions import DeliveryError, PublishError
from aiormq.channel import Channel

from shared.broker.connection import AWAY, connections, first, own_cancellation_only
from shared.broker.dead import DeadLetter
from shared.broker.metrics import PUBLISH_SECONDS, PUBLISHED, UNKNOWN
from shared.contracts.events import EVENTS, Event, InvalidEvent, backfill_key
from shared.contracts.topology import DEAD_EXCHANGE, MAIL_EXCHANGE, Topology
from shared.runtime import tracing
from shared.runtime.tracing import Trace

_Headers = dict[str, str | int]
UNROUTABLE = "unroutable"
"""Why a publish failed when no queue takes its routing key."""
_CONNECTION_WAIT_SECONDS = 1.0
"""How long a publish waits for a connection that is being made again."""
_SMALL_BODY = 32 * 1024
_IN_FLIGHT = {"small": 256, "large": 16}
"""Large bodies have a channel of their own, so that a small one never waits behind them."""

log = structlog.get_logger()


class PublishFailed(Exception):
    """The broker did not confirm the message.

    If `definite`, the broker does not have it; otherwise it may or may not.
    """

    def __init__(self, reason: str, *, definite: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.definite = definite


class EventTooLarge(PublishFailed):
    """The event is too large to be published."""


class Publisher:
    """Publishes over one connection of its own; `run` keeps it up."""

    def __init__(self, url: str, name: str, topology: Topology, *, deadline: float = 10.0) -> None:
        self._url, self._name, self._topology = url, f"{name} publisher", topology
        self._deadline = deadline
        self._ready = asyncio.Event()
        self._stopping = asyncio.Event()
        self._renew = asyncio.Event()
        self._channels: dict[str, Channel] = {}
        self._is_stalled = False
        """The broker did not answer in time. Until it does, nothing is written before it has read
        what was written; else what it does not read would pile up here."""
        self._slots = {lane: asyncio.Semaphore(count) for lane, count in _IN_FLIGHT.items()}

    @property
    def ready(self) -> bool:
        """Whether there is a connection."""
        return self._ready.is_set()

    async def run(self) -> None:
        """Keep a connection until `stop`."""
        links = connections(self._url, self._name, self._topology, self._stopping)
        async with contextlib.aclosing(links):
            async for connection in links:
                self._renew.clear()
                with contextlib.suppress(*AWAY), own_cancellation_only():
                    opened = [await connection.channel(on_return_raises=True) for _ in _IN_FLIGHT]
                    for lane, channel in zip(_IN_FLIGHT, opened, strict=True):
                        self._channels[lane] = cast(Channel, await channel.get_underlay_channel())
                    self._is_stalled = False
                    self._ready.set()
                    await first(
                        self._stopping.wait(),
                        self._renew.wait(),
                        connection.closed(),
                        *(channel.closed() for channel in opened),
                    )
                self._ready.clear()

    def stop(self) -> None:
        """Let `run` end. Do not publish afterwards."""
        self._stopping.set()

    async def publish(self, event: Event, body: bytes = b"", *, after_live: bool = False) -> None:
        """Publish an event and its mail; return once confirmed. Raises PublishFailed.

        `after_live`: use the backfill queues, so that no live mail waits behind it.
        """
        try:
            headers: _Headers = {"event": event.encode()}
        except InvalidEvent as error:
            PUBLISHED.labels(event.tag, "too_large").inc()
            raise EventTooLarge("too_large", definite=True) from error
        key = backfill_key(event.tag) if after_live else event.routing_key
        await self._send(MAIL_EXCHANGE, event.tag, headers, body, key)

    async def publish_dead(self, letter: DeadLetter) -> None:
        """Publish a dead letter; return once the broker has confirmed it. Raises PublishFailed."""
        key = letter.tag or UNKNOWN
        await self._send(DEAD_EXCHANGE, letter.tag, letter.headers(), letter.body, key)

    async def publish_again(self, letter: DeadLetter) -> None:
        """Publish a dead letter again, unchanged. Raises PublishFailed.

        The reason is UNROUTABLE if no queue takes its routing key any more.
        """
        again = letter.headers_again()
        await self._send(MAIL_EXCHANGE, letter.tag, again, letter.body, letter.key, letter.trace)

    async def _send(
        self,
        exchange: str,
        tag: str,
        headers: _Headers,
        body: bytes,
        key: str,
        trace: Trace | None = None,
    ) -> None:
        """Send a message as a step of the current trace, or of this one; of none, where none is."""
        parent = tracing.current() or trace
        if parent is None:
            await self._send_confirmed(exchange, tag, headers, body, key)
            return
        with tracing.step(f"send {tag if tag in EVENTS else UNKNOWN}", "producer", parent):
            carried = {**headers, **tracing.carried()}
            await self._send_confirmed(exchange, tag, carried, body, key)

    async def _send_confirmed(
        self, exchange: str, tag: str, headers: _Headers, body: bytes, key: str
    ) -> None:
        started, label = time.monotonic(), tag if tag in EVENTS else UNKNOWN
        try:
            async with asyncio.timeout(self._deadline):
                await self._send_once(exchange, tag, headers, body, key)
        except PublishFailed as failure:
            result = failure.reason
            raise
        except PublishError as error:
            result = UNROUTABLE
            self._renew.set()  # a queue or binding is gone: the next connection declares it again
            raise PublishFailed(result, definite=True) from error
        except DeliveryError as error:
            result = "refused"
            raise PublishFailed(result) from error
        except TimeoutError as error:
            self._is_stalled = True
            result = "timeout"
            raise PublishFailed(result) from error
        except AWAY as error:
            result = "connection_lost"
            raise PublishFailed(result) from error
        except asyncio.CancelledError:
            result = "cancelled"
            raise
        except Exception as error:  # a connection that is lost half way breaks the library, too
            result = "failed"
            log.warning("publish failed", exc_info=error)
            raise PublishFailed(result) from error
        else:
            self._is_stalled = False
            result = "confirmed"
            PUBLISH_SECONDS.labels(label).observe(time.monotonic() - started)
        finally:
            PUBLISHED.labels(label, result).inc()

    async def _send_once(
        self, exchange: str, tag: str, headers: _Headers, body: bytes, key: str
    ) -> None:
        lane = "small" if len(body) <= _SMALL_BODY else "large"
        properties = aiormq.spec.Basic.Properties(
            message_type=tag or None,
            headers=dict(headers),
            # Fresh every time: aiormq finds a returned message by it, and with a shared one an
            # unroutable publish can look acknowledged.
            message_id=uuid.uuid4().hex,
            timestamp=datetime.now(UTC),  # by which its age in a queue is known
            content_type="message/rfc822" if body else None,
            delivery_mode=DeliveryMode.PERSISTENT,
        )
        async with self._slots[lane]:
            if not self._ready.is_set():
                await self._connected()
            with own_cancellation_only():
                # Written without waiting for the one before, so that those of a moment go together.
                confirmation = await self._channels[lane].basic_publish(
                    body,
                    exchange=exchange,
                    routing_key=key,
                    properties=properties,
                    mandatory=True,
                    wait=self._is_stalled,
                )
        if not isinstance(confirmation, aiormq.spec.Basic.Ack):
            raise PublishFailed("unconfirmed")

    async def _connected(self) -> None:
        try:
            async with asyncio.timeout(_CONNECTION_WAIT_SECONDS):
                await self._ready.wait()
        except TimeoutError as error:
            raise PublishFailed("not_connected", definite=True) from error
