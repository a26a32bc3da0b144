"""Consuming from a real RabbitMQ: each delivery ends as its handler says, and never silently."""

import asyncio
from collections.abc import Callable

import aio_pika
import pytest

from shared.broker import Delivery, Publisher
from shared.contracts.events import MAX_EVENT_BYTES, MailReceived
from shared.contracts.outcomes import Done, Outcome, Reject, Retry
from shared.contracts.topology import DEAD, MAIL_EXCHANGE, RECEIVED
from tests.broker_parts import (
    capture_of,
    consuming,
    count,
    eventually,
    received,
    take_one,
)


async def test_done_takes_a_message_off_the_queue(
    amqp_url: str, publisher: Publisher, admin: aio_pika.abc.AbstractChannel
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
    amqp_url: str, publisher: Publisher, admin: aio_pika.abc.AbstractChannel
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
    amqp_url: str, publisher: Publisher, admin: aio_pika.abc.AbstractChannel
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
    amqp_url: str, publisher: Publisher, admin: aio_pika.abc.AbstractChannel
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
    amqp_url: str, publisher: Publisher, admin: aio_pika.abc.AbstractChannel
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
    amqp_url: str, publisher: Publisher, admin: aio_pika.abc.AbstractChannel
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
