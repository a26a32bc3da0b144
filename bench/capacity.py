"""`make bench ARGS="capacity"`: what a mail costs each process, in processor time and bytes.

Rates depend on the machine and on who else uses it; the processor time of a mail hardly does. So
this sends mails of some kinds through a whole stack, one kind after the other, and reads what each
process has used meanwhile (`/proc/<pid>/stat`), what the database was asked, and what lies on the
disks afterwards. What the processes use while nothing comes is measured first and taken off.

A fixed piece of work is timed in the same run: by it the figures can be carried to other machines.
`--save docs/capacity.json` keeps them for the plans (`ARGS="plan"`).
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pymongo
from rich.console import Console
from rich.table import Table

from bench.mail_kinds import KINDS, PROFILES, Kind, mail
from dev.client import Client
from dev.ledger import Ledger, Letter
from dev.senders import Senders
from dev.stack import Stack, own_databases
from dev.terminal import say

PROCESSES = ("ingest", "matcher", "timeline", "broker", "database")
_ACCOUNT = "bench"
_TICKS = os.sysconf("SC_CLK_TCK")
_IDLE_SECONDS = 10.0
_SETTLE_SECONDS = 600.0
_KIB = 1024
_QUEUED = 6
"""Times as many wait in the broker: its log is written in pieces of 64 MiB."""
_DOCUMENTS, _INDEXES, _BLOBS = "(documents)", "(indexes)", "(blobs)"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one mail of a kind cost: milliseconds of a processor, bytes, and a count."""

    kind: str
    mails: int
    size: int
    cpu: dict[str, float]
    documents: float
    indexes: float
    blobs: float
    operations: float
    """Of the database, writes and reads."""
    collections: dict[str, float]
    """Bytes of documents and indexes on disk, by collection."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """A whole run."""

    reference: float
    """Milliseconds of a processor for the fixed piece of work."""
    idle: dict[str, float]
    """Processor time while nothing comes: milliseconds a second."""
    resting: dict[str, float]
    """What a process held before the first mail, in MiB."""
    memory: dict[str, float]
    """The most that a process held, in MiB."""
    queued: float
    """Bytes on the broker's disk for a typical mail that waits."""
    costs: list[Cost]


def reference_work() -> float:
    """Return the milliseconds of a processor that a million turns of a loop take."""
    began = time.process_time()
    total = 0
    for number in range(1_000_000):
        total += number & 7
    return (time.process_time() - began) * 1000 + total * 0


class Meter:
    """Reads what the processes of a stack have used."""

    def __init__(self, stack: Stack) -> None:
        assert stack.broker is not None
        assert stack.database is not None
        self._pids = {service: stack.of(service)[0].process.pid for service in PROCESSES[:3]}
        self._pids |= {"broker": stack.broker.pid, "database": stack.database.pid}

    def cpu(self) -> dict[str, float]:
        """Return the milliseconds of processor time of each, so far."""
        return {name: _cpu(pid) for name, pid in self._pids.items()}

    def memory(self, field: str) -> dict[str, float]:
        """Return a field of `/proc/<pid>/status` in MiB: `VmRSS`, now, or `VmHWM`, the most."""
        return {name: _field(pid, field) / _KIB for name, pid in self._pids.items()}


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return sum(int(ticks) for ticks in fields[11:15]) * 1000 / _TICKS  # children's, too


def _field(pid: int, name: str) -> int:
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith(name))


def _bytes_in(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


class Desk:
    """Sends mails through a stack, and measures what they cost."""

    def __init__(self, stack: Stack, sessions: int, rate: float | None) -> None:
        self._stack, self._sessions, self._rate = stack, sessions, rate
        self.meter = Meter(stack)
        self._client = Client(stack.endpoints, stack.token_secret, account=_ACCOUNT, person="u0")
        url = stack.environment["MONGODB_URL"]
        self._mongo: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(url)
        self._database = self._mongo[stack.environment["TIMELINE_DATABASE"]]
        self._owners: list[str] = []

    def furnish(self) -> None:
        """Put the people there that the mails are about."""
        for number in range(2):
            address = f"u{number}@agency.example"
            self._client.put_person(f"u{number}", "user", "Recruiter", [address])
        for number in range(PROFILES):
            self._client.put_person(
                f"c{number}", "candidate", "Somebody", [f"c{number}@mail.example"]
            )
        self._owners = [self._client.mint(f"u{number}") for number in range(2)]

    def idle(self, seconds: float = _IDLE_SECONDS) -> dict[str, float]:
        """Return the milliseconds a second that each process uses while nothing comes."""
        before = self.meter.cpu()
        time.sleep(seconds)
        return {name: (now - before[name]) / seconds for name, now in self.meter.cpu().items()}

    def send(self, kind: Kind, numbers: range) -> None:
        """Return when every one of these mails was accepted."""
        ports = [replica.ports["INGEST_SMTP_PORT"] for replica in self._stack.of("ingest")]
        letters = self._letters(kind, numbers)
        senders = Senders(letters, Ledger(), ports, sessions=self._sessions, rate=self._rate)
        senders.start()
        if not senders.wait(_SETTLE_SECONDS):
            raise TimeoutError("not every mail was accepted in time")

    def cost(self, kind: Kind, mails: int, idle: dict[str, float]) -> Cost:
        """Send mails of a kind, wait until all are filed, and return what one of them cost."""
        before = (self._counts(), self._sizes(), time.monotonic(), self.meter.cpu())
        self.send(kind, range(mails))
        self._until_filed(mails * kind.owners)
        seconds = time.monotonic() - before[2]
        cpu = {
            name: max(0.0, now - before[3][name] - idle[name] * seconds) / mails
            for name, now in self.meter.cpu().items()
        }
        operations = (self._counts() - before[0]) / mails
        grown = {name: (n - before[1].get(name, 0.0)) / mails for name, n in self._sizes().items()}
        size = sum(len(mail(kind, number)) for number in range(20)) // 20
        return Cost(
            kind.name,
            mails,
            size,
            cpu,
            documents=grown.pop(_DOCUMENTS),
            indexes=grown.pop(_INDEXES),
            blobs=grown.pop(_BLOBS),
            operations=operations,
            collections=grown,
        )

    def queued(self, kind: Kind, mails: int) -> float:
        """Stop the matcher; return the bytes on the broker's disk for each mail that waits."""
        (matcher,) = self._stack.of("matcher")
        folder = self._stack.folder / "rabbitmq"
        matcher.process.stop()
        before = _bytes_in(folder)
        self._rate = None
        self.send(kind, range(100_000, 100_000 + mails))
        return (_bytes_in(folder) - before) / mails

    def _letters(self, kind: Kind, numbers: range) -> Iterator[Letter]:
        recipients = tuple(self._owners[: kind.owners])
        for number in numbers:
            yield Letter(number, f"{kind.name}.{number}", mail(kind, number), True, recipients)

    def _until_filed(self, captures: int) -> None:
        deadline = time.monotonic() + _SETTLE_SECONDS
        wanted = self._filed + captures
        while (now := self._database.outcomes.count_documents({})) < wanted:
            say(f"{now - self._filed:>7} of {captures} filed")
            if time.monotonic() > deadline:
                raise TimeoutError("not every mail was filed in time")
            time.sleep(0.5)
        self._filed = now

    _filed = 0

    def _counts(self) -> float:
        counts = self._mongo.admin.command("serverStatus")["opcounters"]
        return float(sum(counts[name] for name in ("insert", "query", "update", "delete")))

    def _sizes(self) -> dict[str, float]:
        """Return the bytes on disk of documents, of indexes, of blobs, and of each collection."""
        self._mongo.admin.command("fsync")
        told = self._database.command("dbStats")
        sizes = {
            _DOCUMENTS: float(told["storageSize"]),
            _INDEXES: float(told["indexSize"]),
            _BLOBS: float(_bytes_in(self._stack.folder / "blobs" / "mails")),
        }
        for name in self._database.list_collection_names():
            of_one = self._database.command("collStats", name)
            sizes[name] = float(of_one["storageSize"] + of_one["totalIndexSize"])
        return sizes


def measure(stack: Stack, mails: int, sessions: int, rate: float | None = None) -> Capacity:
    """Measure everything; the stack has one replica of each service, and servers of its own."""
    desk = Desk(stack, sessions, rate)
    resting = desk.meter.memory("VmRSS")
    desk.furnish()
    reference = min(reference_work() for _ in range(5))
    warm = Kind("warm", 120)
    desk.cost(warm, min(200, mails), dict.fromkeys(PROCESSES, 0.0))
    idle = desk.idle()
    costs = []
    for kind in KINDS:
        count = max(3, int(mails * kind.share))
        say(f"{kind.name}: {count} mails")
        costs.append(desk.cost(kind, count, idle))
    memory = desk.meter.memory("VmHWM")
    queued = desk.queued(KINDS[1], mails * _QUEUED)
    return Capacity(reference, idle, resting, memory, queued, costs)


def tables(found: Capacity) -> Iterator[Table]:
    """Yield the result as tables."""
    shown = Table(title="Processor time of a mail, milliseconds", title_justify="left")
    for column in ("kind", "bytes", *PROCESSES, "all", "in reference work"):
        shown.add_column(column, justify="left" if column == "kind" else "right")
    for cost in found.costs:
        total = sum(cost.cpu.values())
        times = [f"{cost.cpu[name]:.2f}" for name in PROCESSES]
        ratio = f"{total / found.reference:.2f}"
        shown.add_row(cost.kind, f"{cost.size:,}", *times, f"{total:.2f}", ratio)
    shown.add_row("idle, a second", "", *(f"{found.idle[name]:.1f}" for name in PROCESSES), "", "")
    yield shown
    kept = Table(title="What is kept of a mail, bytes", title_justify="left")
    for column in ("kind", "mail", "documents", "indexes", "blobs", "database operations"):
        kept.add_column(column, justify="left" if column == "kind" else "right")
    for cost in found.costs:
        kept.add_row(
            cost.kind,
            f"{cost.size:,}",
            f"{cost.documents:,.0f}",
            f"{cost.indexes:,.0f}",
            f"{cost.blobs:,.0f}",
            f"{cost.operations:.1f}",
        )
    yield kept


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--mails", type=int, default=2000, help="of each kind")
    parser.add_argument("--sessions", type=int, default=4, help="of SMTP, at a time")
    parser.add_argument("--rate", type=float, help="mails a second, else as many as are taken")
    parser.add_argument("--save", type=Path, help="write the result there too, as JSON")
    given = parser.parse_args(arguments)
    # Servers of its own, whose processes can be read.
    for name in ("AMQP_URL", "MONGODB_URL", "BLOB_URL"):
        os.environ.pop(name, None)
    with (
        tempfile.TemporaryDirectory(prefix="satchel-bench-") as folder,
        Stack(Path(folder), environment=own_databases(), say=say) as stack,
    ):
        found = measure(stack, given.mails, given.sessions, given.rate)
    console = Console(width=None if sys.stdout.isatty() else 110)
    for table in tables(found):
        console.print(table)
    console.print(
        f"Most memory, MiB: {', '.join(f'{n} {m:.0f}' for n, m in found.memory.items())}. "
        f"A typical mail that waits: {found.queued:,.0f} bytes on the broker's disk. "
        f"Reference work: {found.reference:.1f} ms."
    )
    if given.save:
        given.save.write_text(json.dumps(asdict(found), indent=2) + "\n")
    return 0
