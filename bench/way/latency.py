"""How soon a mail is visible in one stack: alone while it is idle, at full rate, at half of it; and
how soon a search finds it.

A figure in milliseconds says as much about the machine as about Satchel. So each has a ratio beside
it, to the median of mails that had the same stack to themselves a moment before.
"""

import secrets
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from bench.way.load import Load, account_name
from bench.way.run import Waits, Way, enlarge_cache, watching
from dev.client import Client
from dev.stack import Stack

_WARM_MAILS, _ALONE, _SEARCHED = 300, 100, 40
_PAUSE_SECONDS = 0.1
"""Between mails that have the stack to themselves: all that follows the last one is done."""
_LOOK_SECONDS = 0.002


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
        return [
            alone,
            full,
            half,
            _alone(way, "alone again"),
            _searched(stack, way, "alone, until a search finds it"),
        ]


def _alone(way: Way, title: str) -> Latency:
    begun, receipts = time.monotonic(), []
    for number in range(_ALONE):
        receipts += way.send(1, f"{title} {number}".replace(" ", "."))[1]
        time.sleep(_PAUSE_SECONDS)
    return Latency(title, _ALONE / (time.monotonic() - begun), way.waits(receipts))


def _searched(stack: Stack, way: Way, title: str) -> Latency:
    """Return how soon a search finds mails that have the stack to themselves, and the searches."""
    begun, receipts, found = time.monotonic(), [], {}
    user = Client(stack.endpoints, stack.token_secret, account=account_name(0), person="u1")
    with closing(user) as client:
        for _ in range(_SEARCHED):
            word = f"zq{secrets.token_hex(6)}"
            [letter] = way.letters(1, word)
            search = _Search(client, word)
            search.start()
            raw = letter.raw + f"\r\n{word}\r\n".encode()
            _, [receipt] = way.send_letters([replace(letter, raw=raw)], word)
            search.join()
            receipts.append(receipt)
            found[receipt.capture_id] = search.found_at
            time.sleep(_PAUSE_SECONDS)
    return Latency(title, _SEARCHED / (time.monotonic() - begun), Waits.of(receipts, found))


class _Search(threading.Thread):
    """Searches for a word until a mail has it."""

    def __init__(self, client: Client, word: str) -> None:
        super().__init__(daemon=True)
        self._client, self._word = client, word
        self.found_at = 0.0
        """By this machine's monotonic clock."""

    def run(self) -> None:
        """Search."""
        while not self._client.inbox(q=self._word):
            time.sleep(_LOOK_SECONDS)
        self.found_at = time.monotonic()


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
