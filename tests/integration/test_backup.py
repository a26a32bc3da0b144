"""Backup and restore, piece by piece; `make drill` plays them under load."""

import contextlib
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aio_pika
import pytest
from pymongo import MongoClient

from dev.rabbitmq import PrivateRabbitMQ
from ops import blobs, documents, messages
from ops.backup import backup
from ops.command import MANIFEST, Places, carry_out
from ops.restore import restore
from services.matcher.rematch.keys import COLLECTION as WINDOWS
from services.matcher.rematch.seeking import COLLECTION as SEALED
from services.timeline.write.side_records import Watched
from shared.contracts.events import MailWatched
from shared.contracts.topology import DEAD, QUEUES, RECEIVED, SETUP
from shared.runtime.mistake import Mistake
from shared.storage.blob_keys import SEALED_PREFIX
from shared.storage.blobs import Blobs

HEADERS: dict[str, Any] = {"event": '{"x": "ü"}', "x-death": [{"count": 1, "queue": "q"}]}


@pytest.fixture(scope="module")
def own_vhosts(private_broker: PrivateRabbitMQ) -> Iterator[list[str]]:
    """The URLs of two virtual hosts."""
    names = [f"backup-{secrets.token_hex(4)}" for _ in range(2)]
    made = ", ".join(f'<<"{name}">>' for name in names)
    all_of_it = 'V, <<".*">>, <<".*">>, <<".*">>, <<>>'
    private_broker.ctl(
        "eval",
        "[begin rabbit_vhost:add(V, <<>>), "
        f'rabbit_auth_backend_internal:set_permissions(<<"guest">>, {all_of_it}) end'
        f" || V <- [{made}]].",
    )
    yield [f"{private_broker.url.rstrip('/')}/{name}" for name in names]
    private_broker.ctl("eval", f"[rabbit_vhost:delete(V, <<>>) || V <- [{made}]].")


@pytest.fixture
async def vhosts(own_vhosts: list[str]) -> list[str]:
    """The same, with empty queues."""
    for url in own_vhosts:
        async with messages._declared(url) as connection, connection.channel() as channel:
            for queue in QUEUES:
                await (await channel.get_queue(queue.name, ensure=False)).purge()
    return own_vhosts


@pytest.fixture
def databases(mongodb_url: str, database_name: str) -> Iterator[list[str]]:
    """The names of four databases: the two of a backup, and two empty ones."""
    names = [f"{database_name}_{n}" for n in range(4)]
    yield names
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        for name in names:
            client.drop_database(name)


@contextlib.asynccontextmanager
async def channel_of(url: str) -> AsyncIterator[aio_pika.abc.AbstractChannel]:
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        yield channel


async def fill(url: str, count: int) -> None:
    """Put so many messages into a queue."""
    async with messages._declared(url) as connection, connection.channel() as channel:
        for number in range(count):
            message = aio_pika.Message(
                b"mail %d\r\n" % number,
                headers=dict(HEADERS),
                type="mail.received.v1",
                content_type="message/rfc822",
                message_id=str(number),
            )
            await channel.default_exchange.publish(message, RECEIVED.name)


async def test_messages_stay_where_they_are_and_come_back_as_they_were(
    vhosts: list[str], tmp_path: Path
) -> None:
    source, target = vhosts
    await fill(source, 40)
    saved = await messages.save(source, tmp_path / "messages")
    assert (saved[RECEIVED.name], sum(saved.values())) == (40, 40)
    assert await messages.restore(target, tmp_path / "messages") == saved
    for url in vhosts:
        bodies = set()
        async with channel_of(url) as channel:
            queue = await channel.get_queue(RECEIVED.name)
            while (message := await queue.get(fail=False)) is not None:
                bodies.add(message.body)
        assert bodies == {b"mail %d\r\n" % number for number in range(40)}
    assert message is None
    async with channel_of(target) as channel:
        message = await (await channel.get_queue(RECEIVED.name)).get()
        kept = {name: message.headers[name] for name in HEADERS}
        assert kept == HEADERS
        assert message.type == "mail.received.v1"
        assert message.content_type == "message/rfc822"
        assert message.body == b"mail %s\r\n" % str(message.message_id).encode()
        assert message.delivery_mode == aio_pika.DeliveryMode.PERSISTENT


async def test_what_a_set_up_window_shows_is_not_copied_from_queues(
    vhosts: list[str], tmp_path: Path
) -> None:
    source, _ = vhosts
    async with messages._declared(source) as connection, connection.channel() as channel:
        for queue in (SETUP, DEAD):
            for tag in (MailWatched.tag, "mail.received.v1"):
                message = aio_pika.Message(b"", headers={"event": f"zq{tag}"}, type=tag)
                await channel.default_exchange.publish(message, queue.name)
    saved = await messages.save(source, tmp_path / "messages")
    assert {name: count for name, count in saved.items() if count} == {SETUP.name: 1, DEAD.name: 1}
    async with channel_of(source) as channel:  # they are where they were
        there = await channel.declare_queue(SETUP.name, passive=True)
        assert there.declaration_result.message_count == 2
    for queue in (SETUP, DEAD):
        left = (tmp_path / "messages" / f"{queue.name}.bson").read_bytes()
        assert (left.count(b"zqmail.received"), left.count(b"zqmail.watched")) == (1, 0)


def test_nor_from_the_database(mongodb_url: str, databases: list[str], tmp_path: Path) -> None:
    with MongoClient[dict[str, Any]](mongodb_url, w="majority") as client:
        for collection in (Watched.collection, WINDOWS, SEALED, "outcomes"):
            client[databases[0]][collection].insert_one({"word": "zqwatched"})
        saved = documents.save(mongodb_url, databases[:1], tmp_path)
    assert saved == {databases[0]: {"outcomes": 1}}
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.name for path in files] == ["outcomes.bson"]


async def test_nobody_may_consume(vhosts: list[str], tmp_path: Path) -> None:
    source, _ = vhosts
    places = Places(amqp_url=source, blob_url=f"file://{tmp_path}/blobs")
    await fill(source, 1)

    async def hold(_: object) -> None:
        pass

    async with channel_of(source) as channel:
        await (await channel.get_queue(DEAD.name)).consume(hold)
        with pytest.raises(Mistake, match=r"dead\.v1 has 1 consumers"):
            await backup(places, tmp_path / "backup", settle=0)
    assert not (tmp_path / "backup" / "messages").exists()


def test_databases_are_copied_as_they_were_at_one_moment(
    mongodb_url: str, databases: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with MongoClient[dict[str, Any]](mongodb_url, w="majority") as client:
        for name in databases[:2]:
            for collection in ("a", "b"):
                client[name][collection].insert_many([{"_id": n} for n in range(1200)])

        def write_meanwhile(_: int) -> None:
            for name in databases[:2]:
                client[name].b.insert_one({})

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", write_meanwhile)
            saved = documents.save(mongodb_url, databases[:2], tmp_path)
        assert saved == {name: {"a": 1200, "b": 1200} for name in databases[:2]}
        names = dict(zip(databases[:2], databases[2:], strict=True))
        restored = documents.restore(mongodb_url, tmp_path, names)
        assert list(restored.values()) == list(saved.values())
        for name in databases[2:]:
            ids = [document["_id"] for document in client[name].b.find().sort("_id")]
            assert ids == list(range(1200))
    with pytest.raises(Mistake, match="is not empty"):
        documents.refuse_documents(mongodb_url, databases[2:])


async def test_blobs_that_are_there_are_not_copied_again(tmp_path: Path) -> None:
    source, target = (Blobs(f"file://{tmp_path}/{name}") for name in ("source", "target"))
    for key in ("mails/acme/a", "mails/acme/b", "claims/c"):
        await source.put(key, b"new")
    await target.put("mails/acme/a", b"old")
    assert await blobs.copy(source, target, "mails/") == 2
    assert await target.get("mails/acme/a") == b"old"
    assert await target.get("mails/acme/b") == b"new"
    assert not await target.has("claims/c")
    assert await blobs.copy_all(source, target, without=("mails/",)) == 1
    assert await target.has("claims/c")


@dataclass
class Whole:
    """A backup of a little of everything."""

    source: Places
    target: Places
    folder: Path


@pytest.fixture
async def whole(vhosts: list[str], mongodb_url: str, databases: list[str], tmp_path: Path) -> Whole:
    source, target = (
        Places(
            amqp_url=vhosts[n],
            mongodb_url=mongodb_url,
            blob_url=f"file://{tmp_path}/blobs-{n}",
            timeline_database=databases[2 * n],
            matcher_database=databases[2 * n + 1],
        )
        for n in range(2)
    )
    await fill(source.amqp_url, 3)
    store = Blobs(source.blob_url)
    for key in (
        "claims/c",
        "mails/acme/m/c/h",
        "receipts/2026-01-15/12-x.ndjson",
        f"{SEALED_PREFIX}x",
    ):
        await store.put(key, key.encode())
    with MongoClient[dict[str, Any]](mongodb_url, w="majority") as client:
        client[source.timeline_database].outcomes.insert_one({"_id": "o"})
        client[source.matcher_database].people.insert_one({"_id": "p"})
    return Whole(source, target, tmp_path / "backup")


async def test_everything_is_copied_in_the_order_that_loses_nothing_and_comes_back(
    whole: Whole,
) -> None:
    folder = whole.folder

    def released() -> None:
        assert (folder / "messages" / f"{RECEIVED.name}.bson").stat().st_size > 0
        assert (folder / "blobs/claims/c").exists()
        for later in ("databases", "blobs/mails", "blobs/receipts", MANIFEST):
            assert not (folder / later).exists()

    await backup(whole.source, folder, settle=0, released=released)
    await restore(whole.target, folder)
    assert (await messages.waiting(whole.target.amqp_url))[RECEIVED.name] == (3, 0)
    store = Blobs(whole.target.blob_url)
    for key in ("claims/c", "mails/acme/m/c/h", "receipts/2026-01-15/12-x.ndjson"):
        assert await store.get(key) == key.encode()
    assert SEALED_PREFIX not in await Blobs(f"file://{folder}/blobs").prefixes()
    with MongoClient[dict[str, Any]](whole.target.mongodb_url) as client:
        assert client[whole.target.timeline_database].outcomes.find_one() == {"_id": "o"}
        assert client[whole.target.matcher_database].people.find_one() == {"_id": "p"}
    with pytest.raises(Mistake, match=r"holds 3 messages"):
        await restore(whole.target, folder)


async def test_what_is_no_whole_backup_is_not_restored(whole: Whole) -> None:
    await backup(whole.source, whole.folder, settle=0, mails=False)
    assert not (whole.folder / "blobs/mails").exists()
    assert not (whole.folder / "blobs" / SEALED_PREFIX).exists()
    with pytest.raises(Mistake, match="is not empty"):
        await backup(whole.source, whole.folder, settle=0)
    (whole.folder / "databases" / whole.source.timeline_database / "outcomes.bson").write_bytes(b"")
    with pytest.raises(Mistake, match="it is damaged"):
        await restore(whole.target, whole.folder)
    (whole.folder / MANIFEST).unlink()
    with pytest.raises(Mistake, match="no finished backup"):
        await restore(whole.target, whole.folder)


def test_what_is_away_is_said_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = Places(amqp_url="amqp://127.0.0.1:1/", blob_url=f"file://{tmp_path}/blobs")
    assert carry_out("backup", lambda: backup(places, tmp_path / "backup")) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
