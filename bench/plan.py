"""`make bench ARGS="plan --rate 1000"`: what so many mails a second need, from measured costs.

`docs/capacity.json` holds what `ARGS="capacity --save docs/capacity.json"` measured. All the rest
is assumed, and stands in `Assumptions`. `--write` puts the plans into `docs/capacity.md`.
"""

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from bench.counting_proxy import ASKING, Requests
from bench.mail_costs import Capacity, Cost
from bench.processes import PROCESSES
from dev.generate import ROOT
from shared.runtime.mistake import Mistake
from shared.storage.blob_keys import CLAIM_CHECK_BYTES

MEASURED, PAGE = ROOT / "docs/capacity.json", ROOT / "docs/capacity.md"
RATES = (10, 1_000, 100_000)
_BEGIN, _END = "<!-- plans -->", "<!-- end of plans -->"
_YEAR = 365 * 86_400
_LEAST = {"ingest": 3, "matcher": 2, "timeline": 2}
"""Replicas, in any case: the autoscalers' least."""
_MOST = {"ingest": 12, "matcher": 8, "timeline": 16}
"""Replicas: the autoscalers' most (`deploy/k8s/overlays/production/scaling.yaml`)."""
_MIB = {"ingest": 320, "matcher": 320, "timeline": 640}
"""Memory that a replica asks for: `deploy/k8s/base`."""


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What was not measured."""

    mix: dict[str, float] = field(
        default_factory=lambda: {"short": 0.55, "typical": 0.40, "large": 0.05},
        metadata={"text": "kinds of mail: short, typical, large"},
    )
    attached: float = field(default=0.5, metadata={"text": "captures that are attached"})
    busy: float = field(default=0.6, metadata={"text": "of a core that is used at the peak"})
    average: float = field(default=0.33, metadata={"text": "average rate over a year, of the peak"})
    queue_messages: int = field(default=3000, metadata={"text": "messages a second of one queue"})
    queue_mb: int = field(default=50, metadata={"text": "MB a second of one queue"})
    shard_cores: int = field(default=16, metadata={"text": "cores of a shard's primary"})
    shard_tb: int = field(default=4, metadata={"text": "TB that a shard holds"})
    copies: int = field(default=3, metadata={"text": "of a queue, and of a shard"})
    session_seconds: float = field(default=2.0, metadata={"text": "SMTP session, one mail each"})
    lookups: float = field(default=4.0, metadata={"text": "DNS look-ups of an attached mail"})
    cell_rate: int = field(default=5000, metadata={"text": "mails a second of one cell"})


def load(path: Path = MEASURED) -> Capacity:
    """Return what was measured. Raises Mistake when it is not there."""
    if not path.exists():
        raise Mistake(f"{path.name} is missing: make it with ARGS='capacity --save'")
    told = json.loads(path.read_text())
    return Capacity(**{**told, "costs": [_cost(cost) for cost in told["costs"]]})


def _cost(told: dict[str, Any]) -> Cost:
    requests = {name: Requests(**each) for name, each in told["requests"].items()}
    return Cost(**{**told, "requests": requests})


@dataclass(frozen=True, slots=True)
class Mail:
    """One capture, on average: milliseconds of a processor by process, and bytes."""

    cpu: dict[str, float]
    requests: float
    """That mongod receives, from all services."""
    written: float
    """Documents, by those requests."""
    bytes: float
    queue_bytes: float
    """In each of the two queues, together: larger mails travel by claim check."""
    database_bytes: float
    blob_bytes: float
    puts: float
    gets: float
    """Requests to the blob store. Deletes cost nothing."""


def requests(cost: Cost) -> float:
    """Return how many requests of all services mongod receives for a mail."""
    return sum(asked.requests for asked in cost.requests.values())


def written(cost: Cost) -> float:
    """Return how many documents mongod writes for a mail."""
    return sum(asked.documents for asked in cost.requests.values())


def average(measured: Capacity, given: Assumptions) -> Mail:
    """Return the average capture; a dismissed one costs what a short one does, but has any size."""
    costs = {cost.kind: cost for cost in measured.costs}
    mix = [(costs[kind], share) for kind, share in given.mix.items()]
    gone, kept = costs["short, dismissed"], given.attached
    small = sum(c.size * share for c, share in mix if c.size <= CLAIM_CHECK_BYTES)
    large = sum(share for c, share in mix if c.size > CLAIM_CHECK_BYTES)
    return Mail(
        cpu={
            name: kept * sum(c.cpu[name] * share for c, share in mix) + (1 - kept) * gone.cpu[name]
            for name in PROCESSES
        },
        requests=kept * sum(requests(c) * s for c, s in mix) + (1 - kept) * requests(gone),
        written=kept * sum(written(c) * s for c, s in mix) + (1 - kept) * written(gone),
        bytes=sum(c.size * share for c, share in mix),
        queue_bytes=small * (1 + kept),
        database_bytes=kept * sum((c.documents + c.indexes) * share for c, share in mix)
        + (1 - kept) * (gone.documents + gone.indexes),
        blob_bytes=kept * sum(c.blobs * share for c, share in mix),
        puts=kept + large,  # the mail for good; the claim
        # The claim: its start by the matcher, all of it for its authentication and the timeline.
        gets=large * (1 + 2 * kept),
    )


def plan(rate: float, measured: Capacity, given: Assumptions) -> dict[str, str]:
    """Return what a peak of `rate` captures a second needs, in words by what it is."""
    mail = average(measured, given)
    cores = {name: rate * ms / 1000 / given.busy for name, ms in mail.cpu.items()}
    through = rate * mail.queue_bytes / 1e6
    by_messages = rate / given.queue_messages
    # The busier of the two queues has every mail: no dismissed one is left out of it yet.
    by_bytes = through / (1 + given.attached) / given.queue_mb
    partitions = max(1, math.ceil(max(by_messages, by_bytes)))
    shards = max(1, math.ceil(cores["database"] / given.shard_cores))
    yearly = rate * given.average * _YEAR
    full = math.ceil(yearly * mail.database_bytes / 1e12 / given.shard_tb)
    sessions = rate * given.session_seconds
    monthly = yearly / 12
    return _replicas(cores) | {
        "queues": f"{2 * rate:,.0f} messages, {through:,.1f} MB a second; "
        f"{partitions:,} partitions of each",
        "broker": f"{cores['broker'] * given.copies:,.1f} cores, all copies",
        "MongoDB": f"{rate * mail.requests:,.0f} requests, "
        f"{rate * mail.written:,.0f} documents written a second, "
        f"{cores['database']:,.1f} cores, {shards:,} shards of {given.copies}",
        "MongoDB, a year": f"{_bytes(yearly * mail.database_bytes)} in one copy, "
        f"{max(shards, full):,} shards",
        "blobs, a year": _bytes(yearly * mail.blob_bytes),
        "blob requests a second": f"{rate * mail.puts:,.1f} PUT, {rate * mail.gets:,.1f} GET",
        "PUT requests a month": f"{monthly * mail.puts / 1e6:,.0f} million",
        "network, in": f"{rate * mail.bytes * 8 / 1e6:,.0f} Mbit/s",
        "SMTP sessions": f"{sessions:,.0f}",
        "DNS look-ups a second": f"{rate * given.attached * given.lookups:,.0f}",
        "cells": f"{max(1, math.ceil(rate / given.cell_rate)):,}",
    }


def _replicas(cores: dict[str, float]) -> dict[str, str]:
    """Return the replicas of each service for the cores that all of it uses."""
    rows = {}
    for service, least in _LEAST.items():
        replicas = max(least, math.ceil(cores[service]))
        memory = replicas * _MIB[service] / 1024
        rows[service] = f"{replicas:,} replicas, {cores[service]:,.1f} cores, {memory:,.1f} GiB"
    return rows


def _bytes(number: float) -> str:
    return f"{number / 1e15:,.2f} PB" if number >= 1e15 else f"{number / 1e12:,.2f} TB"


def tables(measured: Capacity, given: Assumptions) -> str:
    """Return the tables of `docs/capacity.md`: what was measured, what is assumed, the plans."""
    plans = [plan(rate, measured, given) for rate in RATES]
    planned = ["| | " + " | ".join(f"{rate:,} a second" for rate in RATES) + " |"]
    planned.append("|---" * (len(RATES) + 1) + "|")
    for name in plans[0]:
        planned.append(f"| {name} | " + " | ".join(each[name] for each in plans) + " |")
    return "\n".join([*_costs(measured), "", *_assumed(measured, given), "", *planned])


def _costs(measured: Capacity) -> list[str]:
    """Return the table of what a mail of each kind costs."""
    head = (
        *("kind", "bytes", *PROCESSES, "all", "ratio"),
        *(f"requests of {service}" for service in ASKING),
        *("documents written", "database bytes", "blob bytes"),
    )
    lines = [_line(head), "|---" * len(head) + "|"]
    for cost in measured.costs:
        total = sum(cost.cpu.values())
        cells = [cost.kind, f"{cost.size:,}", *(f"{cost.cpu[name]:.1f}" for name in PROCESSES)]
        cells += [f"{total:.1f}", f"{total / measured.reference:.2f}"]
        cells += [f"{cost.requests[service].requests:.1f}" for service in ASKING]
        cells += [f"{written(cost):.1f}", f"{cost.documents + cost.indexes:,.0f}"]
        lines.append(_line([*cells, f"{cost.blobs:,.0f}"]))
    for word, values in (("at rest", measured.resting), ("at most", measured.memory)):
        held = [f"memory {word}", "", *(f"{values[name]:.0f} MiB" for name in PROCESSES)]
        lines.append(_line([*held, *[""] * (len(head) - len(held))]))
    return lines


def _assumed(measured: Capacity, given: Assumptions) -> list[str]:
    """Return the table of what was not measured, and of what an average capture costs by it."""
    lines = ["| assumed | |", "|---|---|"]
    for each in fields(given):
        value = getattr(given, each.name)
        shown = ", ".join(f"{n:.2f}" for n in value.values()) if each.name == "mix" else f"{value}"
        lines.append(_line((each.metadata["text"], shown)))
    mail = average(measured, given)
    times = ", ".join(f"{name} {ms:.1f}" for name, ms in mail.cpu.items())
    lines.append(_line(("so an average capture: milliseconds", times)))
    lines.append(
        f"| and bytes | {mail.bytes:,.0f} sent, {mail.queue_bytes:,.0f} through queues, "
        f"{mail.database_bytes:,.0f} database, {mail.blob_bytes:,.0f} blobs |"
    )
    for name in _LEAST:
        of_one = 1000 * given.busy / mail.cpu[name]
        most = f"{_MOST[name] * of_one:,.0f} by the {_MOST[name]} replicas of the autoscaler"
        lines.append(f"| captures a second of one {name} | {of_one:,.0f}; {most} |")
    return lines


def _line(cells: Sequence[str]) -> str:
    return "".join(f"| {cell} " if cell else "| " for cell in cells) + "|"


def page(text: str, made: str) -> str:
    """Return the page with these tables between its marks."""
    before, _, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not end:
        raise Mistake(f"{PAGE.name} has no {_BEGIN} … {_END}")
    return f"{before}{_BEGIN}\n{made}\n{_END}{after}"


def main(arguments: Sequence[str]) -> int:
    """Print a plan, or write all of them."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rate", type=float, default=1000, help="captures a second, at the peak")
    parser.add_argument("--write", action="store_true", help="put the plans into docs/capacity.md")
    given = parser.parse_args(arguments)
    measured, assumed = load(), Assumptions()
    if given.write:
        PAGE.write_text(page(PAGE.read_text(), tables(measured, assumed)))
        return 0
    for name, value in plan(given.rate, measured, assumed).items():
        print(f"{name:>24}  {value}")
    return 0
