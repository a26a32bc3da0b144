"""Old mail is brought along to a whole stack while live mail comes in."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aio_pika
import pytest

from dev.generate import ROOT
from dev.process import Process
from dev.stack import Stack
from shared.contracts.topology import OUTCOMES_BACKFILL, RECEIVED_BACKFILL
from tests.deadline import DEADLINE
from tests.e2e.account import Account

FIRST = datetime(2019, 3, 1, 9, 0, tzinfo=UTC)
Command = Callable[..., Process]


@pytest.fixture
def command(account: Account, tmp_path: Path) -> Iterator[Command]:
    """Starts the command for the account's capture address."""
    started: list[Process] = []

    def start(path: Path) -> Process:
        words = ["--backfill", str(path), "--recipient", account.capture]
        process = Process(
            [
                sys.executable,
                "-m",
                "services.ingest",
                *words,
                "--state",
                str(tmp_path / "state.json"),
            ],
            log=tmp_path / f"backfill-{len(started)}.log",
            environment=account.stack.environment,
            folder=ROOT,
        )
        started.append(process)
        process.start()
        return process

    yield start
    for process in started:
        process.kill()


def mbox(tmp_path: Path, name: str, attached: int, dismissed: int = 0) -> Path:
    """Return an mbox: mails to a candidate, day by day, in conversations of two, and others."""
    path = tmp_path / "old.mbox"
    with path.open("wb") as file:
        for number in range(attached + dismissed):
            to = "cand@mail.example" if number < attached else "nobody@x.example"
            date = (FIRST + timedelta(days=number)).strftime("%a, %d %b %Y %H:%M:%S +0000")
            text = "From here on.\n" + "x" * (300_000 if number % 100 == 7 else 5000)
            file.write(
                f"From - Fri Mar  1 09:00:00 2019\nFrom: user@team.example\nTo: {to}\n"
                f"Message-ID: <{name}-{number}@old>\nReferences: <{name}-{number // 2}@root>\n"
                f"Date: {date}\nSubject: Old {number}\n\n>{text}\n\n".encode()
            )
    return path


async def _waiting(url: str) -> int:
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        queues = (RECEIVED_BACKFILL, OUTCOMES_BACKFILL)
        declared = [await channel.declare_queue(queue.name, passive=True) for queue in queues]
        return sum(queue.declaration_result.message_count or 0 for queue in declared)


def waiting(stack: Stack) -> int:
    """Return how much old mail waits in the queues."""
    return asyncio.run(_waiting(stack.environment["AMQP_URL"]))


def test_live_mail_does_not_wait_behind_old_mail(
    account: Account, command: Command, tmp_path: Path, measured: list[str], share: float
) -> None:
    total, live = (8000, 5) if share == 1 else (1200, 3)
    client = account.client
    client.put_person("c2", "candidate", "Live", ["live@mail.example"])
    process = command(mbox(tmp_path, account.name, total))
    deadline = time.monotonic() + DEADLINE
    while (before := waiting(account.stack)) < 100:
        assert time.monotonic() < deadline, process.tail()
    seconds = []
    for number in range(1, live + 1):
        started = time.monotonic()
        account.send("user@team.example", sender="live@mail.example")
        client.await_mails("c2", number)
        seconds.append(time.monotonic() - started)
    after = waiting(account.stack)
    old = client.tally()["attached"] - live
    assert old < total, "there was old mail to wait behind, all the time"
    measured.append(
        f"backfill: {live} live mails visible after {sorted(seconds)[live // 2]:.2f} s (median), "
        f"{max(seconds):.2f} s (most), while {before} to {after} old ones waited"
    )
    assert process.wait(DEADLINE) == 0, process.tail()
    assert account.outcome(total + live) == {"attached": total + live}
    unread = client.json("GET", "timeline", "/v1/inbox/unread")
    assert unread["unread"] == live, "live mail is news"


def test_interrupted_and_called_again_it_brings_all_of_it_once(
    account: Account, command: Command, tmp_path: Path
) -> None:
    client, expected = account.client, {"attached": 180, "no_match": 20}
    path = mbox(tmp_path, account.name, 180, dismissed=20)
    process = command(path)
    deadline = time.monotonic() + DEADLINE
    while waiting(account.stack) < 30:
        assert time.monotonic() < deadline, process.tail()
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(DEADLINE) == 1, process.tail()
    assert process.tail().endswith("interrupted; run the same command again to continue")
    process = command(path)
    assert process.wait(DEADLINE) == 0, process.tail()
    assert "200 read: " in process.tail()
    assert account.outcome(200) == expected
    mails = client.timeline("c1")
    dates = [datetime.fromisoformat(mail["date"]) for mail in mails]
    assert dates == [FIRST + timedelta(days=number) for number in reversed(range(180))]
    assert mails[-1]["subject"] == "Old 0"
    assert client.json("GET", "timeline", "/v1/inbox/unread")["unread"] == 0
    inbox = client.inbox()
    assert len(inbox) == 90
    assert not any(conversation["unread"] for conversation in inbox)
    # All of it again, with one mail more at the end.
    with path.open("ab") as file:
        file.write(b"From - Fri Mar  1 09:00:00 2019\nTo: cand@mail.example\n\nThe last.\n")
    process = command(path)
    assert process.wait(DEADLINE) == 0, process.tail()
    assert "201 read: 201 sent; " in process.tail()
    account.outcome(201)
    while waiting(account.stack):
        time.sleep(0.1)
    time.sleep(1)
    assert account.outcome(201) == {**expected, "attached": 181}
    assert len(client.timeline("c1")) == 181
    account.await_no_claims()


def test_a_mistake_is_told_in_one_line(account: Account, command: Command, tmp_path: Path) -> None:
    process = command(tmp_path / "nothing")
    assert process.wait(DEADLINE) == 2
    assert process.tail().splitlines() == [
        f"ingest: {tmp_path}/nothing does not exist, or is neither a file nor a folder"
    ]
