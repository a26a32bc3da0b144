"""Attacks by HTTP. Each goes on until it is cancelled, and counts the answers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from dev.siege.crafted_mails import of_boundaries
from dev.siege.ground import MIB, Ground, Target
from dev.siege.smtp_attacks import Told, boundaries, forever

_PATIENCE = 120
_READERS = 1


@contextlib.asynccontextmanager
async def _request(
    port: int, head: str, source: str
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
    try:
        writer.write(head.encode())
        yield reader, writer
    finally:
        writer.transport.abort()


async def _status(reader: asyncio.StreamReader) -> str:
    """Return the status of an answer, `none` when the connection ends."""
    with contextlib.suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(_PATIENCE):
            words = (await reader.readline()).split()
            return words[1].decode() if len(words) > 1 else "none"
    return "none"


def _head(method: str, path: str, target: Target, *fields: str) -> str:
    lines = (
        f"{method} {path} HTTP/1.1",
        "Host: satchel.test",
        "Connection: close",
        f"Authorization: Bearer {target.token}",
        *fields,
    )
    return "\r\n".join(lines) + "\r\n\r\n"


async def explain_uploads(ground: Ground, told: Told) -> None:
    """Upload large mails to `/v1/explain`, many at a time."""
    size = ground.scale.upload_bytes
    body = of_boundaries("explained", size - MIB)

    async def visit(number: int) -> None:
        target = ground.targets[number % len(ground.targets)]
        length = f"Content-Length: {len(body)}"
        head = _head("POST", "/v1/explain", target, "Content-Type: message/rfc822", length)
        async with _request(ground.replica.matcher_port, head, "127.24.0.1") as (reader, writer):
            answering = asyncio.ensure_future(_status(reader))
            try:
                with contextlib.suppress(ConnectionError):
                    for start in range(0, len(body), MIB):
                        writer.write(body[start : start + MIB])
                        await writer.drain()
                        if answering.done():
                            break
                told[await answering] += 1
            finally:
                answering.cancel()

    await forever(ground, visit, ground.scale.uploads)


async def half_sent_requests(ground: Ground, told: Told) -> None:
    """Send half a head, or a head and some of a body, to each service; then nothing."""

    async def visit(number: int) -> None:
        target, replica = ground.targets[number % len(ground.targets)], ground.replica
        ports = (replica.ingest_port, replica.matcher_port, replica.timeline_port)
        port = ports[number % 3]
        path = (f"/v1/mail?recipient={target.capture}", "/v1/explain", "/v1/settings")[number % 3]
        method = ("POST", "POST", "PUT")[number % 3]
        kind = ("message/rfc822", "message/rfc822", "application/json")[number % 3]
        fields = (f"Content-Type: {kind}", "Content-Length: 1000000")
        head = _head(method, path, target, *fields)
        sent = head[: len(head) // 2] if number % 2 else f"{head}x"
        async with _request(port, sent, f"127.25.{number % 16}.1") as (reader, _):
            told["sent"] += 1
            told[await _status(reader)] += 1

    await forever(ground, visit, ground.scale.sessions)


async def boundaries_read(ground: Ground, told: Told) -> None:
    """Send mail that is full of boundaries, and read it again and again."""

    async def read(number: int) -> None:
        target = ground.targets[number % 2]
        page = await _get(ground, target, "/v1/profiles/c1/timeline?limit=1", told)
        start = page.find(b'"id":"')
        if start < 0:
            return
        mail = page[start + 6 :].partition(b'"')[0].decode()
        for path in ("", "/raw", "/attachments/0"):
            await _get(ground, target, f"/v1/mails/{mail}{path}", told)

    async with asyncio.TaskGroup() as group:
        group.create_task(boundaries(ground, told))
        group.create_task(forever(ground, read, _READERS))


async def _get(ground: Ground, target: Target, path: str, told: Told) -> bytes:
    head = _head("GET", path, target)
    async with _request(ground.replica.timeline_port, head, "127.26.0.1") as (reader, _):
        async with asyncio.timeout(_PATIENCE):
            told[f"HTTP {await _status(reader)}"] += 1
            return await reader.read()
