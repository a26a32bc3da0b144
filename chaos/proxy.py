"""Wires: a TCP proxy of our own between two parts, which can be cut, slowed, stalled, half-opened.

    flow       every byte goes through
    cut        connections are reset, and new ones too
    slow       each piece waits, and pieces are small: latency and little bandwidth
    stall      nothing is read any more; what was sent arrives once the wire is mended
    half_open  bytes vanish while connections stay. Those never come back, not even when the wire is
               mended: only their owners' timeouts end them. New ones work after that

All wires live on one event loop in a thread of its own; their methods are for other threads.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import uvloop

from dev.ports import free_port

Mode = Literal["flow", "cut", "slow", "stall", "half_open"]
SLOW_LATENCY_SECONDS = 0.06
SLOW_BYTES_A_SECOND = 64 * 1024
Target = Callable[[], int | None]
"""Called for every connection: the port to connect to; None when there is none."""
_NO_LINGER = struct.pack("ii", 1, 0)
_END_SECONDS = 10.0
_PIECE, _SLOW_PIECE = 64 * 1024, 4 * 1024


@dataclass(eq=False)
class Link:
    """One connection through a wire: both its ends, and whether its bytes vanish."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter | None = None
    lost: bool = False

    def reset(self) -> None:
        """Let both ends hear that the connection is no more (RST), at once."""
        for end in (self.near, self.far):
            if end is not None:
                socket_of(end).setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.abort()

    def abort(self) -> None:
        """Close both ends."""
        for end in (self.near, self.far):
            if end is not None:
                end.transport.abort()


class Wire:
    """One port that leads to another."""

    def __init__(self, loop: asyncio.AbstractEventLoop, target: Target) -> None:
        self.port, self._target = free_port(), target
        self._loop = loop
        self._mode: Mode = "flow"
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._links: set[Link] = set()
        self._server: asyncio.Server | None = None
        self.vanished = 0
        """Bytes that were swallowed."""

    def become(self, mode: Mode) -> None:
        """Change what the wire does; returns once it is so."""
        asyncio.run_coroutine_threadsafe(self._become(mode), self._loop).result(10)

    async def listen(self) -> None:
        """Take connections from now on."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)

    def end(self) -> None:
        """Take no more connections, and drop all."""
        if self._server is not None:
            self._server.close()
        for link in self._links:
            link.abort()

    async def _become(self, mode: Mode) -> None:
        self._mode = mode
        if mode == "stall":
            self._flowing.clear()
        else:
            self._flowing.set()
        for link in set(self._links):
            if mode == "cut":
                link.reset()
            elif mode == "half_open":
                link.lost = True

    async def _connected(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        link = Link(near, lost=self._mode == "half_open")
        target = self._target()
        if self._mode == "cut" or target is None:
            link.reset()
            return
        self._links.add(link)
        try:
            if link.lost:
                await self._pump(link, reader, None)
                return
            far_reader, link.far = await asyncio.open_connection("127.0.0.1", target)
            await asyncio.gather(
                self._pump(link, reader, link.far), self._pump(link, far_reader, near)
            )
        except OSError:  # nothing listens there, or one side disconnected
            pass
        finally:
            link.abort()
            self._links.discard(link)

    async def _pump(
        self, link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter | None
    ) -> None:
        """Carry bytes one way until the end. The end of a lost link is not told to its peer."""
        while True:
            data = await reader.read(_SLOW_PIECE if self._mode == "slow" else _PIECE)
            if not data:
                break
            await self._flowing.wait()
            if self._mode == "slow":
                await asyncio.sleep(SLOW_LATENCY_SECONDS + len(data) / SLOW_BYTES_A_SECOND)
            if link.lost or writer is None:
                self.vanished += len(data)
                continue
            writer.write(data)
            await writer.drain()
        await self._flowing.wait()
        if writer is not None and not link.lost:
            with contextlib.suppress(OSError):
                await writer.drain()
            writer.close()


class Wires:
    """All wires by what they join. `with Wires() as wires` runs them."""

    def __init__(self) -> None:
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wires", daemon=True)
        self._wires: dict[tuple[str, str], Wire] = {}

    def __enter__(self) -> "Wires":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(_END_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_END_SECONDS)
        self._loop.close()

    async def _end(self) -> None:
        for wire in self._wires.values():
            wire.end()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=1)

    def lay(self, name: str, peer: str, target: int | Target) -> Wire:
        """Return the wire between a replica and one of its peers, made when it is new."""
        wire = self._wires.get((name, peer))
        if wire is None:
            wire = Wire(self._loop, (lambda: target) if isinstance(target, int) else target)
            asyncio.run_coroutine_threadsafe(wire.listen(), self._loop).result(10)
            self._wires[name, peer] = wire
        return wire

    def of(self, name: str, peer: str) -> Wire:
        """Return the wire that was laid."""
        return self._wires[name, peer]


def socket_of(end: asyncio.StreamWriter) -> socket.socket:
    """Return the socket below a stream."""
    found: socket.socket = end.get_extra_info("socket")
    return found
