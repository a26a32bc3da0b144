"""`make bench ARGS="capacity"`: what a mail costs each process, in processor time and bytes.

Rates depend on the machine and on who else uses it; the processor time of a mail hardly does. So
this sends mails of some kinds through a whole stack, one kind after the other, and reads what each
process has used meanwhile (`/proc/<pid>/stat`), and what lies on the disks afterwards. What the
processes use while nothing comes is measured first and taken off. Then some more mails of each kind
go through proxies that count the requests that mongod receives from each service, and the
documents that it writes: a bulk write of 64 documents is one request.

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
from dataclasses import asdict, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.counting_proxy import counting
from bench.mail_costs import Capacity, Cost, Desk
from bench.mail_kinds import KINDS, Kind
from bench.processes import PROCESSES
from dev.stack import Stack, own_databases
from dev.terminal import say

_WARM, _WARM_MAILS = Kind("warm", 120), 200
_COUNTED = 0.25
"""Mails whose requests are counted, of those that are measured."""
_LEAST_MAILS = 3
_QUEUED = 6
"""Times as many wait in the broker: its log is written in pieces of 64 MiB."""


def reference_work() -> float:
    """Return the milliseconds of a processor that a million turns of a loop take."""
    began = time.process_time()
    total = 0
    for number in range(1_000_000):
        total += number & 7
    return (time.process_time() - began) * 1000 + total * 0


def measure(stack: Stack, mails: int, sessions: int, rate: float | None = None) -> Capacity:
    """Measure everything; the stack has one replica of each service, and servers of its own."""
    desk = Desk(stack, sessions, rate)
    resting = desk.meter.memory("VmRSS")
    desk.furnish()
    reference = min(reference_work() for _ in range(5))
    desk.cost(_WARM, min(_WARM_MAILS, mails), dict.fromkeys(PROCESSES, 0.0))
    idle = desk.idle()
    costs = []
    for kind in KINDS:
        count = max(_LEAST_MAILS, int(mails * kind.share))
        say(f"{kind.name}: {count} mails")
        costs.append(desk.cost(kind, count, idle))
    memory = desk.meter.memory("VmHWM")
    costs = _with_requests(stack, desk, costs, mails)
    queued = desk.queued(KINDS[1], mails * _QUEUED)
    return Capacity(reference, idle, resting, memory, queued, costs)


def _with_requests(stack: Stack, desk: Desk, costs: list[Cost], mails: int) -> list[Cost]:
    """Return the costs with the requests to mongod; matcher and timeline are stopped after it."""
    with counting(stack) as proxies:
        desk.requests(_WARM, min(_WARM_MAILS, mails), proxies)
        counted = []
        for kind, cost in zip(KINDS, costs, strict=True):
            count = max(_LEAST_MAILS, int(cost.mails * _COUNTED))
            say(f"{kind.name}: {count} mails counted")
            counted.append(replace(cost, requests=desk.requests(kind, count, proxies)))
        return counted


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
    for column in ("kind", "mail", "documents", "indexes", "blobs"):
        kept.add_column(column, justify="left" if column == "kind" else "right")
    for cost in found.costs:
        kept.add_row(
            cost.kind,
            f"{cost.size:,}",
            f"{cost.documents:,.0f}",
            f"{cost.indexes:,.0f}",
            f"{cost.blobs:,.0f}",
        )
    yield kept
    yield _asked(found)


def _asked(found: Capacity) -> Table:
    shown = Table(title="What mongod received for a mail", title_justify="left")
    for column in ("kind", "service", "requests", "statements", "documents written"):
        shown.add_column(column, justify="left" if column in ("kind", "service") else "right")
    for cost in found.costs:
        for service, asked in cost.requests.items():
            numbers = (asked.requests, asked.statements, asked.documents)
            shown.add_row(cost.kind, service, *(f"{number:.2f}" for number in numbers))
    return shown


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
