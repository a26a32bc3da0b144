"""A queue consumer: how it starts, stops, reconnects and probes after an outage."""

import asyncio
import contextlib
from types import SimpleNamespace

import pytest

from shared.broker import deliveries
from shared.contracts.outcomes import Done, Outcome, Retry
from tests.delivery_parts import QUEUE, Broker, Consumer, outcomes, settled, settles
from tests.fake_amqp import FakeChannel, FakeMessage


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


async def test_a_stop_cancels_what_a_silent_broker_does_not_answer(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asyncio.Event()

    async def silent(channel: FakeChannel, *, prefetch_count: int) -> None:
        asked.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(FakeChannel, "set_qos", silent)
    before = asyncio.all_tasks()
    consumer = Consumer(outcomes())
    running = asyncio.create_task(consumer.run())
    await asked.wait()
    consumer.stop()
    await running
    assert asyncio.all_tasks() <= before


async def test_a_stop_does_not_wait_for_work_that_cannot_be_cancelled(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, end = asyncio.Event(), asyncio.Event()

    async def cannot_be_cancelled(channel: FakeChannel, *, prefetch_count: int) -> None:
        asked.set()
        while not end.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await end.wait()

    monkeypatch.setattr(FakeChannel, "set_qos", cannot_be_cancelled)
    consumer = Consumer(outcomes())
    running = asyncio.create_task(consumer.run())
    await asked.wait()
    consumer.stop()
    await running
    end.set()


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
        changed = len(channel.log)
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(channel.log) == changed, "once"
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
