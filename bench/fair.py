"""`make bench ARGS="fair"`: how long one account waits while another floods.

Account B sends a mail now and then; account A sends from many sessions as fast as ingest accepts.
It runs three times, each on a stack of its own: without A, with A, and with A but no ACCOUNT_RATE.
Printed are the time from B's 250 to visible, and how often B was told to retry.
"""

import argparse
import contextlib
import itertools
import smtplib
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.way.conversations import PlannedMail
from bench.way.load import Load, furnish, letter
from bench.way.visible import Visible
from dev.ledger import Ledger, Letter
from dev.senders import Senders
from dev.stack import Stack, own_databases
from dev.terminal import say

_SETTLE_SECONDS = 600
_PAUSE = 0.5
_LOAD = Load(size=2000, replies=0.0, accounts=2)


@dataclass(frozen=True, slots=True)
class Result:
    """One run."""

    name: str
    flood: int
    """Mails of A that were taken meanwhile."""
    waits: list[float]
    """Of B's mails, from 250 to visible, in seconds, sorted."""
    retries: int
    """Of B."""


class Flood:
    """Many sessions that send for one account, and do not slow down when they are told to."""

    def __init__(self, ports: Sequence[int], recipient: str, sessions: int) -> None:
        """Begin at once."""
        self._recipient, self._over = recipient, threading.Event()
        self._numbers = itertools.count()
        self.taken = 0
        self._threads = [
            threading.Thread(target=self._send, args=(ports[n % len(ports)],), daemon=True)
            for n in range(sessions)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Send no more."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _send(self, port: int) -> None:
        while not self._over.is_set():
            with (
                contextlib.suppress(OSError, smtplib.SMTPException),
                smtplib.SMTP("127.0.0.1", port, "flood.test", timeout=30) as session,
            ):
                session.ehlo()
                while not self._over.is_set():
                    raw = _letter(next(self._numbers), self._recipient).raw
                    session.sendmail("recruiter@agency.example", [self._recipient], raw)
                    self.taken += 1
            time.sleep(0.05)


def measure(stack: Stack, name: str, *, sessions: int, seconds: float) -> Result:
    """Flood, and send a mail now and then; return when the latter are visible."""
    captures = {
        account: furnish(stack, account, _LOAD.profiles) for account in ("flooding", "quiet")
    }
    visible = Visible(stack.environment["MONGODB_URL"], stack.environment["TIMELINE_DATABASE"])
    visible.start()
    ports = [replica.ports["INGEST_SMTP_PORT"] for replica in stack.of("ingest")]
    calm = Ledger()
    flood = Flood(ports, captures["flooding"], sessions)
    few = [_letter(n, captures["quiet"]) for n in range(int(seconds / _PAUSE))]
    quiet = Senders(few, calm, ports, sessions=1, rate=1 / _PAUSE)
    quiet.start()
    if not quiet.wait(_SETTLE_SECONDS):
        raise TimeoutError("the quiet account's mails were not taken")
    flood.stop()
    deadline = time.monotonic() + _SETTLE_SECONDS
    while not all(receipt.capture_id in visible.seen for receipt in calm.receipts):
        say(f"{name}: {len(visible.seen)} visible")
        time.sleep(1)
        if time.monotonic() > deadline:
            raise TimeoutError("the quiet account's mails did not become visible")
    visible.stop()
    waits = sorted(visible.seen[receipt.capture_id] - receipt.at for receipt in calm.receipts)
    return Result(name, flood.taken, waits, calm.retries)


def _letter(number: int, address: str) -> Letter:
    return letter(PlannedMail(number, 0, number), _LOAD, address, "fair")


def table(results: Sequence[Result], seconds: float) -> Table:
    """Return the results as a table."""
    shown = Table(title=f"Two accounts, {seconds:.0f} s", title_justify="left")
    for column in ("", "of A taken", "B: p50", "p95", "most", "ratio of p50", "B told to wait"):
        shown.add_column(column, justify="right" if column else "left")
    base = results[0].waits[len(results[0].waits) // 2]
    for result in results:
        waits = result.waits
        times = (waits[len(waits) // 2], waits[int(len(waits) * 0.95)], waits[-1])
        shown.add_row(
            result.name,
            f"{result.flood:,}",
            *(f"{at * 1000:,.0f} ms" for at in times),
            f"{times[0] / base:.1f}",
            f"{result.retries}",
        )
    return shown


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--sessions", type=int, default=20, help="of the account that floods")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rate", default="20", help="ACCOUNT_RATE")
    parser.add_argument("--burst", default="50", help="ACCOUNT_BURST")
    given = parser.parse_args(arguments)
    limit = {"ACCOUNT_RATE": given.rate, "ACCOUNT_BURST": given.burst}
    results = []
    for name, sessions, settings in (
        ("B alone", 0, limit),
        ("A floods", given.sessions, limit),
        ("A floods, no limit", given.sessions, {"ACCOUNT_RATE": "0"}),
    ):
        say(f"{name}:")
        with (
            tempfile.TemporaryDirectory(prefix="satchel-bench-") as folder,
            Stack(Path(folder), environment=own_databases() | settings, say=say) as stack,
        ):
            results.append(measure(stack, name, sessions=sessions, seconds=given.seconds))
    Console(width=None if sys.stdout.isatty() else 100).print(table(results, given.seconds))
    return 0
