"""Deliveries: taken, held while what they need is away, settled; and consumers that stop."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aio_pika.abc import AbstractIncomingMessage
from aio_pika.exceptions import ChannelInvalidStateError

from shared.broker import deliveries
from shared.broker.deliveries import QueueConsumer
from shared.broker.metrics import (
    DELIVERY_COUNT,
    HANDLE_SECONDS,
    HANDLED,
    IN_FLIGHT,
    OLDEST_SECONDS,
    SETTLED,
    WAITING,
)
from shared.contracts.outcomes import Done, Outcome, Reject, Retry
from shared.contracts.topology import RECEIVED, uses
from shared.runtime import tracing
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


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The attempts after which was waited; without the waiting."""
    found: list[int] = []

    def at_once(attempts: int) -> float:
        found.append(attempts)
        return 0.0

    monkeypatch.setattr(deliveries, "_backoff", at_once)
    return found


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    found = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(
        deliveries,
        "time",
        SimpleNamespace(monotonic=lambda: found.now, time=lambda: 5000.0 + found.now),
    )
    return found


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


@pytest.mark.parametrize(
    ("outcome", "word"), [(Done(), "done"), (Reject("invalid_event"), "reject")]
)
async def test_what_is_finished_with_is_acknowledged(
    clock: SimpleNamespace, outcome: Outcome, word: str
) -> None:
    message = FakeMessage()

    async def slow() -> Outcome:
        clock.now += 2
        return outcome

    seconds, count = observed(HANDLE_SECONDS, QUEUE)
    with settles(**{word: 1}):
        await handle(Consumer(slow), message)
    assert message.settled == ["ack"]
    assert observed(HANDLE_SECONDS, QUEUE) == (seconds + 2, count + 1)
    assert WAITING.labels(QUEUE)._value.get() == 0


async def test_what_needs_something_that_is_away_waits_and_is_tried_again(
    waits: list[int],
) -> None:
    waiting = []
    left = outcomes(Retry("a"), Retry("b"), Retry("c"), Done())

    async def attempt() -> Outcome:
        waiting.append(WAITING.labels(QUEUE)._value.get())
        return await left()

    message = FakeMessage()
    with settles(done=1):
        await handle(Consumer(attempt), message)
    assert message.settled == ["ack"]
    assert waits == [1, 2, 3]
    assert waiting == [0, 1, 1, 1], "it waits, and is one"
    assert WAITING.labels(QUEUE)._value.get() == 0


async def test_what_the_broker_gave_to_another_is_not_touched(waits: list[int]) -> None:
    message = FakeMessage()

    async def attempt() -> Outcome:
        message.channel.is_closed = True
        return Retry("away")

    with settles(redelivered=1):
        await handle(Consumer(attempt), message)
    assert message.settled == []
    assert waits == []
    assert WAITING.labels(QUEUE)._value.get() == 0


async def test_a_stop_gives_back_what_waits() -> None:
    consumer = Consumer(outcomes(Retry("away"), Retry("away")))
    message = FakeMessage()
    with settles(returned=1):
        handling = asyncio.create_task(handle(consumer, message))
        await asyncio.sleep(0)
        assert not handling.done()
        consumer.stop()
        await handling
    assert message.settled == ["nack"]
    assert WAITING.labels(QUEUE)._value.get() == 0


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (ConnectionError("gone"), "redelivered"),
        (ChannelInvalidStateError("gone"), "redelivered"),
        (asyncio.CancelledError(), "redelivered"),
        (None, "done"),
    ],
)
async def test_what_cannot_be_acknowledged_comes_again(
    error: BaseException | None, word: str
) -> None:
    with settles(**{word: 1}):
        await handle(Consumer(outcomes(Done())), FakeMessage(fails=error))


async def test_how_often_it_came_and_who_sent_it_is_measured_and_traced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps: list[object] = []

    @contextlib.contextmanager
    def step(*words: object) -> Iterator[None]:
        steps.append(words)
        yield

    monkeypatch.setattr(tracing, "step", step)
    monkeypatch.setattr(tracing, "read", lambda *words: words)
    monkeypatch.setattr(tracing, "note", lambda *words: steps.append(words))
    consumer = Consumer(outcomes(Done(), Done(), Done()))
    total, count = DELIVERY_COUNT.labels(QUEUE)._sum.get(), observed(DELIVERY_COUNT, QUEUE)[1]
    headers = {"x-delivery-count": 3, "traceparent": "p", "tracestate": "s"}
    for message in (FakeMessage(headers), FakeMessage({"x-delivery-count": "x"}), FakeMessage()):
        await consumer._take(cast(AbstractIncomingMessage, message))
    await asyncio.wait(consumer._in_flight)
    assert observed(DELIVERY_COUNT, QUEUE) == (total + 3, count + 3)
    assert steps[0] == (f"process {QUEUE}", "consumer", ("p", "s"))
    assert steps.count(("satchel.settled", "done")) == 3


async def test_what_is_in_flight_and_how_old_it_is_is_measured(clock: SimpleNamespace) -> None:
    end = asyncio.Event()

    async def waits_for_end() -> Outcome:
        await end.wait()
        return Done()

    consumer = Consumer(waits_for_end)
    assert consumer.ready is False
    assert OLDEST_SECONDS.labels(QUEUE)._value is not None
    assert (_shown(IN_FLIGHT), _shown(OLDEST_SECONDS)) == (0, 0)
    for published in (5990.0, None, 7000.0):
        at = datetime.fromtimestamp(published, UTC) if published else None
        await consumer._take(cast(AbstractIncomingMessage, FakeMessage(timestamp=at)))
    assert (_shown(IN_FLIGHT), _shown(OLDEST_SECONDS)) == (3, 10)
    clock.now += 5
    assert _shown(OLDEST_SECONDS) == 15
    end.set()
    await asyncio.wait(consumer._in_flight)
    await asyncio.sleep(0)
    assert (_shown(IN_FLIGHT), _shown(OLDEST_SECONDS)) == (0, 0)
    await consumer._take(
        cast(AbstractIncomingMessage, FakeMessage(timestamp=datetime.fromtimestamp(7000.0, UTC)))
    )
    assert _shown(OLDEST_SECONDS) == 0, "a clock that is ahead makes nothing old"
    await asyncio.wait(consumer._in_flight)


def _shown(gauge: Any) -> float:
    return next(
        float(sample.value)
        for metric in gauge.collect()
        for sample in metric.samples
        if sample.labels["queue"] == QUEUE
    )


async def test_each_word_of_a_queue_is_counted_from_zero() -> None:
    queue = SimpleNamespace(name="another")
    QueueConsumer.__init__(
        Consumer(outcomes()), "amqp://nowhere/", "test", uses(), cast(Any, queue), prefetch=1
    )
    shown = {
        s.labels["to"]
        for m in HANDLED.collect()
        for s in m.samples
        if s.labels["queue"] == "another"
    }
    assert shown == set(SETTLED)
    assert "another" in {s.labels["queue"] for m in WAITING.collect() for s in m.samples}


class TestHandlersThatFail:
    """Nothing ends silently."""

    async def guarded(self, handler: Callable[[], Awaitable[Outcome]]) -> Outcome:
        consumer = Consumer(outcomes())
        return await consumer._guarded(handler, lambda error: Reject(type(error).__name__))

    async def test_what_a_handler_says_counts(self) -> None:
        assert await self.guarded(outcomes(Retry("away"))) == Retry("away")

    @pytest.mark.parametrize("error", [ValueError("x"), BaseException("a panic")])
    async def test_a_failure_is_an_outcome(self, error: BaseException) -> None:
        async def fails() -> Outcome:
            raise error

        assert await self.guarded(fails) == Reject(type(error).__name__)

    @pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(1)])
    async def test_an_end_of_the_process_is_none(self, error: BaseException) -> None:
        async def ends() -> Outcome:
            raise error

        with pytest.raises(type(error)):
            await self.guarded(ends)

    async def test_a_library_that_cancels_means_that_something_is_away(self) -> None:
        async def cancelled() -> Outcome:
            raise asyncio.CancelledError

        assert await self.guarded(cancelled) == Retry("cancelled by a library")

    async def test_our_own_cancellation_is_obeyed(self) -> None:
        async def waits() -> Outcome:
            await asyncio.Event().wait()
            return Done()

        task = asyncio.create_task(self.guarded(waits))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def test_the_wait_doubles_to_ten_seconds_less_up_to_half(monkeypatch: pytest.MonkeyPatch) -> None:
    for bound, factor in ((max, 1.0), (min, 0.5)):
        monkeypatch.setattr(random, "uniform", lambda *sides, bound=bound: bound(sides))
        found = [deliveries._backoff(attempts) for attempts in (1, 2, 6, 7, 8, 9, 100_000)]
        assert found == pytest.approx([seconds * factor for seconds in (0.2, 0.4, 6.4, *[10] * 4)])


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


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    return Broker(monkeypatch)


async def settled(*messages: FakeMessage) -> None:
    async with asyncio.timeout(20):
        while not all(message.settled for message in messages):
            await asyncio.sleep(0)


async def test_a_consumer_takes_deliveries_until_it_stops(broker: Broker) -> None:
    consumer = Consumer(outcomes(Done()))
    message = FakeMessage()
    async with broker.consumes(consumer) as channel:
        assert consumer.ready
        await channel.deliver(message)
        await settled(message)
    assert not consumer.ready
    assert channel.log == [f"queue {QUEUE}", "prefetch 7", "consume", "cancel a tag"]
    assert len(broker.connections) == 1


async def test_a_stop_waits_for_what_is_in_flight(broker: Broker) -> None:
    end = asyncio.Event()

    async def slow() -> Outcome:
        await end.wait()
        return Done()

    consumer, message = Consumer(slow), FakeMessage()
    async with broker.consumes(consumer) as channel:
        await channel.deliver(message)
        consumer.stop()
        while channel.consuming.is_set():
            await asyncio.sleep(0)
        assert not message.settled
        end.set()
    assert message.settled == ["ack"]
    assert not channel.is_closed, "what is in flight is acknowledged on it"


async def test_a_stop_does_not_wait_for_a_handler_that_never_ends(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "_FINISH_SECONDS", 0.02)
    cancelled = []

    async def hangs() -> Outcome:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise
        return Done()

    message = FakeMessage()
    async with broker.consumes(Consumer(hangs)) as channel:
        await channel.deliver(message)
    assert cancelled == [True]
    assert message.settled == []


async def test_a_stop_does_not_wait_for_a_broker_that_says_nothing(broker: Broker) -> None:
    async with broker.consumes(Consumer(outcomes())) as channel:
        channel.silent = True
    assert "cancel a tag" not in channel.log


@pytest.mark.parametrize("lost", ["connection", "channel", "queue"])
async def test_what_is_lost_is_consumed_again_over_another_connection(
    broker: Broker, lost: str
) -> None:
    consumer = Consumer(outcomes(Done()))
    async with broker.consumes(consumer) as channel:
        match lost:
            case "connection":
                broker.connections[0].gone.set()
            case "channel":
                channel.gone.set()
            case "queue":
                channel.queue_is_deleted()
        second = await broker.channel(1, 0)
        assert consumer.ready
        message = FakeMessage()
        await second.deliver(message)
        await settled(message)
    assert "cancel a tag" not in channel.log, "there is nothing left to cancel"


async def test_a_connection_that_breaks_while_it_is_asked_is_no_end(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    async def breaks(channel: FakeChannel, *, prefetch_count: int) -> None:
        calls.append(prefetch_count)
        if len(calls) == 1:
            raise ConnectionError("gone")

    monkeypatch.setattr(FakeChannel, "set_qos", breaks)
    consumer = Consumer(outcomes())
    running = asyncio.create_task(consumer.run())
    await broker.channel(1, 0)
    consumer.stop()
    await running
    assert calls == [7, 7]


async def test_a_consumer_that_hears_nothing_begins_again_on_another_channel(
    broker: Broker,
) -> None:
    async with broker.consumes(Consumer(outcomes(), renew_seconds=0.01)) as channel:
        second = await broker.channel(0, 1)
        assert channel.is_closed
        assert channel.log[3:5] == ["cancel a tag", "close"]
        assert second.take is not None
    assert len(broker.connections) == 1


async def test_a_consumer_that_hears_something_goes_on_with_its_channel(broker: Broker) -> None:
    end = asyncio.Event()

    async def slow() -> Outcome:
        await end.wait()
        return Done()

    message = FakeMessage()
    async with broker.consumes(Consumer(slow, renew_seconds=0.01)) as channel:
        await channel.deliver(message)
        await asyncio.sleep(0.05)
        assert len(broker.connections[0].channels) == 1, "not while something is in flight"
        assert "cancel a tag" not in channel.log
        end.set()
        await settled(message)
        await broker.channel(0, 1)


async def test_after_a_long_outage_one_delivery_at_a_time_is_tried(
    broker: Broker, clock: SimpleNamespace, waits: list[int]
) -> None:
    """Until one succeeds. What was held too long is given back."""
    is_away = True

    async def handler() -> Outcome:
        return Retry("away") if is_away else Done()

    consumer = Consumer(handler, hold_seconds=60)
    message, second = FakeMessage(), FakeMessage()
    with settles(returned=1, done=1):
        async with broker.consumes(consumer) as channel:
            await channel.deliver(message)
            await asyncio.sleep(0)  # it is begun
            clock.now += 60
            for _ in range(5):
                await asyncio.sleep(0)
            assert message.settled == [], "not longer than it may be held"
            clock.now += 0.1
            await settled(message)
            assert message.settled == ["nack"]
            channel = await broker.consumes_with(1)
            is_away = False
            await channel.deliver(second)
            await settled(second)
            await broker.consumes_with(7)


async def test_while_something_is_in_flight_the_prefetch_changes_on_the_same_channel(
    broker: Broker, clock: SimpleNamespace, waits: list[int]
) -> None:
    end = asyncio.Event()
    held, slow = FakeMessage(), FakeMessage()
    turn = iter([False, True])

    async def handler() -> Outcome:
        if next(turn, False):
            await end.wait()
            return Done()
        return Retry("away")

    consumer = Consumer(handler, hold_seconds=60)
    async with broker.consumes(consumer) as channel:
        await channel.deliver(held)
        await asyncio.sleep(0)
        await channel.deliver(slow)
        await asyncio.sleep(0)
        clock.now += 61
        await settled(held)
        assert await broker.consumes_with(1) is channel
        assert channel.log[-3:] == ["cancel a tag", "prefetch 1", "consume"]
        assert not channel.is_closed
        end.set()
        await settled(slow)


async def test_a_stop_that_returns_what_waits_is_no_outage(broker: Broker) -> None:
    async def away() -> Outcome:
        return Retry("away")

    consumer, message = Consumer(away), FakeMessage()
    async with broker.consumes(consumer) as channel:
        await channel.deliver(message)
        await asyncio.sleep(0)
    assert message.settled == ["nack"]
    assert not consumer._probing


async def test_a_lost_connection_cuts_no_handler_short(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on: handlers are idempotent, and half a mail is worse than a second time."""
    monkeypatch.setattr(deliveries, "_FINISH_SECONDS", 0.0)
    monkeypatch.setattr(deliveries, "_CUT_SECONDS", 0.0)
    end, message = asyncio.Event(), FakeMessage()

    async def slow() -> Outcome:
        await end.wait()
        return Done()

    consumer = Consumer(slow)
    async with broker.consumes(consumer) as channel:
        await channel.deliver(message)
        broker.connections[0].gone.set()
        await broker.channel(1, 0)
        end.set()
        await settled(message)
    assert message.settled == ["ack"]


async def test_what_is_no_loss_of_the_broker_ends_the_consumer(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(channel: FakeChannel, *, prefetch_count: int) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr(FakeChannel, "set_qos", breaks)
    with pytest.raises(ValueError, match="a bug"):
        await Consumer(outcomes()).run()


async def test_connections_that_were_lost_leave_no_task_behind(broker: Broker) -> None:
    before = asyncio.all_tasks()
    async with broker.consumes(Consumer(outcomes())):
        counts = []
        for number in range(4):
            await broker.channel(number, 0)
            counts.append(len(asyncio.all_tasks()))
            broker.connections[number].gone.set()
        await broker.channel(4, 0)
        assert counts[1:] == [counts[1]] * 3
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) <= len(before)
