"""TLS to broker and database: who vouches for them is checked, with a file of one's own too."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aio_pika
import pytest
from pydantic import ValidationError
from pymongo.errors import PyMongoError

from ops.command import Places
from services.matcher.settings import MatcherSettings
from shared.broker.connection import connections
from shared.contracts.topology import uses
from shared.storage.database import connect
from tests.deadline import DEADLINE
from tests.mail_servers import certificate_of_localhost


@asynccontextmanager
async def tls_server(folder: Path) -> AsyncIterator[tuple[int, asyncio.Queue[bytes]]]:
    """Serve TLS; yield the port, and what clients say first: nothing where they do not trust it."""
    certificate, key = certificate_of_localhost(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    said: asyncio.Queue[bytes] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            said.put_nowait(await reader.read(4))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1], said


def settings(monkeypatch: pytest.MonkeyPatch, **told: str) -> MatcherSettings:
    monkeypatch.setenv("TOKEN_SECRET", "t" * 48)
    monkeypatch.setenv("CAPTURE_KEYS", "k:" + "s" * 43)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    return MatcherSettings()


async def test_a_broker_is_spoken_to_when_the_file_vouches_for_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with tls_server(tmp_path) as (port, said):
        told = settings(
            monkeypatch,
            AMQP_URL=f"amqps://u:p@127.0.0.1:{port}/",
            AMQP_CA_FILE=str(tmp_path / "tls.crt"),
        )
        assert Places().amqp_url == told.amqp_url

        async def ask() -> None:
            async for _ in connections(told.amqp_url, "test", uses(), asyncio.Event()):
                pass

        asking = asyncio.create_task(ask())
        async with asyncio.timeout(DEADLINE):
            assert await said.get() == b"AMQP"
        asking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asking


async def test_a_database_is_spoken_to_when_the_file_vouches_for_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with tls_server(tmp_path) as (port, said):
        url = f"mongodb://127.0.0.1:{port}/?directConnection=true&serverSelectionTimeoutMS=1"
        told = settings(monkeypatch, MONGODB_URL=url, MONGODB_CA_FILE=str(tmp_path / "tls.crt"))
        assert Places().mongodb_url == told.mongodb_url
        async with connect(told.mongodb_url, "test") as client:
            asking = asyncio.create_task(client.admin.command("ping"))
            async with asyncio.timeout(DEADLINE):
                assert len(await said.get()) == 4
            asking.cancel()
            with contextlib.suppress(PyMongoError, asyncio.CancelledError):
                await asking


async def test_without_the_file_nothing_is_said(tmp_path: Path) -> None:
    async with tls_server(tmp_path) as (port, said):
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            await aio_pika.connect(f"amqps://u:p@127.0.0.1:{port}/")
        assert said.empty()


def test_a_file_without_tls_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError, match="begins with amqps://"):
        settings(monkeypatch, AMQP_URL="amqp://u:p@h/", AMQP_CA_FILE="/ca.crt")


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("mongodb://a:1,b:2/admin?replicaSet=d", "mongodb://a:1,b:2/admin?replicaSet=d&"),
        ("mongodb://a", "mongodb://a/?"),
        ("mongodb://u:p%40%2F@a/?w=1", "mongodb://u:p%40%2F@a/?w=1&"),
    ],
)
def test_the_rest_of_a_url_stays(monkeypatch: pytest.MonkeyPatch, url: str, whole: str) -> None:
    told = settings(monkeypatch, MONGODB_URL=url, MONGODB_CA_FILE="/etc/a b/ca.crt")
    assert told.mongodb_url == f"{whole}tlsCAFile=%2Fetc%2Fa+b%2Fca.crt"
