"""A queue whose arguments have to change: a new version of it, and the way there and back.

    now     v1
    next    both are declared and bound, so each message goes to both; both are consumed
    then    v2; the old one is deleted by an operator, with whatever is in it

What is in the one is in the other as well, from the moment in which both are bound; and what came
before was consumed. So nothing depends on when the old one goes, or on who redeclares it meanwhile.
"""

import contextlib
import secrets
from collections.abc import AsyncIterator, Iterator

import aio_pika
import pytest
from structlog.testing import capture_logs

from dev.rabbitmq import PrivateRabbitMQ
from shared.broker import Consumer, Delivery, Publisher
from shared.contracts.events import MailReceived
from shared.contracts.outcomes import Done, Outcome
from shared.contracts.topology import DEAD, RECEIVED, Queue, Topology, uses
from tests.broker_parts import capture_of, count, eventually, received, running
from tests.old_recordings import declare, old_topologies

V1 = RECEIVED
V2 = Queue(
    "matcher.received.v2",
    V1.exchange,
    V1.keys,
    {**V1.arguments, "x-delivery-limit": 90, "x-max-length-bytes": 1024**3},
)
NOW, NEXT, THEN = (Topology((*queues, DEAD)) for queues in ((V1,), (V1, V2), (V2,)))


@pytest.fixture
def broker_url(private_broker: PrivateRabbitMQ) -> Iterator[str]:
    """A virtual host where nobody has declared anything."""
    name = f"versions-{secrets.token_hex(4)}"
    private_broker.ctl("add_vhost", name)
    private_broker.ctl("set_permissions", "-p", name, "guest", ".*", ".*", ".*")
    yield f"{private_broker.url.rstrip('/')}/{name}"
    private_broker.ctl("delete_vhost", name)


class Post:
    """What was confirmed, and what was handled, by whichever release."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.confirmed: list[str] = []
        self.handled: list[str] = []

    async def handle(self, delivery: Delivery) -> Outcome:
        self.handled.append(capture_of(delivery))
        return Done()

    async def send(self, publisher: Publisher, mails: int = 20) -> None:
        for _ in range(mails):
            event = received()
            await publisher.publish(event, b"mail")
            self.confirmed.append(str(event.capture_id))

    async def all_are_handled(self) -> None:
        await eventually(lambda: set(self.confirmed) <= set(self.handled))

    @contextlib.asynccontextmanager
    async def publishes(self, topology: Topology) -> AsyncIterator[Publisher]:
        publisher = Publisher(self._url, "test", topology)
        async with running(publisher):
            await eventually(lambda: publisher.ready)
            yield publisher

    @contextlib.asynccontextmanager
    async def consumes(
        self, topology: Topology, publisher: Publisher, *queues: Queue
    ) -> AsyncIterator[None]:
        """Run a consumer of each of the queues."""
        async with contextlib.AsyncExitStack() as stack:
            for queue in queues:
                consumer = Consumer(self._url, "test", topology, queue, self.handle, publisher)
                await stack.enter_async_context(running(consumer))
                await eventually(lambda: consumer.ready)  # noqa: B023 - used at once
            yield


async def messages_in(url: str, queue: Queue) -> int:
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        return await count(channel, queue.name)


async def delete(url: str, queue: Queue) -> None:
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        await channel.queue_delete(queue.name)


async def test_a_queue_gets_a_new_version_and_nothing_is_lost(broker_url: str) -> None:
    post = Post(broker_url)
    async with post.publishes(NOW) as old:
        await post.send(old)  # they wait: there is a backlog in the old queue
        async with post.publishes(NEXT) as new:
            async with post.consumes(NEXT, new, V1, V2):
                await post.all_are_handled()  # the backlog, too
                async with post.consumes(NOW, old, V1):  # old replicas are still there
                    await post.send(old)
                    await post.send(new)
                await post.send(old)
                await post.all_are_handled()
                async with post.publishes(THEN) as last, post.consumes(THEN, last, V2):
                    await post.send(last)
                    await post.send(new)
                    await post.all_are_handled()
            async with post.publishes(THEN) as last, post.consumes(THEN, last, V2):
                await post.send(last)
                await post.all_are_handled()
                assert await messages_in(broker_url, V1) > 0, "copies, which nobody consumes"
                await delete(broker_url, V1)
                await post.send(last)
                await post.all_are_handled()
    assert await messages_in(broker_url, V2) == 0


async def test_the_way_back_loses_nothing_either(broker_url: str) -> None:
    post = Post(broker_url)
    async with post.publishes(NOW) as old, post.publishes(NEXT) as new:
        async with post.consumes(NEXT, new, V1, V2):
            await post.send(new)
        await post.send(new)  # nobody consumes, and both queues have it
        async with post.consumes(NOW, old, V1):
            await post.send(old)
            await post.all_are_handled()
            await delete(broker_url, V2)
            await post.send(old)
            await post.all_are_handled()


async def test_a_queue_with_other_arguments_is_said_and_declared_again_once_it_is_gone(
    broker_url: str,
) -> None:
    then = old_topologies()["2026-11-24T1128"]
    async with await aio_pika.connect(broker_url) as connection, connection.channel() as channel:
        await declare(channel, then)
    publisher = Publisher(broker_url, "test", uses(publishes=[MailReceived]))
    with capture_logs() as logs:
        async with running(publisher):
            why = "an exchange or queue exists with other arguments"
            await eventually(lambda: why in [line.get("why") for line in logs])
            assert not publisher.ready
            await delete(broker_url, RECEIVED)  # it was empty
            await eventually(lambda: publisher.ready)
