"""The broker module against a real RabbitMQ: what goes wrong is never a success, and never lost."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

import aio_pika
import pytest

from dev.rabbitmq import PrivateRabbitMQ
from shared.broker import Consumer, Delivery, EventTooLarge, Handler, Publisher, PublishFailed
from shared.broker.connection import close_quietly
from shared.events import MAX_EVENT_BYTES, MailReceived
from shared.outcomes import Done, Outcome, Reject, Retry
from shared.topology import DEAD, MAIL_EXCHANGE, RECEIVED, uses
from tests.broker_parts import capture_of, count, eventually, holds, received, running, take_one

TOPOLOGY = uses(publishes=[MailReceived], consumes=[RECEIVED])


@pytest.fixture
async def publisher(amqp_url: str) -> AsyncIterator[Publisher]:
    publisher = Publisher(amqp_url, "test", TOPOLOGY, deadline=2.0)
    async with running(publisher):
        await eventually(lambda: publisher.ready)
        yield publisher


@pytest.fixture
async def admin(amqp_url: str) -> AsyncIterator[aio_pika.abc.AbstractChannel]:
    """A channel to look and to break with; all queues are empty when the test begins."""
    async with await aio_pika.connect(amqp_url) as connection, connection.channel() as channel:
        for queue in (RECEIVED, DEAD):
            with contextlib.suppress(aio_pika.exceptions.ChannelNotFoundEntity):
                await (await channel.get_queue(queue.name, ensure=False)).purge()
        yield channel


@contextlib.asynccontextmanager
async def consuming(
    amqp_url: str, publisher: Publisher, handler: Handler, **options: float
) -> AsyncIterator[Consumer]:
    prefetch = int(options.pop("prefetch", 8))
    consumer = Consumer(
        amqp_url, "test", TOPOLOGY, RECEIVED, handler, publisher, prefetch=prefetch, **options
    )
    async with running(consumer):
        await eventually(lambda: consumer.ready)
        yield consumer


class TestPublishing:
    async def test_a_confirmed_message_carries_the_mail_untouched(
        self, publisher: Publisher, admin: aio_pika.abc.AbstractChannel
    ) -> None:
        event, raw = received(), bytes(range(256))
        await publisher.publish(event, raw)
        message = await take_one(admin, RECEIVED.name)
        assert message.body == raw
        assert message.type == event.tag
        assert message.content_type == "message/rfc822"
        assert message.headers["event"] == event.encode()
        assert message.delivery_mode is aio_pika.DeliveryMode.PERSISTENT

    async def test_every_publish_has_a_fresh_message_id(
        self, publisher: Publisher, admin: aio_pika.abc.AbstractChannel
    ) -> None:
        event = received()
        await publisher.publish(event)
        await publisher.publish(event)
        ids = {(await take_one(admin, RECEIVED.name)).message_id for _ in range(2)}
        assert len(ids) == 2

    async def test_an_unroutable_publish_fails_and_heals(
        self, publisher: Publisher, admin: aio_pika.abc.AbstractChannel
    ) -> None:
        queue = await admin.get_queue(RECEIVED.name, ensure=False)
        await queue.unbind(MAIL_EXCHANGE, MailReceived.tag)
        with pytest.raises(PublishFailed, match="unroutable") as failed:
            await publisher.publish(received(), b"mail")
        assert failed.value.definite
        await eventually(lambda: publisher.ready)
        async with asyncio.timeout(10):
            while True:
                with contextlib.suppress(PublishFailed):
                    await publisher.publish(received(), b"mail")
                    break
        assert await count(admin, RECEIVED.name) == 1

    async def test_an_event_too_large_for_a_frame_is_refused_before_it_is_sent(
        self, publisher: Publisher, admin: aio_pika.abc.AbstractChannel
    ) -> None:
        with pytest.raises(EventTooLarge) as failed:
            await publisher.publish(received(mail_from="a" * MAX_EVENT_BYTES), b"mail")
        assert failed.value.definite
        await publisher.publish(received(), b"mail")
        assert await count(admin, RECEIVED.name) == 1

    async def test_a_frozen_broker_is_a_failure_within_the_deadline(
        self, private_broker: PrivateRabbitMQ, publisher: Publisher
    ) -> None:
        private_broker.freeze()
        try:
            async with asyncio.timeout(8):
                results = await asyncio.gather(
                    *(publisher.publish(received(), b"x" * 20_000) for _ in range(300)),
                    return_exceptions=True,
                )
        finally:
            private_broker.thaw()
        assert {type(result) for result in results} == {PublishFailed}
        assert not any(getattr(result, "definite", False) for result in results)
        async with asyncio.timeout(60):
            while True:
                with contextlib.suppress(PublishFailed):
                    await publisher.publish(received(), b"mail")
                    break

    async def test_a_memory_alarm_is_a_failure_until_it_is_over(
        self, private_broker: PrivateRabbitMQ, publisher: Publisher
    ) -> None:
        private_broker.ctl("set_vm_memory_high_watermark", "0.00001")
        try:
            # The broker blocks a connection on its first publish, which may still get through.
            attempts = [publisher.publish(received(), b"mail") for _ in range(3)]
            results = await asyncio.gather(*attempts, return_exceptions=True)
            assert isinstance(results[-1], PublishFailed)
        finally:
            private_broker.ctl("set_vm_memory_high_watermark", "0.4")
        async with asyncio.timeout(30):
            while True:
                with contextlib.suppress(PublishFailed):
                    await publisher.publish(received(), b"mail")
                    break

    async def test_without_a_broker_it_fails_soon_and_definitely(self) -> None:
        publisher = Publisher("amqp://guest:guest@127.0.0.1:1/", "test", TOPOLOGY)
        async with running(publisher), asyncio.timeout(3):
            with pytest.raises(PublishFailed, match="not_connected") as failed:
                await publisher.publish(received())
        assert failed.value.definite


class TestConsuming:
    async def test_done_takes_a_message_off_the_queue(
        self, amqp_url: str, publisher: Publisher, admin: aio_pika.abc.AbstractChannel
    ) -> None:
        seen: list[Delivery] = []

        async def handler(delivery: Delivery) -> Outcome:
            seen.append(delivery)
            return Done()

        event = received()
        async with consuming(amqp_url, publisher, handler):
            await publisher.publish(event, b"mail")
            await eventually(lambda: bool(seen))
        assert [(d.event, d.body) for d in seen] == [(event, b"mail")]
        assert await count(admin, RECEIVED.name) == 0

    @pytest.mark.parametrize(
        ("handler_ends", "reason"),
        [
            (lambda: Reject("no_good", "detail"), "no_good"),
            (lambda: 1 / 0, "handler_error"),
        ],
    )
    async def test_what_will_never_work_is_a_dead_letter_with_its_reason(
        self,
        amqp_url: str,
        publisher: Publisher,
        admin: aio_pika.abc.AbstractChannel,
        handler_ends: Callable[[], Outcome],
        reason: str,
    ) -> None:
        async def handler(_: Delivery) -> Outcome:
            return handler_ends()

        event = received()
        async with consuming(amqp_url, publisher, handler):
            await publisher.publish(event, b"mail")
            dead = await take_one(admin, DEAD.name)
        assert dead.body == b"mail"
        assert dead.type == event.tag
        assert dead.headers["event"] == event.encode()
        assert dead.headers["x-satchel-reason"] == reason
        assert dead.headers["x-satchel-queue"] == RECEIVED.name
        assert await count(admin, RECEIVED.name) == 0

    @pytest.mark.parametrize(
        ("tag", "headers"),
        [
            ("mail.received.v99", {"event": "{}"}),
            ("mail.received.v1", {"event": '{"capture_id": 1}'}),
            ("mail.received.v1", {}),
            (None, {}),
        ],
    )
    async def test_what_is_no_event_is_a_dead_letter(
        self,
        amqp_url: str,
        publisher: Publisher,
        admin: aio_pika.abc.AbstractChannel,
        tag: str | None,
        headers: dict[str, str],
    ) -> None:
        async def handler(_: Delivery) -> Outcome:
            raise AssertionError("never asked")

        async with consuming(amqp_url, publisher, handler):
            exchange = await admin.get_exchange(MAIL_EXCHANGE, ensure=False)
            message = aio_pika.Message(b"mail", type=tag, headers=dict(headers))
            await exchange.publish(message, MailReceived.tag)
            dead = await take_one(admin, DEAD.name)
        assert dead.headers["x-satchel-reason"] == "invalid_event"
        assert dead.body == b"mail"

    async def test_an_event_that_cannot_travel_on_is_a_dead_letter(
        self, amqp_url: str, publisher: Publisher, admin: aio_pika.abc.AbstractChannel
    ) -> None:
        async def handler(delivery: Delivery) -> Outcome:
            if isinstance(delivery.event, MailReceived):
                await publisher.publish(received(mail_from="a" * MAX_EVENT_BYTES))
            return Done()

        async with consuming(amqp_url, publisher, handler):
            await publisher.publish(received(), b"mail")
            dead = await take_one(admin, DEAD.name)
        assert dead.headers["x-satchel-reason"] == "event_too_large"

    async def test_a_panic_of_a_native_library_is_a_dead_letter(
        self, amqp_url: str, publisher: Publisher, admin: aio_pika.abc.AbstractChannel
    ) -> None:
        class Panic(BaseException):
            pass

        async def handler(_: Delivery) -> Outcome:
            raise Panic

        async with consuming(amqp_url, publisher, handler):
            await publisher.publish(received(), b"mail")
            dead = await take_one(admin, DEAD.name)
        assert dead.headers["x-satchel-reason"] == "handler_error"

    async def test_a_library_that_cancels_is_tried_again(
        self, amqp_url: str, publisher: Publisher, admin: aio_pika.abc.AbstractChannel
    ) -> None:
        calls = 0

        async def handler(_: Delivery) -> Outcome:
            nonlocal calls
            calls += 1
            if calls == 1:
                raise asyncio.CancelledError
            return Done()

        async with consuming(amqp_url, publisher, handler):
            await publisher.publish(received(), b"mail")
            await eventually(lambda: calls == 2)

    async def test_retry_holds_everything_and_burns_no_attempt(
        self, amqp_url: str, publisher: Publisher, admin: aio_pika.abc.AbstractChannel
    ) -> None:
        away = True
        done: list[Delivery] = []

        async def handler(delivery: Delivery) -> Outcome:
            if away:
                return Retry("away")
            done.append(delivery)
            return Done()

        async with consuming(amqp_url, publisher, handler, prefetch=4):
            for _ in range(20):
                await publisher.publish(received(), b"mail")
            await asyncio.sleep(1.5)
            assert await count(admin, RECEIVED.name) >= 16, "more than the prefetch is held"
            away = False
            await eventually(lambda: len(done) == 20)
        assert not any(delivery.redelivered for delivery in done)
        assert await count(admin, DEAD.name) == 0

    async def test_what_was_held_too_long_goes_back_one_at_a_time(
        self, amqp_url: str, publisher: Publisher, admin: aio_pika.abc.AbstractChannel
    ) -> None:
        away = True
        attempts: dict[str, int] = {}
        done: list[Delivery] = []

        async def handler(delivery: Delivery) -> Outcome:
            key = capture_of(delivery)
            attempts[key] = attempts.get(key, 0) + 1
            if away:
                return Retry("away")
            done.append(delivery)
            return Done()

        async with consuming(amqp_url, publisher, handler, prefetch=4, hold_seconds=0.5):
            for _ in range(8):
                await publisher.publish(received(), b"mail")
            await asyncio.sleep(3)
            away = False
            await eventually(lambda: len(done) == 8)
        assert len(attempts) == 8

    async def test_a_stop_finishes_what_is_in_hand_and_returns_what_waits(
        self, amqp_url: str, publisher: Publisher, admin: aio_pika.abc.AbstractChannel
    ) -> None:
        started = asyncio.Event()
        finished: list[Delivery] = []

        async def slow(delivery: Delivery) -> Outcome:
            started.set()
            await asyncio.sleep(0.5)
            finished.append(delivery)
            return Done()

        async with consuming(amqp_url, publisher, slow, prefetch=2):
            for _ in range(6):
                await publisher.publish(received(), b"mail")
            await started.wait()
        assert finished
        left = 6 - len(finished)
        await holds(admin, RECEIVED.name, left)

        async def waits(_: Delivery) -> Outcome:
            return Retry("away")

        async with consuming(amqp_url, publisher, waits):
            await asyncio.sleep(0.5)
        await holds(admin, RECEIVED.name, left)

    async def test_a_stop_does_not_wait_for_a_handler_that_waits_for_what_is_frozen(
        self,
        amqp_url: str,
        publisher: Publisher,
        admin: aio_pika.abc.AbstractChannel,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("shared.broker.deliveries._FINISH_SECONDS", 0.2)
        started = asyncio.Event()

        async def hangs(_: Delivery) -> Outcome:
            started.set()
            await asyncio.sleep(60)
            return Done()

        async with asyncio.timeout(10), consuming(amqp_url, publisher, hangs):
            await publisher.publish(received(), b"mail")
            await started.wait()
        await holds(admin, RECEIVED.name, 1)

    async def test_a_stop_does_not_wait_for_a_silent_broker(
        self, private_broker: PrivateRabbitMQ, publisher: Publisher
    ) -> None:
        """Not even while the consumer asks it, as it does when it has heard nothing for a while."""

        async def handler(_: Delivery) -> Outcome:
            return Done()

        try:
            async with consuming(private_broker.url, publisher, handler, renew_seconds=0.3):
                await asyncio.sleep(0.5)
                private_broker.freeze()
                await asyncio.sleep(0.7)
                started = time.monotonic()
            assert time.monotonic() - started < 4
        finally:
            private_broker.thaw()

    async def test_what_a_silent_broker_does_not_let_close_counts_as_closed(
        self, private_broker: PrivateRabbitMQ
    ) -> None:
        """The library would close it when it is collected, wherever that happens."""
        connection = await aio_pika.connect(private_broker.url)
        private_broker.freeze()
        try:
            started = time.monotonic()
            await close_quietly(connection)
            assert connection.is_closed
            assert time.monotonic() - started < 2
        finally:
            private_broker.thaw()

    async def test_a_killed_broker_gives_every_unfinished_message_again(
        self, private_broker: PrivateRabbitMQ, publisher: Publisher
    ) -> None:
        handled: set[str] = set()
        calls = 0

        async def handler(delivery: Delivery) -> Outcome:
            nonlocal calls
            calls += 1
            await asyncio.sleep(0.05)
            handled.add(capture_of(delivery))
            return Done()

        events = [received() for _ in range(50)]
        for event in events:
            await publisher.publish(event, b"mail")
        async with consuming(private_broker.url, publisher, handler):
            await eventually(lambda: len(handled) > 5)
            private_broker.kill()
            await asyncio.to_thread(private_broker.start)
            await eventually(lambda: handled >= {str(e.capture_id) for e in events}, seconds=60)

    async def test_a_deleted_queue_is_declared_and_consumed_again(
        self, amqp_url: str, publisher: Publisher, admin: aio_pika.abc.AbstractChannel
    ) -> None:
        seen: set[str] = set()

        async def handler(delivery: Delivery) -> Outcome:
            seen.add(capture_of(delivery))
            return Done()

        async with consuming(amqp_url, publisher, handler, renew_seconds=0.5):
            before, after = received(), [received() for _ in range(20)]
            await publisher.publish(before, b"mail")
            await eventually(lambda: str(before.capture_id) in seen)
            await admin.queue_delete(RECEIVED.name)
            for event in after:
                while True:
                    with contextlib.suppress(PublishFailed):
                        await publisher.publish(event, b"mail")
                        break
                    await asyncio.sleep(0.1)
            # All of them: of a channel that knew the queue before, the broker forgets the first.
            await eventually(lambda: {str(event.capture_id) for event in after} <= seen)
