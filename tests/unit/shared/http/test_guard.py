"""Connections that bring nothing, over a real socket."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from dev.ports import free_port, listens
from shared.http import guard as http_guard
from shared.http.server import HttpServer
from tests.deadline import DEADLINE

GET = b"GET / HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture
async def port() -> AsyncIterator[int]:
    app = FastAPI()

    @app.get("/")
    async def answer() -> str:
        return "here"

    @app.post("/")
    async def take(request: Request) -> int:
        return len(await request.body())

    @app.post("/slowly")
    async def take_slowly(request: Request) -> int:
        size = 0
        async for piece in request.stream():
            size += len(piece)
            await asyncio.sleep(0.1)
        return size

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(10):
                await asyncio.sleep(0.1)
                yield b"x"

        return StreamingResponse(pieces())

    port = free_port()
    server = HttpServer(app, "127.0.0.1", port)
    running = asyncio.create_task(server.run())
    while not await asyncio.to_thread(listens, port):
        await asyncio.sleep(0.01)
    yield port
    server.stop()
    await running


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("HEAD_SECONDS", 0.3), ("BODY_SECONDS", 0.3)):
        monkeypatch.setattr(http_guard, name, seconds)


async def told(port: int, *pieces: bytes, pause: float = 0.1) -> bytes:
    """Send the pieces, one after the other; return all that is answered until the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    listening = asyncio.create_task(reader.read())
    for piece in pieces:
        if listening.done():
            break
        writer.write(piece)
        await asyncio.sleep(pause)
    try:
        async with asyncio.timeout(DEADLINE):
            return await listening
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def drip(octet: bytes) -> list[bytes]:
    return [octet] * 10_000


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [b"GET / HT"],
        drip(b"G"),
        [GET, *drip(b"X: y\r\n")],
        [GET + b"\r\n", *drip(b"G")],  # the second request of a connection
        [b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\n"],
        [b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n", *drip(b"x")],
        [b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", *drip(b"1\r\nx\r\n")],
    ],
    ids=["nothing", "half", "drip", "fields", "second", "no body", "drip of a body", "of chunks"],
)
async def test_who_brings_no_request_is_cut_off(port: int, pieces: list[bytes]) -> None:
    answer = await told(port, *pieces, pause=0.02)
    assert answer.count(b"HTTP/1.1 ") == answer.count(b"200 OK") <= 1


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("pieces", "ends"),
    [
        ([b"GET /stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"], b"1\r\nx\r\n0\r\n\r\n"),
        (
            [
                b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3000\r\n\r\n",
                *[b"x" * 300] * 10,  # slowly, at three thousand bytes a second
            ],
            b"3000",
        ),
    ],
)
async def test_who_takes_time_with_good_reason_is_not(
    port: int, pieces: list[bytes], ends: bytes
) -> None:
    assert (await told(port, *pieces)).endswith(ends)


@pytest.mark.usefixtures("impatient")
async def test_a_body_waits_for_a_service_that_does_not_read(port: int) -> None:
    head = (
        b"POST /slowly HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1000000\r\n\r\n"
    )
    assert (await told(port, head + b"x" * 1_000_000)).endswith(b"1000000")


async def test_there_are_only_so_many_connections(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_guard, "MAX_CONNECTIONS", 3)
    held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
    await asyncio.sleep(0.1)
    assert await told(port, GET + b"\r\n") == b""
    held[0][1].close()
    await asyncio.sleep(0.1)
    assert b"200 OK" in await told(port, GET + b"Connection: close\r\n\r\n")
    for _, writer in held:
        writer.close()


async def test_a_body_with_two_lengths_is_refused(port: int) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = await told(port, head + b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1
