"""Publishing to a real RabbitMQ: what goes wrong is never a success."""

import asyncio
import contextlib

import aio_pika
import pytest

from dev.rabbitmq import PrivateRabbitMQ
from shared.broker import EventTooLarge, Publisher, PublishFailed
from shared.contracts.events import MAX_EVENT_BYTES, MailReceived
from shared.contracts.topology import MAIL_EXCHANGE, RECEIVED
from tests.broker_parts import (
    TOPOLOGY,
    count,
    eventually,
    received,
    running,
    take_one,
)
from tests.deadline import DEADLINE


async def test_a_confirmed_message_carries_the_mail_untouched(
    publisher: Publisher, admin: aio_pika.abc.AbstractChannel
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
    publisher: Publisher, admin: aio_pika.abc.AbstractChannel
) -> None:
    event = received()
    await publisher.publish(event)
    await publisher.publish(event)
    ids = {(await take_one(admin, RECEIVED.name)).message_id for _ in range(2)}
    assert len(ids) == 2


async def test_an_unroutable_publish_fails_and_heals(
    publisher: Publisher, admin: aio_pika.abc.AbstractChannel
) -> None:
    queue = await admin.get_queue(RECEIVED.name, ensure=False)
    await queue.unbind(MAIL_EXCHANGE, MailReceived.tag)
    with pytest.raises(PublishFailed, match="unroutable") as failed:
        await publisher.publish(received(), b"mail")
    assert failed.value.definite
    await eventually(lambda: publisher.ready)
    async with asyncio.timeout(DEADLINE):
        while True:
            with contextlib.suppress(PublishFailed):
                await publisher.publish(received(), b"mail")
                break
    assert await count(admin, RECEIVED.name) == 1


async def test_an_event_too_large_for_a_frame_is_refused_before_it_is_sent(
    publisher: Publisher, admin: aio_pika.abc.AbstractChannel
) -> None:
    with pytest.raises(EventTooLarge) as failed:
        await publisher.publish(received(mail_from="a" * MAX_EVENT_BYTES), b"mail")
    assert failed.value.definite
    await publisher.publish(received(), b"mail")
    assert await count(admin, RECEIVED.name) == 1


async def test_a_frozen_broker_is_a_failure_within_the_deadline(
    private_broker: PrivateRabbitMQ, publisher: Publisher
) -> None:
    private_broker.freeze()
    try:
        async with asyncio.timeout(DEADLINE):
            results = await asyncio.gather(
                *(publisher.publish(received(), b"x" * 20_000) for _ in range(300)),
                return_exceptions=True,
            )
    finally:
        private_broker.thaw()
    assert {type(result) for result in results} == {PublishFailed}
    assert not any(getattr(result, "definite", False) for result in results)
    async with asyncio.timeout(DEADLINE):
        while True:
            with contextlib.suppress(PublishFailed):
                await publisher.publish(received(), b"mail")
                break


async def test_a_memory_alarm_is_a_failure_until_it_is_over(
    private_broker: PrivateRabbitMQ, publisher: Publisher
) -> None:
    async def publish_on() -> None:
        while True:
            await publisher.publish(received(), b"mail")

    private_broker.ctl("set_vm_memory_high_watermark", "0.00001")
    try:
        # The broker looks at its memory now and then, and blocks at the next publish.
        async with asyncio.timeout(DEADLINE):
            with pytest.raises(PublishFailed):
                await publish_on()
    finally:
        private_broker.ctl("set_vm_memory_high_watermark", "0.4")
    async with asyncio.timeout(DEADLINE):
        while True:
            with contextlib.suppress(PublishFailed):
                await publisher.publish(received(), b"mail")
                break


async def test_without_a_broker_it_fails_soon_and_definitely() -> None:
    publisher = Publisher("amqp://guest:guest@127.0.0.1:1/", "test", TOPOLOGY)
    async with running(publisher), asyncio.timeout(DEADLINE):
        with pytest.raises(PublishFailed, match="not_connected") as failed:
            await publisher.publish(received())
    assert failed.value.definite
