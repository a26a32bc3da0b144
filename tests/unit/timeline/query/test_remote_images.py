"""The image proxy: what it asks for, of whom, and what it hands on."""

import asyncio
import contextlib
import datetime
import gzip
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.timeline.query import remote_images
from services.timeline.query.remote_images import ImageAway, RemoteImages, is_public
from tests.deadline import DEADLINE

ACCOUNT = "acme"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 200
PUBLIC = "93.184.215.14"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Web:
    """A web of which every name leads to one server on this machine, and which is watched."""

    def __init__(self, answers: dict[str, bytes]) -> None:
        self.answers = answers
        self.names: dict[str, list[str]] = {}
        self.asked: list[bytes] = []
        self.connected: list[tuple[str, str]] = []
        self._port = 0
        self._open: list[asyncio.StreamWriter] = []

    @asynccontextmanager
    async def open(self) -> AsyncIterator[RemoteImages]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._port = server.sockets[0].getsockname()[1]
        async with server:
            yield RemoteImages(self._resolve, self._connect)
            for writer in self._open:
                writer.transport.abort()
            await asyncio.sleep(0)

    async def _resolve(self, host: str, _: str) -> list[str]:
        return self.names.get(host, [PUBLIC])

    async def _connect(self, address: str, host: str) -> Streams:
        self.connected.append((address, host))
        return await asyncio.open_connection("127.0.0.1", self._port)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.append(writer)
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head)
        target = head.split(b" ")[1].decode()
        writer.write(self.answers.get(target, b"HTTP/1.1 404 Not Found\r\n\r\n"))
        await writer.drain()
        if target != "/slow":
            writer.close()


def ok(body: bytes, *headers: str) -> bytes:
    fields = [f"Content-Length: {len(body)}", *headers]
    return b"HTTP/1.1 200 OK\r\n" + _fields(fields) + body


def _fields(fields: list[str]) -> bytes:
    return "".join(f"{field}\r\n" for field in fields).encode() + b"\r\n"


def to(location: str) -> bytes:
    return b"HTTP/1.1 302 Found\r\n" + _fields([f"Location: {location}", "Content-Length: 0"])


async def refused(web: Web, url: str) -> None:
    async with web.open() as images:
        with pytest.raises(ImageAway):
            await images.get(url, ACCOUNT)


async def test_a_picture_is_fetched_and_nothing_is_told_of_the_reader() -> None:
    web = Web({"/a.png?b=1%20": ok(PNG, "Set-Cookie: a=b", "Content-Type: text/html")})
    async with web.open() as images:
        image = await images.get("http://images.example/a.png?b=1%20#c", ACCOUNT)
    assert (image.data, image.content_type) == (PNG, "image/png")
    assert web.connected == [(PUBLIC, "images.example")]
    names = {line.split(b":")[0].lower() for line in web.asked[0].split(b"\r\n")[1:] if line}
    assert names == {b"host", b"user-agent", b"accept", b"connection"}


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.3.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "192.0.0.192",  # where a cloud tells its machines their secrets
        "192.88.99.1",
        "fec0::1",
        "3fff::1",
        "nonsense",
    ],
)
async def test_no_private_address_is_connected_to(address: str) -> None:
    assert not is_public(address)
    web = Web({"/": ok(PNG)})
    web.names["inside.example"] = [PUBLIC, address]
    await refused(web, "https://inside.example/")
    assert web.connected == []


async def test_a_redirect_is_checked_as_the_first_address_was() -> None:
    web = Web({"/": to("http://inside.example/secret"), "/secret": ok(PNG)})
    web.names["inside.example"] = ["10.0.0.1"]
    await refused(web, "https://images.example/")
    assert [host for _, host in web.connected] == ["images.example"]


async def test_a_redirect_is_followed_three_times() -> None:
    steps = {"/0": to("/1"), "/1": to("https://b.example/2"), "/2": to("//c.example/3")}
    web = Web({**steps, "/3": ok(PNG)})
    async with web.open() as images:
        assert (await images.get("https://a.example/0", ACCOUNT)).data == PNG
    assert [host for _, host in web.connected] == [
        "a.example",
        "a.example",
        "b.example",
        "c.example",
    ]
    await refused(Web({**steps, "/3": to("/4"), "/4": ok(PNG)}), "https://a.example/0")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/",
        "file:///etc/passwd",
        "https:///",
        "https://user:pass@a.example/",
        "https://a.example:8443/",
        "http://a.example:443/",
        "https://a.example:x/",
        "data:image/png;base64,AA",
        "https://[::1/",
    ],
)
async def test_another_kind_of_address_is_not_asked(url: str) -> None:
    web = Web({"/": ok(PNG)})
    await refused(web, url)
    assert web.connected == []


@pytest.mark.parametrize(
    "answer",
    [
        ok(b"<html>"),
        ok(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "Content-Type: image/png"),
        ok(b""),
        b"HTTP/1.1 200 OK\r\nContent-Length: 6000000\r\n\r\n" + PNG,
        b"HTTP/1.1 200 OK\r\n\r\n" + PNG + b"\0" * (remote_images.MAX_BYTES + 1),
        b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" + PNG,
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" + PNG,
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n" + PNG,
        b"HTTP/1.1 500 No\r\n\r\n",
        b"HTTP/1.1 302 Found\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"",
    ],
)
async def test_what_is_no_picture_is_not_handed_on(answer: bytes) -> None:
    await refused(Web({"/": answer}), "https://a.example/")


async def test_who_answers_too_slowly_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_images, "_SECONDS", 0.2)
    await refused(Web({"/slow": b"HTTP/1.1 200 OK\r\n"}), "https://a.example/slow")


async def test_a_certificate_has_to_be_that_of_the_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Of a name that leads to another server, or of a server that anybody might be."""
    file = _certificate(tmp_path, "images.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ok(PNG))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    monkeypatch.setattr(remote_images, "_PORT", server.sockets[0].getsockname()[1])
    monkeypatch.setattr(remote_images, "is_public", lambda _: True)
    trusting = ssl.create_default_context(cafile=str(file))

    async def attempt(make: Callable[[], ssl.SSLContext], host: str) -> bytes:
        monkeypatch.setattr(ssl, "create_default_context", make)
        images = RemoteImages(resolve=_here)
        return (await images.get(f"https://{host}/", ACCOUNT)).data

    async with server:
        assert await attempt(lambda: trusting, "images.example") == PNG
        with pytest.raises(ImageAway):
            await attempt(lambda: trusting, "other.example")
        no_root = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        with pytest.raises(ImageAway):
            await attempt(lambda: no_root, "images.example")


def _here(_: str, __: str) -> Awaitable[list[str]]:
    async def found() -> list[str]:
        return ["127.0.0.1"]

    return found()


def _certificate(folder: Path, name: str) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file


async def test_names_that_are_not_answered_keep_no_other_work_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered, asked = threading.Event(), list[str]()

    def silent(host: str, *_: object, **__: object) -> list[object]:
        asked.append(host)
        answered.wait(DEADLINE)
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    images = RemoteImages()
    waiting = [
        asyncio.ensure_future(images.get(f"https://{n}.example/", f"account {n % 10}"))
        for n in range(40)
    ]
    while len(asked) < 16:
        await asyncio.sleep(0.001)
    assert await asyncio.wait_for(asyncio.to_thread(lambda: "done"), DEADLINE) == "done"
    for task in waiting:
        task.cancel()  # the readers leave; the system's resolver goes on
    await asyncio.gather(*waiting, return_exceptions=True)
    with pytest.raises(ImageAway):
        await images.get("https://another.example/", ACCOUNT)
    assert len(asked) == 16
    answered.set()

    async def is_asked() -> bool:
        with contextlib.suppress(ImageAway):
            await images.get("https://later.example/", ACCOUNT)
        return "later.example" in asked

    while not await is_asked():
        await asyncio.sleep(0.001)


async def test_slow_servers_of_one_account_keep_no_other_waiting() -> None:
    web = Web({"/slow": b"", "/a.png": ok(PNG)})
    async with asyncio.timeout(DEADLINE), web.open() as images:
        waiting = [
            asyncio.ensure_future(images.get("https://a.example/slow", "attacker"))
            for _ in range(40)
        ]
        while len(web.asked) < 4:
            await asyncio.sleep(0.001)
        assert (await images.get("https://b.example/a.png", "quiet")).data == PNG
        assert len(web.connected) == 5, "of one account four are asked for at a time"
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert (await images.get("https://b.example/a.png", "attacker")).data == PNG


async def test_names_that_one_account_left_unanswered_keep_no_other_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered, asked = threading.Event(), list[str]()

    def slow(host: str, *_: object, **__: object) -> list[object]:
        asked.append(host)
        if host != "quiet.example":
            answered.wait(DEADLINE)
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    images = RemoteImages()
    for n in range(40):  # each leaves at once
        one = asyncio.ensure_future(images.get(f"https://{n}.example/", "attacker"))
        for _ in range(3):
            await asyncio.sleep(0)
        one.cancel()
        await asyncio.gather(one, return_exceptions=True)
    with pytest.raises(ImageAway):
        await images.get("https://quiet.example/", "quiet")
    answered.set()
    assert "quiet.example" in asked
    assert len(asked) == 5


async def test_what_would_fill_a_browsers_memory_is_not_handed_on() -> None:
    def png(side: int) -> bytes:
        return PNG[:8] + b"\0\0\0\rIHDR" + side.to_bytes(4, "big") * 2 + b"\x08\x06\0\0\0"

    web = Web({"/bomb": ok(png(30_000)), "/photo": ok(png(8_000))})
    await refused(web, "https://a.example/bomb")
    async with web.open() as images:
        assert (await images.get("https://a.example/photo", ACCOUNT)).data == png(8_000)
    packed = Web({"/packed": ok(gzip.compress(PNG), "Content-Encoding: gzip")})
    await refused(packed, "https://a.example/packed")
