"""How soon a mail is visible in one stack: alone while it is idle, at full rate, at half of it.

A figure in milliseconds says as much about the machine as about Satchel. So each has a ratio beside
it, to the median of mails that had the same stack to themselves a moment before.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.way.load import Load
from bench.way.run import Waits, Way, enlarge_cache, watching
from dev.stack import Stack

_WARM_MAILS, _ALONE = 300, 100
_PAUSE_SECONDS = 0.1
"""Between mails that have the stack to themselves: all that follows the last one is done."""


@dataclass(frozen=True, slots=True)
class Latency:
    """How soon mails were visible at a rate."""

    title: str
    rate: float
    """Mails a second that became visible."""
    waits: Waits


def measure_latencies(stack: Stack, load: Load, *, sessions: int) -> list[Latency]:
    """Return what it took alone, at full rate, at half of it, and alone once more."""
    if stack.database is not None:
        enlarge_cache(stack.database.url)
    with watching(stack) as visible:
        way = Way(stack, load, sessions, visible)
        way.send(_WARM_MAILS, "warm")
        alone = _alone(way, "alone")
        full = _all(way, "as many as possible", load.mails)
        half = _all(way, "half of that", load.mails, rate=full.rate / 2)
        return [alone, full, half, _alone(way, "alone again")]


def _alone(way: Way, title: str) -> Latency:
    begun, receipts = time.monotonic(), []
    for number in range(_ALONE):
        receipts += way.send(1, f"{title} {number}".replace(" ", "."))[1]
        time.sleep(_PAUSE_SECONDS)
    return Latency(title, _ALONE / (time.monotonic() - begun), way.waits(receipts))


def _all(way: Way, title: str, mails: int, rate: float | None = None) -> Latency:
    started, receipts = way.send(mails, title.replace(" ", "."), rate=rate)
    waits = way.waits(receipts)
    return Latency(title, mails / (waits.last - started), waits)


def latencies(measured: Sequence[Latency]) -> str:
    """Return the table in Markdown. The ratios are to the first line's median."""
    idle = measured[0].waits.p50
    lines = [
        "| mails are sent | visible /s | p50 ms | p95 ms | p99 ms | p50 and p99 by the first p50 |",
        "|---|---|---|---|---|---|",
    ]
    for one in measured:
        shown = [one.waits.p50, one.waits.p95, one.waits.p99]
        ratios = f"{one.waits.p50 / idle:.1f}, {one.waits.p99 / idle:.1f}"
        figures = " | ".join(f"{seconds * 1000:,.0f}" for seconds in shown)
        lines.append(f"| {one.title} | {one.rate:,.1f} | {figures} | {ratios} |")
    return "\n".join(lines)
