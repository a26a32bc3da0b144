"""One delivery: handled, held while a dependency is unavailable, settled, and measured."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Iterator
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
from shared.contracts.topology import uses
from shared.runtime import tracing
from tests.delivery_parts import QUEUE, Consumer, handle, observed, outcomes, settles
from tests.fake_amqp import FakeMessage


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


class LostMessage(FakeMessage):
    """The library raises when the channel of a delivery is asked for that is gone."""

    @property
    def channel(self) -> FakeMessage:
        raise ChannelInvalidStateError("gone")


async def test_what_a_closed_channel_raises_means_that_it_is_lost(waits: list[int]) -> None:
    message = LostMessage()
    with settles(redelivered=1):
        await handle(Consumer(outcomes(Retry("away"))), message)
    assert (message.settled, waits) == ([], [])


class SharedChannel:
    """A channel with several deliveries, and what was acknowledged on it."""

    def __init__(self) -> None:
        self.is_closed = False
        self.acknowledged: list[tuple[int, bool]] = []

    async def basic_ack(self, tag: int, multiple: bool = False, wait: bool = True) -> None:
        self.acknowledged.append((tag, multiple))


class OnChannel(FakeMessage):
    """A delivery on a channel with others."""

    def __init__(self, shared: SharedChannel, tag: int) -> None:
        super().__init__(delivery_tag=tag)
        self.shared = shared

    @property
    def channel(self) -> Any:
        return self.shared


async def test_what_was_given_back_is_in_the_way_of_no_acknowledgement_of_those_behind_it() -> None:
    channel = SharedChannel()
    consumer = Consumer(outcomes(Retry("away"), Done(), Done()), prefetch=8)
    consumer.stop()
    await handle(consumer, OnChannel(channel, 1))
    await asyncio.gather(*(handle(consumer, OnChannel(channel, tag)) for tag in (2, 3)))
    assert channel.acknowledged == [(3, True)]


async def test_of_channels_only_those_that_are_open_are_remembered() -> None:
    consumer = Consumer(outcomes(*[Done()] * 5))
    closed, open_, new = SharedChannel(), SharedChannel(), SharedChannel()
    await handle(consumer, OnChannel(closed, 1))
    await handle(consumer, OnChannel(open_, 1))
    closed.is_closed = True
    await handle(consumer, OnChannel(new, 1))
    assert [*consumer._acknowledgements] == [open_, new]
    before = consumer._acknowledgements[cast(Any, open_)]
    await handle(consumer, OnChannel(open_, 2))
    assert consumer._acknowledgements[cast(Any, open_)] is before
    assert open_.acknowledged == [(1, False), (2, False)]


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
