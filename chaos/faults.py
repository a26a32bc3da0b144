"""What is broken, and when: a schedule that a seed replays."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from dev.stack import SERVICES, Replica, Stack


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to break and mend."""

    kind: str
    strike: Callable[[], None]


def kills(stack: Stack, rounds: int, seed: int) -> list[Fault]:
    """Return `kill -9` of every replica of every service and of the broker, in a seeded order.

    Each round has each of them once. What was killed is started again a moment later.
    """
    chance = random.Random(seed)
    faults: list[Fault] = []
    for _ in range(rounds):
        ready: list[Fault] = [
            Fault(f"kill {service}", _killer(replica, chance.uniform(0.2, 1.0)))
            for service in SERVICES
            for replica in stack.of(service)
        ]
        if stack.broker is not None:
            ready.append(Fault("kill broker", _broker_killer(stack)))
        chance.shuffle(ready)
        faults += ready
    return faults


def _killer(replica: Replica, down_seconds: float) -> Callable[[], None]:
    def strike() -> None:
        replica.kill()
        time.sleep(down_seconds)
        replica.start()
        replica.await_ready()

    return strike


def _broker_killer(stack: Stack) -> Callable[[], None]:
    def strike() -> None:
        assert stack.broker is not None
        stack.broker.kill()
        stack.broker.start()

    return strike
