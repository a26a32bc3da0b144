"""What is broken, and when: a schedule that a seed replays."""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aio_pika

from dev.rabbitmq import PrivateRabbitMQ
from dev.stack import Replica, Stack
from shared.topology import OUTCOMES, RECEIVED, Queue

_BACKLOG = 100
_PATIENCE_SECONDS = 15
_GRASP_SECONDS = 0.02
"""From the queue getting shorter until the consumer is in the middle of what it took."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to break and mend."""

    kind: str
    strike: Callable[[], None]


def kills(stack: Stack, broker: PrivateRabbitMQ, rounds: int, seed: int) -> list[Fault]:
    """Return `kill -9` of every replica of every service and of the broker, in a seeded order.

    Each round has each of them once, and each consumer once more with its hands full. What was
    killed is started again a moment later.
    """
    chance = random.Random(seed)
    faults: list[Fault] = []
    for _ in range(rounds):
        ready = [
            Fault(f"kill {replica.service}", _killer(replica, chance.uniform(0.2, 1.0)))
            for replica in stack.replicas
        ]
        ready += [
            Fault(f"kill {service}, hands full", _full_handed_killer(stack, service, queue))
            for service, queue in (("matcher", RECEIVED), ("timeline", OUTCOMES))
        ]
        ready.append(Fault("kill broker", _broker_killer(broker)))
        chance.shuffle(ready)
        faults += ready
    return _each_kind_first(faults)


def _each_kind_first(faults: list[Fault]) -> list[Fault]:
    """Return the faults with one of each kind at the front: on a slow machine the mail runs out."""
    first = {fault.kind: fault for fault in reversed(faults)}
    chosen = [fault for fault in faults if first[fault.kind] is fault]
    return chosen + [fault for fault in faults if first[fault.kind] is not fault]


def _killer(replica: Replica, down_seconds: float) -> Callable[[], None]:
    def strike() -> None:
        replica.kill()
        time.sleep(down_seconds)
        replica.start()
        replica.await_ready()

    return strike


def _broker_killer(broker: PrivateRabbitMQ) -> Callable[[], None]:
    def strike() -> None:
        broker.kill()
        broker.start()

    return strike


def _full_handed_killer(stack: Stack, service: str, queue: Queue) -> Callable[[], None]:
    """Kill a consumer in the moment in which it has taken all it may from a full queue.

    All replicas are killed until there is a backlog; then the first is started, and killed as soon
    as the queue gets shorter.
    """

    async def strike() -> None:
        for replica in stack.of(service):
            replica.kill()
        url = stack.environment["AMQP_URL"]
        async with await aio_pika.connect(url) as connection, connection.channel() as channel:

            async def waiting() -> int:
                declared = await channel.declare_queue(queue.name, passive=True)
                return declared.declaration_result.message_count or 0

            await _until(waiting, lambda count: count >= _BACKLOG)
            first, *others = stack.of(service)
            first.start()
            most = 0

            def shrinks(count: int) -> bool:
                nonlocal most
                most = max(most, count)
                return count < most

            await _until(waiting, shrinks)
            await asyncio.sleep(_GRASP_SECONDS)
            first.kill()
        first.start()
        for replica in others:
            replica.start()
        for replica in stack.of(service):
            await asyncio.to_thread(replica.await_ready)

    return lambda: asyncio.run(strike())


async def _until(count: Callable[[], Awaitable[int]], condition: Callable[[int], bool]) -> None:
    """Return when the count is so, or after some seconds: the mail may have run out."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not condition(await count()):
                await asyncio.sleep(0.001)
