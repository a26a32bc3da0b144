"""How much waits, as a real broker tells it."""

import asyncio
from collections.abc import Callable

import aio_pika

from shared.broker import Backlog
from shared.contracts.topology import MAIL_EXCHANGE, Queue
from tests.deadline import DEADLINE


async def test_it_knows_what_waits_and_finds_a_lost_queue_again(amqp_url: str) -> None:
    queue = Queue("test.backlog", MAIL_EXCHANGE, ("backlog",), {"x-queue-type": "quorum"})
    backlog = Backlog(amqp_url, "test", [queue])
    running = asyncio.create_task(backlog.run())

    async def until(happened: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE):
            while not happened():
                await asyncio.sleep(0.05)

    async with (
        await aio_pika.connect(amqp_url) as connection,
        connection.channel(on_return_raises=True) as channel,
    ):
        exchange = await channel.declare_exchange(
            MAIL_EXCHANGE, aio_pika.ExchangeType.TOPIC, durable=True
        )

        async def publish() -> bool:
            try:
                message = aio_pika.Message(b"x")
                await exchange.publish(message, "backlog", mandatory=True)
            except aio_pika.exceptions.PublishError:
                return False
            return True

        for _ in range(2):
            async with asyncio.timeout(DEADLINE):
                while not await publish():
                    await asyncio.sleep(0.05)
            await publish()
            await until(lambda: backlog.waiting == 2)
            await channel.queue_delete(queue.name)
            await until(lambda: backlog.waiting == 0)
        backlog.stop()
        await running
        await channel.queue_delete(queue.name)
