"""`make bench ARGS="way --sessions 20 --size 2000 --mails 3000"`: how fast, and how soon.

Drives SMTP with so many sessions and follows each mail until its outcome is in MongoDB, as a change
stream of the timeline's database tells it. The clock is one machine's: from the 250 to visible.

Since machines differ and are shared, each rate has a ratio beside it, to what the same broker alone
confirms in the same run with as many publishes of the same size under way.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import aio_pika
import pymongo
import structlog
from rich.console import Console
from rich.table import Table

from dev.client import Client
from dev.ledger import Ledger, Letter
from dev.senders import Senders
from dev.stack import Stack, own_databases
from dev.terminal import say
from shared.broker import Publisher
from shared.events import MailReceived
from shared.topology import RECEIVED, uses

ACCOUNT = "bench"
_SETTLE_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Result:
    """One run. Rates are per second, latencies in seconds."""

    sessions: int
    size: int
    mails: int
    replicas: int
    broker_alone: float
    accepted: float
    end_to_end: float
    p50: float
    p95: float
    p99: float


class Visible(threading.Thread):
    """Notes when each capture's outcome becomes visible."""

    def __init__(self, url: str, database: str) -> None:
        super().__init__(daemon=True)
        self.seen: dict[str, float] = {}
        self._client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(url)
        inserts = [{"$match": {"operationType": "insert"}}]
        self._stream = self._client[database].outcomes.watch(inserts)
        self._done = threading.Event()

    def run(self) -> None:
        """Watch until `stop`."""
        while not self._done.is_set():
            change = self._stream.try_next()
            if change is not None:
                self.seen[change["documentKey"]["_id"]] = time.monotonic()

    def stop(self) -> None:
        """Watch no more."""
        self._done.set()
        self.join()
        self._stream.close()
        self._client.close()


async def broker_alone(url: str, size: int, count: int, concurrent: int) -> float:
    """Return how many publishes of this size a second the broker confirms, nothing else running."""
    publisher = Publisher(url, "bench", uses(publishes=[MailReceived]), deadline=60)
    running = asyncio.create_task(publisher.run())
    while not publisher.ready:
        await asyncio.sleep(0.01)
    event = MailReceived(
        capture_id=uuid4(),
        capture_address="bench@in.satchel.test",
        account_tag="a" * 8,
        received_at=datetime.now(UTC),
        door="smtp",
        size=size,
    )
    body, left = b"x" * size, iter(range(count))

    async def publish() -> None:
        for _ in left:
            await publisher.publish(event, body)

    started = time.monotonic()
    await asyncio.gather(*(publish() for _ in range(concurrent)))
    seconds = time.monotonic() - started
    publisher.stop()
    await running
    return count / seconds


async def _purge(url: str) -> None:
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        await (await channel.get_queue(RECEIVED.name)).purge()


def measure(stack: Stack, *, sessions: int, size: int, mails: int, alone: float) -> Result:
    """Send the mails; return when all are visible."""
    client = Client(stack.endpoints, stack.token_secret, account=ACCOUNT, person="u1")
    client.put_person("u1", "user", "Recruiter", ["recruiter@agency.example"])
    client.put_person("c1", "candidate", "Candidate", ["candidate@mail.example"])
    database = stack.environment["TIMELINE_DATABASE"]
    visible = Visible(stack.environment["MONGODB_URL"], database)
    visible.start()
    ledger = Ledger()
    ports = [replica.ports["INGEST_SMTP_PORT"] for replica in stack.of("ingest")]
    address = client.mint("u1")
    letters = [letter(number, size, address) for number in range(mails)]
    senders = Senders(letters, ledger, ports, sessions=sessions)
    started = time.monotonic()
    senders.start()
    while len(visible.seen) < mails:
        time.sleep(0.2)
        say(f"{len(ledger.receipts):>7} accepted {len(visible.seen):>7} visible of {mails}")
        if time.monotonic() - started > _SETTLE_SECONDS:
            raise TimeoutError(f"only {len(visible.seen)} of {mails} mails became visible")
    visible.stop()
    waits = sorted(visible.seen[r.capture_id] - r.at for r in ledger.receipts)
    return Result(
        sessions=sessions,
        size=size,
        mails=mails,
        replicas=len(stack.of("ingest")),
        broker_alone=alone,
        accepted=mails / (max(r.at for r in ledger.receipts) - started),
        end_to_end=mails / (max(visible.seen.values()) - started),
        p50=waits[len(waits) // 2],
        p95=waits[int(len(waits) * 0.95)],
        p99=waits[int(len(waits) * 0.99)],
    )


def letter(number: int, size: int, address: str) -> Letter:
    """Return a mail of that size to a capture address."""
    head = (
        "From: recruiter@agency.example\r\nTo: candidate@mail.example\r\n"
        f"Message-ID: <bench-{number}@agency.example>\r\nSubject: Mail {number}\r\n\r\n"
    )
    line = "x" * 76 + "\r\n"
    body = (line * (size // len(line) + 1))[: max(0, size - len(head) - 2)] + "\r\n"
    return Letter(
        number, f"bench-{number}", (head + body).encode(), attach=True, recipients=(address,)
    )


def table(result: Result) -> Table:
    """Return the result as a table."""
    title = (
        f"{result.mails} mails of {result.size} bytes, {result.sessions} SMTP sessions,\n"
        f"replicas of each service: {result.replicas}"
    )
    shown = Table(title=title, title_justify="left")
    for column in ("", "measured", "ratio to broker alone"):
        shown.add_column(column, justify="left" if not column else "right")
    alone = result.broker_alone
    shown.add_row("broker alone, confirmed", f"{alone:,.0f} /s", "1.00")
    shown.add_row("accepted (250)", f"{result.accepted:,.0f} /s", f"{result.accepted / alone:.2f}")
    shown.add_row("visible", f"{result.end_to_end:,.0f} /s", f"{result.end_to_end / alone:.2f}")
    for name in ("p50", "p95", "p99"):
        shown.add_row(f"250 to visible, {name}", f"{getattr(result, name) * 1000:,.0f} ms", "")
    return shown


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--size", type=int, default=2000, help="bytes of a mail")
    parser.add_argument("--mails", type=int, default=3000)
    parser.add_argument("--replicas", type=int, default=1, help="of each service")
    parser.add_argument("--json", type=Path, help="write the result there too")
    given = parser.parse_args(arguments)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    with (
        tempfile.TemporaryDirectory(prefix="satchel-bench-") as folder,
        Stack(Path(folder), replicas=given.replicas, environment=own_databases(), say=say) as stack,
    ):
        # The consumers are stopped meanwhile, and what was published for the measurement is purged.
        for replica in stack.of("matcher"):
            replica.process.stop()
        url = stack.environment["AMQP_URL"]
        alone = asyncio.run(broker_alone(url, given.size, given.mails, given.sessions))
        asyncio.run(_purge(url))
        for replica in stack.of("matcher"):
            replica.start()
            replica.await_ready()
        result = measure(
            stack, sessions=given.sessions, size=given.size, mails=given.mails, alone=alone
        )
    Console(width=None if sys.stdout.isatty() else 100).print(table(result))
    if given.json:
        given.json.write_text(json.dumps(asdict(result), indent=2) + "\n")
    return 0
