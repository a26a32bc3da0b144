"""As much of aio-pika's connection, channel and queue as a consumer uses, without a broker.

What the real ones do stands in `tests/integration/test_consuming.py` and `test_consumer_stops.py`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any

Take = Callable[[Any], Awaitable[None]]


@dataclass(eq=False)
class FakeMessage:
    """A delivery, and how it was settled."""

    headers: dict[str, Any] = field(default_factory=dict)
    timestamp: datetime | None = None
    settled: list[str] = field(default_factory=list)
    fails: BaseException | None = None
    """What the library raises instead of settling it."""
    delivery_tag: int = 1
    is_closed: bool = False
    """Its channel is."""

    @property
    def channel(self) -> "FakeMessage":
        """Return the channel on which it is acknowledged: one of its own, and so itself."""
        return self

    async def basic_ack(self, tag: int, multiple: bool = False, wait: bool = True) -> None:
        """Acknowledge it."""
        assert (tag, multiple) == (self.delivery_tag, False)
        self._settle("ack")

    async def nack(self) -> None:
        """Give it back."""
        self._settle("nack")

    def _settle(self, word: str) -> None:
        if self.fails is not None:
            raise self.fails
        self.settled.append(word)


class _Closable:
    def __init__(self) -> None:
        self.gone = asyncio.Event()

    @property
    def is_closed(self) -> bool:
        return self.gone.is_set()

    async def closed(self) -> None:
        await self.gone.wait()

    async def close(self) -> None:
        self.gone.set()


class FakeChannel(_Closable):
    """A channel with one queue. Its deliveries come by `deliver`."""

    def __init__(self, log: list[str]) -> None:
        super().__init__()
        self.log = log
        self.take: Take | None = None
        self.consuming = asyncio.Event()
        self.silent = False
        """Answers no cancel."""
        self.on_cancel: set[Callable[[object], None]] = set()

    async def get_queue(self, name: str, *, ensure: bool = True) -> "FakeChannel":
        """Return the queue; asking for it would be a round trip."""
        self.log.append(f"queue {name}" + " asked for" * ensure)
        return self

    async def get_underlay_channel(self) -> SimpleNamespace:
        """Return the channel below."""
        return SimpleNamespace(on_consumer_cancel_callbacks=self.on_cancel)

    async def set_qos(self, *, prefetch_count: int) -> None:
        """Limit what is in flight."""
        self.log.append(f"prefetch {prefetch_count}")

    async def consume(self, take: Take) -> str:
        """Let deliveries come."""
        self.take = take
        self.consuming.set()
        self.log.append("consume")
        return "a tag"

    async def cancel(self, tag: str) -> None:
        """Let no more come."""
        if self.silent:
            await asyncio.Event().wait()
        self.consuming.clear()
        self.log.append(f"cancel {tag}")

    async def close(self) -> None:
        """Close it."""
        self.log.append("close")
        await super().close()

    async def deliver(self, message: FakeMessage) -> None:
        """Deliver a message."""
        assert self.take is not None
        await self.take(message)

    def queue_is_deleted(self) -> None:
        """Tell the consumer that its queue is gone."""
        for callback in self.on_cancel:
            callback(None)


class FakeConnection(_Closable):
    """A connection; its channels are made on demand."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[str] = []
        self.channels: list[FakeChannel] = []

    async def channel(self) -> FakeChannel:
        """Open a channel."""
        self.channels.append(FakeChannel(self.log))
        return self.channels[-1]
