"""Deliveries and their consumer, with a handler that ends as the test says."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, cast

import pytest
from aio_pika.abc import AbstractIncomingMessage

from shared.broker import deliveries
from shared.broker.deliveries import QueueConsumer
from shared.broker.metrics import (
    HANDLED,
    SETTLED,
)
from shared.contracts.outcomes import Outcome
from shared.contracts.topology import RECEIVED, uses
from tests.fake_amqp import FakeChannel, FakeConnection, FakeMessage

QUEUE = RECEIVED.name


class Consumer(QueueConsumer):
    """Its handler ends as the test says: with the outcomes of a list, or by a function."""

    def __init__(self, handler: Callable[[], Awaitable[Outcome]], **options: Any) -> None:
        options = {"prefetch": 7, **options}
        super().__init__("amqp://nowhere/", "test", uses(), RECEIVED, **options)
        self.handler = handler

    async def _handle(self, message: AbstractIncomingMessage) -> None:
        await self._until_settled(message, self.handler)


def outcomes(*words: Outcome) -> Callable[[], Awaitable[Outcome]]:
    left = list(words)

    async def attempt() -> Outcome:
        return left.pop(0)

    return attempt


def handled() -> dict[str, float]:
    return {word: HANDLED.labels(QUEUE, word)._value.get() for word in SETTLED}


@contextlib.contextmanager
def settles(**words: int) -> Iterator[None]:
    """Check how many deliveries were settled, by the word."""
    before = handled()
    yield
    after = handled()
    assert {word: after[word] - before[word] for word in SETTLED} == {
        word: words.get(word, 0) for word in SETTLED
    }


async def handle(consumer: Consumer, message: FakeMessage) -> None:
    await consumer._handle_traced(cast(AbstractIncomingMessage, message))


def observed(histogram: Any, *labels: str) -> tuple[float, float]:
    child = histogram.labels(*labels)
    return child._sum.get(), sum(bucket.get() for bucket in child._buckets)


class Broker:
    """Connections one after the other, and a consumer that runs over them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.connections: list[FakeConnection] = []
        monkeypatch.setattr(deliveries, "connections", self._connections)
        monkeypatch.setattr(deliveries, "_CUT_SECONDS", 0.02)

    async def _connections(
        self, _url: str, name: str, _topology: object, stopping: asyncio.Event
    ) -> AsyncIterator[FakeConnection]:
        assert name == "test consumer"
        while not stopping.is_set():
            self.connections.append(FakeConnection())
            yield self.connections[-1]

    @contextlib.asynccontextmanager
    async def consumes(self, consumer: Consumer) -> AsyncIterator[FakeChannel]:
        """Run the consumer; give its first channel; stop it."""
        running = asyncio.create_task(consumer.run())
        try:
            async with asyncio.timeout(20):
                yield await self.channel(0, 0)
                consumer.stop()
                await running
        finally:
            running.cancel()

    async def channel(self, connection: int, channel: int) -> FakeChannel:
        """Return a channel once it is consumed on."""
        async with asyncio.timeout(20):
            while True:
                with contextlib.suppress(IndexError):
                    found = self.connections[connection].channels[channel]
                    await found.consuming.wait()
                    return found
                await asyncio.sleep(0)

    async def consumes_with(self, prefetch: int) -> FakeChannel:
        """Return the channel of the first connection once it is consumed on with this prefetch."""
        connection = self.connections[0]
        async with asyncio.timeout(20):
            while connection.log[-2:] != [f"prefetch {prefetch}", "consume"]:
                await asyncio.sleep(0)
        return next(one for one in connection.channels if one.consuming.is_set())


async def settled(*messages: FakeMessage) -> None:
    async with asyncio.timeout(20):
        while not all(message.settled for message in messages):
            await asyncio.sleep(0)
