"""`make bench ARGS="decisions --people 1000000"`: how fast the matcher decides.

Fills a directory of 100 accounts and decides about mails whose participants are picked from it: a
user's address, two candidates' and three unknown ones. First each mail has other participants
(cold: each is looked up), then the same mails come again (warm: the account's version says that the
cache is valid).
No broker is part of it. The ratio is to one bare indexed look-up of six addresses, measured in the
same run with as many in flight.
"""

import argparse
import asyncio
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog
import uvloop
from rich.console import Console
from rich.table import Table

from dev.install import find_mongod
from dev.mongodb import PrivateMongoDB
from dev.terminal import say
from services.matcher.decision.decide import Attach, decide
from services.matcher.directory.capture_addresses import CaptureAddresses
from services.matcher.directory.knowledge import Knowledge
from services.matcher.directory.never_capture_lists import NeverCaptureLists
from services.matcher.directory.people import Directory, person_of
from services.matcher.directory.versions import Versions
from services.matcher.indexes import INDEXES
from services.matcher.reading.participants import participants
from shared.contracts.capture_address import KeyRing
from shared.contracts.events import Kind
from shared.mail.headers import read_header_block
from shared.storage.database import Database, connect, migrate

_ACCOUNTS, _DOMAIN, _BATCH = 100, "in.satchel.test", 1000


@dataclass(frozen=True, slots=True)
class Result:
    """Rates are per second, memory is the process's peak in MiB."""

    people: int
    mails: int
    concurrent: int
    bare_lookups: float
    cold: float
    warm: float
    memory_before: float
    memory: float


class Bench:
    """A directory, and mails about its people."""

    def __init__(self, database: Database, people: int) -> None:
        versions = Versions(database)
        self._per_account = people // _ACCOUNTS
        self.directory = Directory(database, versions)
        ring = KeyRing.parse("bench:" + "s" * 32)
        self.addresses = CaptureAddresses(database, versions, ring, _DOMAIN)
        self.knowledge = Knowledge(
            self.directory, self.addresses, versions, NeverCaptureLists(database, versions)
        )
        self.capture: dict[str, str] = {}

    async def fill(self) -> None:
        """Store a user and many candidates in each account."""
        for number in range(_ACCOUNTS):
            account = f"account{number}"
            user = person_of("u1", Kind.USER, "User", [f"user@{account}.example"])
            await self.directory.put(account, user)
            record, _ = await self.addresses.mint(account, "u1", "User")
            self.capture[account] = record.address
            for start in range(0, self._per_account, _BATCH):
                await self.directory.put_all(
                    account,
                    [
                        person_of(f"c{n}", Kind.CANDIDATE, f"Candidate {n}", [_address(n, account)])
                        for n in range(start, min(start + _BATCH, self._per_account))
                    ],
                )
            say(f"{number + 1} of {_ACCOUNTS} accounts filled")

    def mail(self, chance: random.Random) -> tuple[str, bytes]:
        """Return an account and a mail about two of its candidates and three unknown people."""
        account = f"account{chance.randrange(_ACCOUNTS)}"
        known = [_address(chance.randrange(self._per_account), account) for _ in range(2)]
        unknown = [f"n{chance.randrange(10**9)}@elsewhere.example" for _ in range(3)]
        to = ", ".join([*known, *unknown])
        return account, f"From: user@{account}.example\r\nTo: {to}\r\n\r\n".encode()

    async def decide(self, account: str, raw: bytes) -> None:
        """Decide as the consumer does, from the header to the decision."""
        taking_part = participants(read_header_block(raw), _DOMAIN)
        keys = frozenset(participant.address for participant in taking_part)
        known = await self.knowledge.consult(self.capture[account], keys)
        if known is None or not isinstance(decide(taking_part, known.people), Attach):
            raise AssertionError("each of these mails concerns two candidates")

    async def look_up(self, account: str, raw: bytes) -> None:
        """Look six addresses up, and nothing else."""
        found = participants(read_header_block(raw), _DOMAIN)
        await self.directory.holders(account, [participant.address for participant in found])


def _address(number: int, account: str) -> str:
    return f"c{number}@{account}.mail.example"


async def _rate(
    work: Callable[[str, bytes], Awaitable[None]],
    mails: Sequence[tuple[str, bytes]],
    concurrent: int,
) -> float:
    left = iter(mails)

    async def run() -> None:
        for account, raw in left:
            await work(account, raw)

    started = time.monotonic()
    await asyncio.gather(*(run() for _ in range(concurrent)))
    return len(mails) / (time.monotonic() - started)


async def measure(url: str, *, people: int, mails: int, concurrent: int) -> Result:
    """Fill, then decide about mails that are new, and about the same ones again."""
    async with connect(url, "bench") as client:
        database = client["satchel_bench"]
        await migrate(database, INDEXES)
        bench = Bench(database, people)
        await bench.fill()
        chance = random.Random(1)
        others = [bench.mail(chance) for _ in range(mails)]
        measured = [bench.mail(chance) for _ in range(mails)]
        before = _peak_memory()
        bare = await _rate(bench.look_up, others, concurrent)
        cold = await _rate(bench.decide, measured, concurrent)
        warm = await _rate(bench.decide, measured, concurrent)
        await client.drop_database("satchel_bench")
    return Result(people, mails, concurrent, bare, cold, warm, before, _peak_memory())


def _peak_memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def table(result: Result) -> Table:
    """Return the result as a table."""
    title = f"{result.people:,} people in {_ACCOUNTS} accounts, {result.concurrent} mails in flight"
    shown = Table(title=title, title_justify="left")
    for column in ("", "per second", "ratio to bare look-ups"):
        shown.add_column(column, justify="left" if not column else "right")
    for name, rate in (
        ("bare look-ups of six addresses", result.bare_lookups),
        ("decisions, nothing remembered", result.cold),
        ("decisions, all remembered", result.warm),
    ):
        shown.add_row(name, f"{rate:,.0f}", f"{rate / result.bare_lookups:.2f}")
    shown.add_section()
    shown.add_row("peak memory before", f"{result.memory_before:,.0f} MiB", "")
    shown.add_row(f"peak memory after {result.mails:,} mails", f"{result.memory:,.0f} MiB", "")
    return shown


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=decisions", description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--mails", type=int, default=20_000)
    parser.add_argument("--concurrent", type=int, default=32, help="mails in flight")
    parser.add_argument("--json", type=Path, help="write the result there too")
    given = parser.parse_args(arguments)
    find_mongod()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    with (
        tempfile.TemporaryDirectory(prefix="satchel-bench-") as folder,
        PrivateMongoDB(Path(folder)) as database,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        result = runner.run(
            measure(
                database.url,
                people=given.people,
                mails=given.mails,
                concurrent=given.concurrent,
            )
        )
    Console(width=None if sys.stdout.isatty() else 100).print(table(result))
    if given.json:
        given.json.write_text(json.dumps(asdict(result), indent=2) + "\n")
    return 0
