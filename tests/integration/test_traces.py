"""The trace of a message on a real broker: by its headers alone, dead or alive, at any size."""

import asyncio

import aio_pika
import pytest

from shared.broker import Consumer, DeadLetter, Delivery, Publisher
from shared.broker.dead import read_dead_letter
from shared.contracts.events import MAX_EVENT_BYTES, MailReceived
from shared.contracts.outcomes import Done, Outcome, Reject, Retry
from shared.contracts.topology import DEAD, MAIL_EXCHANGE, RECEIVED
from shared.runtime import tracing
from shared.runtime.tracing import Trace
from tests.broker_parts import TOPOLOGY, received, running, take_one
from tests.deadline import DEADLINE

LARGEST = Trace(f"00-{'a' * 32}-{'b' * 16}-00", "k=" + "v" * 254 + ",l=" + "v" * 253)


async def test_the_largest_event_that_dies_with_the_largest_trace_fits_into_a_frame(
    amqp_url: str, publisher: Publisher, admin: aio_pika.abc.AbstractChannel
) -> None:
    assert len(LARGEST.state) == 512
    short = received(mail_from="x")
    length = MAX_EVENT_BYTES - len(short.encode().encode()) + 1
    event = received(**dict(short) | {"mail_from": "x" * length})
    assert len(event.encode().encode()) == MAX_EVENT_BYTES
    tries = 0

    async def handle(_: Delivery) -> Outcome:
        nonlocal tries
        tries += 1
        return Retry("not yet") if tries == 1 else Reject("r" * 255, "\N{SNOWMAN}" * 1000)

    with tracing.step("test", "server", LARGEST):
        await publisher.publish(event, b"mail")
    consumer = Consumer(amqp_url, "test traces", TOPOLOGY, RECEIVED, handle, publisher)
    async with running(consumer):
        message = await take_one(admin, DEAD.name)
    assert tries == 2
    letter = read_dead_letter(message.type, message.routing_key, message.headers, message.body)
    assert letter.trace == LARGEST
    assert letter.event == event.encode()
    await publisher.publish_again(letter)
    again = await take_one(admin, RECEIVED.name)
    assert {**again.headers}.items() >= LARGEST.headers().items()
    assert "traceparent" not in str(again.headers["event"])


async def seen(amqp_url: str, publisher: Publisher, message: aio_pika.Message) -> dict[str, str]:
    """Return what a handler of this message would send on."""
    found: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()

    async def handle(_: Delivery) -> Outcome:
        found.set_result(tracing.carried())
        return Done()

    async with await aio_pika.connect(amqp_url) as connection, connection.channel() as channel:
        exchange = await channel.get_exchange(MAIL_EXCHANGE, ensure=False)
        await exchange.publish(message, MailReceived.tag)
    consumer = Consumer(amqp_url, "test traces", TOPOLOGY, RECEIVED, handle, publisher)
    async with running(consumer):
        return await asyncio.wait_for(found, DEADLINE)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"traceparent": 7},
        {"traceparent": ["00"], "tracestate": {"a": 1}},
        {"traceparent": "x" * 50_000, "tracestate": "y" * 50_000},
    ],
    ids=["old", "number", "nested", "huge"],
)
async def test_a_message_without_a_valid_trace_is_handled_and_begins_one(
    amqp_url: str,
    publisher: Publisher,
    admin: aio_pika.abc.AbstractChannel,
    headers: dict[str, aio_pika.abc.HeadersType],
) -> None:
    event = received()
    message = aio_pika.Message(
        b"mail", type=event.tag, headers={"event": event.encode(), **headers}
    )
    began = await seen(amqp_url, publisher, message)
    assert began.keys() == {"traceparent"}
    assert tracing.read(began["traceparent"]) is not None


async def test_a_replay_of_a_letter_without_a_trace_has_none_of_its_own_making(
    publisher: Publisher, admin: aio_pika.abc.AbstractChannel
) -> None:
    event = received()
    letter = DeadLetter(event.tag, event.encode(), b"", event.tag, RECEIVED.name, "r", "", 0)
    await publisher.publish_again(letter)
    assert "traceparent" not in (await take_one(admin, RECEIVED.name)).headers
