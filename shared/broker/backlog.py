"""The number of waiting messages and consumers of queues, polled from the broker."""

import asyncio
import contextlib
import math
from collections.abc import Sequence

from shared.broker.connection import AWAY, connections, first, own_cancellation_only
from shared.broker.metrics import QUEUE_CONSUMERS, QUEUE_MESSAGES
from shared.contracts.topology import Queue, Topology
from shared.runtime.process import unless

_PAUSE_SECONDS = 0.5
_ANSWER_SECONDS = 2.0


class Backlog:
    """Polls how many messages wait, over a connection of its own; none without one."""

    def __init__(
        self, url: str, name: str, queues: Sequence[Queue], *, pause: float = _PAUSE_SECONDS
    ) -> None:
        self._url, self._name, self._queues = url, f"{name} backlog", tuple(queues)
        self._pause = pause
        self._stopping = asyncio.Event()
        self.waiting = 0
        self._forget()

    async def run(self) -> None:
        """Ask until `stop`, which does not wait for an answer."""
        await unless(self._stopping, self._ask())
        self._forget()

    async def _ask(self) -> None:
        links = connections(self._url, self._name, Topology(self._queues), self._stopping)
        async with contextlib.aclosing(links):
            async for connection in links:
                with contextlib.suppress(*AWAY), own_cancellation_only():
                    async with asyncio.timeout(_ANSWER_SECONDS):
                        channel = await connection.channel()
                    while not self._stopping.is_set():
                        waiting = 0
                        for queue in self._queues:
                            async with asyncio.timeout(_ANSWER_SECONDS):
                                told = await channel.declare_queue(queue.name, passive=True)
                            messages = told.declaration_result.message_count or 0
                            consumers = told.declaration_result.consumer_count or 0
                            QUEUE_MESSAGES.labels(queue.name).set(messages)
                            QUEUE_CONSUMERS.labels(queue.name).set(consumers)
                            waiting += messages
                        self.waiting = waiting
                        await first(self._stopping.wait(), asyncio.sleep(self._pause))
                self._forget()

    def stop(self) -> None:
        """Let `run` end."""
        self._stopping.set()

    def _forget(self) -> None:
        self.waiting = 0
        for queue in self._queues:
            QUEUE_MESSAGES.labels(queue.name).set(math.nan)
            QUEUE_CONSUMERS.labels(queue.name).set(math.nan)
