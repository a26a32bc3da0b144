"""The private servers that every other integration test stands on.

What is written outlives a SIGKILL; nothing that was started outlives its launcher; nothing listens
beyond loopback. Whether a process belongs to a server is read from /proc: each of them names the
server's folder in its command line or its environment.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aio_pika
import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from dev import install
from dev.folder import FolderInUse
from dev.mongodb import PrivateMongoDB
from dev.ports import claim, free_port, listens
from dev.process import Process
from dev.rabbitmq import PrivateRabbitMQ
from dev.server import PrivateServer, ServerFailed
from tests.deadline import DEADLINE, eventually

ROOT = Path(__file__).parents[2]
SERVERS = [PrivateRabbitMQ, PrivateMongoDB]
QUEUE = "kept.v1"


@pytest.fixture
def rabbitmq(tmp_path: Path) -> Iterator[PrivateRabbitMQ]:
    with PrivateRabbitMQ(tmp_path / "rabbitmq") as server:
        yield server


@pytest.fixture
def mongodb(tmp_path: Path) -> Iterator[PrivateMongoDB]:
    with PrivateMongoDB(tmp_path / "mongodb") as server:
        yield server


@pytest.mark.full
async def test_a_confirmed_message_outlives_a_sigkill_of_the_broker(
    rabbitmq: PrivateRabbitMQ,
) -> None:
    await _publish(rabbitmq.url, b"kept")
    await asyncio.sleep(1)  # until RabbitMQ has noted the new queue on disk, see dev.rabbitmq
    url, pid = rabbitmq.url, rabbitmq.pid
    rabbitmq.kill()
    assert not _exists(pid)

    rabbitmq.start()

    assert rabbitmq.url == url
    assert await _take(url) == b"kept"
    assert rabbitmq.ctl("list_queues", "name", "type").split() == [QUEUE, "quorum"]


@pytest.mark.full
def test_a_majority_write_outlives_a_sigkill_of_the_database(mongodb: PrivateMongoDB) -> None:
    with _client(mongodb.url) as client:
        client.test.kept.insert_one({"_id": "kept"})
    url, pid = mongodb.url, mongodb.pid
    mongodb.kill()
    assert not _exists(pid)

    mongodb.start()

    assert mongodb.url == url
    with _client(url) as client:
        assert client.test.kept.find_one() == {"_id": "kept"}


@pytest.mark.full
def test_a_database_does_transactions_and_follows_its_folder_to_another_port(
    tmp_path: Path,
) -> None:
    with (
        PrivateMongoDB(tmp_path) as first,
        _client(first.url) as client,
        client.start_session() as session,
        session.start_transaction(),
    ):
        client.test.kept.insert_one({"_id": "kept"}, session=session)

    port = free_port()
    with PrivateMongoDB(tmp_path, port=port) as moved, _client(moved.url) as client:
        assert f":{port}/" in moved.url
        assert client.test.kept.find_one() == {"_id": "kept"}


@pytest.mark.full
def test_a_frozen_broker_is_silent_and_comes_back(rabbitmq: PrivateRabbitMQ) -> None:
    rabbitmq.freeze()
    assert rabbitmq.alive
    assert not rabbitmq._greets()
    rabbitmq.thaw()
    assert rabbitmq._greets()


@pytest.mark.full
def test_a_frozen_database_is_silent_and_comes_back(mongodb: PrivateMongoDB) -> None:
    with _client(mongodb.url, socketTimeoutMS=300, serverSelectionTimeoutMS=1000) as client:
        client.admin.command("ping")
        mongodb.freeze()
        with pytest.raises(PyMongoError):
            client.admin.command("ping")
        mongodb.thaw()
        assert client.admin.command("ping")["ok"]


@pytest.mark.full
@pytest.mark.parametrize("make", SERVERS)
def test_stop_leaves_no_process_and_the_server_listens_on_loopback_only(
    make: Callable[[Path], PrivateServer], tmp_path: Path
) -> None:
    with make(tmp_path) as server:
        pids = _processes_of(tmp_path)
        assert server.pid in pids
        addresses = {address for pid in pids for address in _listening(pid)}
        assert addresses
        assert addresses <= {"127.0.0.1", "::1"}

    assert eventually(lambda: not _processes_of(tmp_path))


@pytest.mark.full
def test_a_frozen_server_can_be_stopped(mongodb: PrivateMongoDB, tmp_path: Path) -> None:
    mongodb.freeze()
    mongodb.stop()
    assert _processes_of(tmp_path) == set()


@pytest.mark.full
def test_nothing_outlives_a_launcher_that_is_killed(tmp_path: Path) -> None:
    launcher = _launch(
        """
        with PrivateRabbitMQ(folder / "rabbitmq"), PrivateMongoDB(folder / "mongodb"):
            print("ready", flush=True)
            time.sleep(3600)
        """,
        tmp_path,
    )
    running = _processes_of(tmp_path) - {launcher.pid}
    assert len(running) >= 3  # the node, its port mapper, mongod
    launcher.kill()
    launcher.wait()

    assert eventually(lambda: not _processes_of(tmp_path))

    with PrivateMongoDB(tmp_path / "mongodb") as database, _client(database.url) as client:
        client.admin.command("ping")  # the folder is free again


def test_a_folder_has_one_launcher_at_a_time(mongodb: PrivateMongoDB, tmp_path: Path) -> None:
    other = PrivateMongoDB(tmp_path / "mongodb")
    with pytest.raises(FolderInUse, match="another process runs a server"):
        other.start()
    assert mongodb.alive


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises((ServerFailed, FileExistsError)):
        PrivateMongoDB(tmp_path).start()
    assert _processes_of(tmp_path) == set()


def test_a_process_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    process = Process(["sleep", "3600"], log=tmp_path / "sleep.log")
    thread = threading.Thread(target=process.start)
    thread.start()
    thread.join()
    try:
        assert process.wait(0.3) is None
    finally:
        process.kill()
    assert process.exit_code == -signal.SIGKILL


def test_stop_ends_the_whole_group_of_one_that_ignores_sigterm(tmp_path: Path) -> None:
    script = "trap '' TERM; sleep 3600 & echo started; wait"
    environment = {**os.environ, "FOLDER": str(tmp_path)}
    process = Process(["sh", "-c", script], log=tmp_path / "log", environment=environment)
    process.start()
    assert eventually(lambda: process.tail() == "started")

    process.stop(grace=0.2)

    assert process.exit_code == -signal.SIGKILL
    assert eventually(lambda: not _processes_of(tmp_path))


def test_a_missing_command_says_so_in_its_log(tmp_path: Path) -> None:
    process = Process(["no-such-command"], log=tmp_path / "missing.log")
    process.start()
    assert process.wait(DEADLINE) == 127
    assert process.tail() == "cannot start no-such-command: No such file or directory"
    process.kill()


def test_a_port_has_one_owner_among_all_processes(tmp_path: Path) -> None:
    mine = free_port()
    assert mine < 32768
    assert claim(mine)
    assert not listens(mine)
    script = f"from dev.ports import claim; print(claim({mine}))"
    asked = [sys.executable, "-c", script]
    assert subprocess.check_output(asked, cwd=ROOT, text=True) == "False\n"
    assert len({free_port() for _ in range(50)} | {mine}) == 51


def test_what_is_missing_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(install, "RABBITMQ", Path("/nonexistent"))
    with pytest.raises(install.Unavailable, match=r"apt-get install rabbitmq-server.*AMQP_URL"):
        install.ensure_rabbitmq()
    monkeypatch.setattr(install, "_mongod_on_path", lambda: None)
    monkeypatch.setattr(install, "_mongod_in_wheel", lambda: None)
    with pytest.raises(install.Unavailable, match=r"mongod.*MONGODB_URL"):
        install.find_mongod()
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(install.Unavailable, match="apt-get install chromium"):
        install.ensure_chromium()


def test_a_package_that_two_miss_at_once_is_installed_once(tmp_path: Path) -> None:
    log, installed = tmp_path / "log", tmp_path / "installed"
    programs = {
        "apt-get": f"echo begin >> {log}; sleep 0.2; touch {installed}; echo end >> {log}",
        "dpkg-query": f"[ ! -e {installed} ] || printf installed",
    }
    for name, script in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    command = [sys.executable, "-c", "from dev import install; install._apt_install('thing')"]
    environment = os.environ | {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "TMPDIR": str(tmp_path),
    }
    ran = [subprocess.Popen(command, cwd=ROOT, env=environment) for _ in range(3)]
    assert [process.wait(DEADLINE) for process in ran] == [0, 0, 0]
    update_and_install = ["begin", "end"] * 2
    assert log.read_text().split() == update_and_install


async def _publish(url: str, body: bytes) -> None:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        await channel.declare_queue(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
        message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await channel.default_exchange.publish(message, routing_key=QUEUE)


async def _take(url: str) -> bytes:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        queue = await channel.get_queue(QUEUE)
        message = await queue.get(timeout=DEADLINE)
        await message.ack()
        return message.body


def _client(url: str, **options: Any) -> MongoClient[dict[str, Any]]:
    return MongoClient(url, w="majority", journal=True, **options)


def _launch(body: str, folder: Path) -> subprocess.Popen[str]:
    """Start another launcher with `folder` at hand; return once it printed a line."""
    head = f"""
        import sys, time
        from pathlib import Path
        from dev.mongodb import PrivateMongoDB
        from dev.rabbitmq import PrivateRabbitMQ
        folder = Path({str(folder)!r})
    """
    script = textwrap.dedent(head) + textwrap.dedent(body)
    command = [sys.executable, "-c", script]
    launcher = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert launcher.stdout is not None
    with launcher.stdout:
        assert launcher.stdout.readline() == "ready\n"
    return launcher


def _processes_of(folder: Path) -> set[int]:
    """Return all processes (but this one) that name the folder; zombies name nothing."""
    name, found = os.fsencode(folder), set[int]()
    for process in Path("/proc").iterdir():
        if not process.name.isdigit() or process.name == str(os.getpid()):
            continue
        try:
            words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if name in words:
            found.add(int(process.name))
    return found


def _exists(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def _listening(pid: int) -> set[str]:
    """Return the addresses on which a process listens for TCP."""
    sockets = set[str]()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            sockets.add(os.readlink(descriptor))
        except FileNotFoundError:
            continue
    found = set[str]()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                found.add(_address(fields[1].partition(":")[0]))
    return found


def _address(written: str) -> str:
    known = {"0100007F": "127.0.0.1", "00000000000000000000000001000000": "::1"}
    return known.get(written, written)
