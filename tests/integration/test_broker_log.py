"""What the broker forgets, and when: what was handled stays in its write-ahead log
until that is rolled (docs/privacy.md).

The node has the configuration of `make up`; a unique word is looked for in all of its files.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from dev import rabbitmq4
from dev.rabbitmq import LOG_BYTES, PrivateRabbitMQ
from shared.contracts.topology import DEAD, OUTCOMES, RECEIVED, Topology
from tests.broker_parts import eventually

_BODY = 256 * 1024
ROLL = (
    "persistent_term:put(quorum_queue_checkpoint_config, {1000, 64, 666667}), "
    "ra_log_wal:force_roll_over(ra_log_wal)."
)
"""As docs/privacy.md says. `rabbitmq-queues reclaim_quorum_memory` rolls nothing on 3.10.8."""
_NEXT_MAILS = 200
_MAILS_BEFORE_A_SNAPSHOT = 6000 if rabbitmq4.root_in_use() else 0
"""RabbitMQ 4 keeps a segment until so many have passed its queue."""


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateRabbitMQ]:
    broker = PrivateRabbitMQ(tmp_path_factory.mktemp("rabbitmq"))
    broker.start()
    yield broker
    broker.stop()


class Mailbox:
    """A queue of the topology, and what its consumer has acknowledged."""

    def __init__(self, channel: AbstractChannel, name: str) -> None:
        self._channel, self._name = channel, name
        self.handled = 0
        self._sent = 0

    async def consume(self) -> None:
        async def handle(message: AbstractIncomingMessage) -> None:
            await message.ack()
            self.handled += 1

        await (await self._channel.get_queue(self._name)).consume(handle)

    async def send(self, body: bytes) -> None:
        message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await self._channel.default_exchange.publish(message, self._name)
        self._sent += 1

    async def send_and_handle(self, body: bytes) -> None:
        await self.send(body)
        await eventually(lambda: self.handled == self._sent)


@pytest.fixture
async def mailboxes(broker: PrivateRabbitMQ) -> AsyncIterator[tuple[Mailbox, Mailbox]]:
    async with await aio_pika.connect(broker.url) as connection:
        channel = await connection.channel()
        await channel.set_qos(32)
        for exchange in Topology((RECEIVED, OUTCOMES, DEAD)).exchanges:
            await channel.declare_exchange(exchange, aio_pika.ExchangeType.TOPIC, durable=True)
        for queue in (RECEIVED, OUTCOMES):
            declared = await channel.declare_queue(
                queue.name, durable=True, arguments=dict(queue.arguments)
            )
            await declared.purge()
        yield Mailbox(channel, RECEIVED.name), Mailbox(channel, OUTCOMES.name)


def a_word() -> bytes:
    return f"zq{secrets.token_hex(12)}".encode()


def holding(broker: PrivateRabbitMQ, word: bytes) -> list[str]:
    """Return the files of the broker that hold a word."""
    found: list[str] = []
    for path in sorted(broker.data.rglob("*")):
        try:
            if path.is_file() and word in path.read_bytes():
                found.append(path.name)
        except FileNotFoundError:  # a piece of the log that has just gone
            continue
    return found


async def test_what_was_handled_is_gone_once_the_log_is_rolled(
    broker: PrivateRabbitMQ, mailboxes: tuple[Mailbox, Mailbox], measured: list[str]
) -> None:
    received, outcomes = mailboxes
    dismissed, waiting = a_word(), a_word()
    await outcomes.send(waiting)
    await received.consume()
    await received.send_and_handle(b"From: x\r\n\r\n" + dismissed)
    assert holding(broker, dismissed), "it is in the log as yet"
    written = mails = 0
    while holding(broker, dismissed) and written < 2 * LOG_BYTES:
        for _ in range(8):
            await received.send_and_handle(b"x" * _BODY)
        written += 8 * _BODY
    while holding(broker, dismissed):
        assert mails < _MAILS_BEFORE_A_SNAPSHOT
        for _ in range(128):
            await received.send_and_handle(b"x")
        mails += 128
    after = f"{written / 2**20:.0f} MiB and {mails:,} mails"
    measured.append(f"broker log: a handled mail is gone after {after} more")
    # What waits is kept through all of it, and given out as it came.
    assert holding(broker, waiting)
    async with await aio_pika.connect(broker.url) as connection:
        queue = await (await connection.channel()).get_queue(OUTCOMES.name)
        message = await queue.get()
        assert message is not None
        assert message.body == waiting
        await message.ack()


async def test_where_little_mail_comes_a_command_rolls_the_log(
    broker: PrivateRabbitMQ, mailboxes: tuple[Mailbox, Mailbox], measured: list[str]
) -> None:
    received, _ = mailboxes
    await received.consume()
    dismissed = a_word()
    await received.send_and_handle(dismissed)
    assert holding(broker, dismissed)
    broker.ctl("eval", ROLL)
    mails = 0
    while holding(broker, dismissed):
        assert mails < _NEXT_MAILS
        await received.send_and_handle(b"the next mail")
        await asyncio.sleep(0.1)
        mails += 1
    measured.append(f"broker log: rolled by command, a handled mail is gone after {mails} more")


async def test_what_waits_in_a_queue_keeps_what_was_handled_after_it(
    broker: PrivateRabbitMQ, mailboxes: tuple[Mailbox, Mailbox]
) -> None:
    """Said in docs/privacy.md: an outage of the matcher lengthens it."""
    received, _ = mailboxes
    await received.send(b"first")
    async with await aio_pika.connect(broker.url) as connection:
        queue = await (await connection.channel()).get_queue(RECEIVED.name)
        held = await queue.get()
        dismissed = a_word()
        await received.send(dismissed)
        handled = await queue.get()
        assert held is not None
        assert handled is not None
        await handled.ack()
        broker.ctl("eval", ROLL)
        assert holding(broker, dismissed)
        await held.ack()
        for _ in range(_NEXT_MAILS):
            await received.send(b"next")
            last = await queue.get(fail=False)
            while last is None:
                last = await queue.get(fail=False)
            await last.ack()
            await asyncio.sleep(0.05)
            if not holding(broker, dismissed):
                break
        assert not holding(broker, dismissed)


def test_every_deployment_has_the_same_bound() -> None:
    root = Path(__file__).parents[2]
    wanted = f"raft.wal_max_size_bytes = {LOG_BYTES}"
    for name in (
        "docker-compose.yml",
        "deploy/k8s/overlays/local/broker.yaml",
        "deploy/k8s/overlays/production/broker.yaml",
    ):
        assert (root / name).read_text().count(wanted) == 1, name
