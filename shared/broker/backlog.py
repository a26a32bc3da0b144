"""How much waits in some queues, asked of the broker twice a second."""

import asyncio
import contextlib
from collections.abc import Sequence

from prometheus_client import Gauge

from shared.broker.connection import AWAY, connections, first, own_cancellation_only
from shared.topology import Queue, Topology

WAITING = Gauge("satchel_backlog_messages", "Messages that wait in the queues of live mail")

_PAUSE_SECONDS = 0.5
_ANSWER_SECONDS = 2.0


class Backlog:
    """Knows how many messages wait, over a connection of its own; none while it has none."""

    def __init__(self, url: str, name: str, queues: Sequence[Queue]) -> None:
        self._url, self._name, self._queues = url, f"{name} backlog", tuple(queues)
        self._stopping = asyncio.Event()
        self.waiting = 0

    async def run(self) -> None:
        """Ask until `stop`."""
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
                            waiting += told.declaration_result.message_count or 0
                        self._tell(waiting)
                        await first(self._stopping.wait(), asyncio.sleep(_PAUSE_SECONDS))
                self._tell(0)

    def stop(self) -> None:
        """Let `run` end."""
        self._stopping.set()

    def _tell(self, waiting: int) -> None:
        self.waiting = waiting
        WAITING.set(waiting)
