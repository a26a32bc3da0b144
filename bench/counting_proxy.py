"""Counts the requests that mongod receives from each service, on their way.

mongod counts by server, not by client (`serverStatus`). Its profiler makes an entry of each
statement of a batch and none of some commands, and makes everything slower. The services' own
metrics leave some commands out, and are part of what is compared. The wire holds what mongod
receives, whatever the service's code: so each service gets a port of its own here that leads to
mongod, and every message is read as it passes (`bench/op_msg.py`). That costs time: speed is
measured in another run.

Handshakes and heartbeats of the driver (`hello`) are left out: they come with time, not with mail.
"""

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from bench.op_msg import HEADER_BYTES, WRITES, answered, documents_written, length_of, request
from dev.ports import free_port
from dev.stack import Stack

ASKING = ("matcher", "timeline")
"""The services that have a database."""
_HANDSHAKES = frozenset({"hello", "isMaster", "ismaster", "endSessions"})
_END_SECONDS = 10.0


@dataclass
class Asked:
    """What a service asked of mongod so far."""

    requests: Counter[str] = field(default_factory=Counter)
    """By command."""
    statements: int = 0
    documents: int = 0
    """That were written."""

    def copy(self) -> "Asked":
        """Return what it is now."""
        return Asked(Counter(self.requests), self.statements, self.documents)

    def since(self, before: "Asked") -> "Asked":
        """Return what was asked after `before`."""
        return Asked(
            self.requests - before.requests,
            self.statements - before.statements,
            self.documents - before.documents,
        )


@dataclass(frozen=True, slots=True)
class Requests:
    """What mongod received from one service, for a mail."""

    requests: float
    statements: float
    documents: float
    commands: dict[str, float]
    """The requests, by command; the most frequent first."""


def per_mail(asked: Asked, mails: int) -> Requests:
    """Return the counts for a mail."""
    return Requests(
        asked.requests.total() / mails,
        asked.statements / mails,
        asked.documents / mails,
        {command: count / mails for command, count in asked.requests.most_common()},
    )


class Connection:
    """The messages of one connection, in both directions."""

    def __init__(self, asked: Asked) -> None:
        self._asked, self._writes = asked, set[int]()

    def asks(self, message: bytes) -> None:
        """Note a message of the client."""
        found = request(message)
        if found is None or found.command in _HANDSHAKES:
            return
        self._asked.requests[found.command] += 1
        self._asked.statements += found.statements
        if found.command in WRITES:
            self._writes.add(found.id)

    def answers(self, message: bytes) -> None:
        """Note a message of the server."""
        id_ = answered(message)
        if id_ in self._writes:
            self._writes.discard(id_)
            self._asked.documents += documents_written(message)


class CountingProxies:
    """A port for each service that leads to one mongod. `with CountingProxies(...)` runs them."""

    def __init__(self, port: int, services: Iterable[str]) -> None:
        """Lead to the mongod on this port of this machine."""
        self._target = port
        self._ports = {service: free_port() for service in services}
        self._asked = {service: Asked() for service in self._ports}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxies", daemon=True)
        self._servers: list[asyncio.Server] = []

    def __enter__(self) -> "CountingProxies":
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(_END_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(_END_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_END_SECONDS)
        self._loop.close()

    def url(self, service: str) -> str:
        """Return the MONGODB_URL for a service."""
        return f"mongodb://127.0.0.1:{self._ports[service]}/?directConnection=true"

    def asked(self) -> dict[str, Asked]:
        """Return what each service asked so far."""
        return {service: asked.copy() for service, asked in self._asked.items()}

    async def _listen(self) -> None:
        for service, port in self._ports.items():
            connected = self._connected(self._asked[service])
            self._servers.append(await asyncio.start_server(connected, "127.0.0.1", port))

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=1)

    def _connected(self, asked: Asked) -> Callable[..., Any]:
        async def carry(near: asyncio.StreamReader, to_near: asyncio.StreamWriter) -> None:
            try:
                far, to_far = await asyncio.open_connection("127.0.0.1", self._target)
            except OSError:  # mongod is unavailable
                to_near.close()
                return
            connection = Connection(asked)
            try:
                await asyncio.gather(
                    _pump(near, to_far, connection.asks), _pump(far, to_near, connection.answers)
                )
            finally:
                to_near.transport.abort()
                to_far.transport.abort()

        return carry


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, note: Callable[[bytes], None]
) -> None:
    """Carry whole messages one way until the end of the connection."""
    with contextlib.suppress(asyncio.IncompleteReadError, OSError):
        while True:
            header = await reader.readexactly(HEADER_BYTES)
            message = header + await reader.readexactly(length_of(header) - HEADER_BYTES)
            note(message)
            writer.write(message)
            await writer.drain()
    writer.close()


@contextmanager
def counting(stack: Stack) -> Iterator[CountingProxies]:
    """Start the services of a stack again behind proxies to its own mongod; they are stopped after.

    Stopped: they could not leave in good order once the proxies are gone.
    """
    assert stack.database is not None
    port = urlsplit(stack.database.url).port or 0
    with CountingProxies(port, ASKING) as proxies:
        replicas = [replica for service in ASKING for replica in stack.of(service)]
        for replica in replicas:
            stack.restart(replica, {"MONGODB_URL": proxies.url(replica.service)})
        try:
            yield proxies
        finally:
            for replica in replicas:
                replica.process.stop()
