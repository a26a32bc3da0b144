"""`make outage`: the broker, MongoDB or the blob store is unavailable while mail arrives.

Each part is taken away in two ways: stopped, and frozen (connected and silent). What must hold:

* every mail answered with 250 is found exactly once, nothing is a dead letter, no mail is refused
* no delivery attempt is burned: deliveries were never returned to their queue before, but once for
  what the broker itself lost hold of
* while the broker is unavailable every answer is 451, within its deadline; without MongoDB 250;
  without the blob store 250 for a small mail and 451, within its deadline, for a large one
* no service grows by more than GROWTH_MIB, and all flows again by itself

Prints a table, and JSON with `--json FILE`. Exits 0 when all of it held.
"""

import argparse
import asyncio
import json
import logging
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from chaos import bucket
from chaos.gauges import Watch, delivery_counts
from chaos.mail_server import MailServer, Try
from chaos.reconcile import Owner, Reckoning, dead_captures, reconcile
from dev.client import Client
from dev.generate import ROOT
from dev.ledger import Ledger
from dev.ports import free_port
from dev.process import Process
from dev.stack import Stack, own_databases
from dev.terminal import command, say
from shared.runtime.mistake import Mistake
from shared.storage.blobs import DEADLINE_SECONDS as BLOB_SECONDS

PARTS, WAYS = ("broker", "mongodb", "blobs"), ("stopped", "frozen")
GROWTH_MIB = 64.0
PUBLISH_SECONDS = 7.0
_SLACK_SECONDS = 2.0
_STILL_SECONDS = 60.0
"""When nothing more arrived for so long, what is missing is lost: a slow machine is only slow."""


@dataclass(frozen=True, slots=True)
class Report:
    """One outage, and how it ended."""

    part: str
    way: str
    seconds_away: float
    answers: dict[str, int]
    """While it was away: `small 250`, `large 451`, `small 0` for a lost connection."""
    slowest_answer: dict[str, float]
    """Seconds, by the same words."""
    reckoning: Reckoning
    unsent: int
    deliveries: dict[str, int]
    """By how often they had been returned to their queue before."""
    longest_queue: dict[str, int]
    growth_mib: dict[str, float]
    seconds_until_settled: float
    broken: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        """Return it for JSON."""
        return {
            "part": self.part,
            "way": self.way,
            "seconds_away": round(self.seconds_away, 1),
            "answers": self.answers,
            "slowest_answer": {word: round(s, 2) for word, s in self.slowest_answer.items()},
            **self.reckoning.as_dict(),
            "unsent": self.unsent,
            "deliveries": self.deliveries,
            "longest_queue": self.longest_queue,
            "growth_mib": {name: round(size, 1) for name, size in self.growth_mib.items()},
            "seconds_until_settled": round(self.seconds_until_settled, 1),
            "broken": self.broken,
        }


def outage(
    stack: Stack,
    store: Process,
    part: str,
    way: str,
    *,
    seconds: float,
    rate: float,
    before: float = 20.0,
    account: str = "outage",
) -> Report:
    """Take the part away for `seconds`, with `rate` mails a second from `before` on; reconcile."""
    take, give = _hands(stack, store, part, way)
    client = Client(stack.endpoints, stack.token_secret, account=account, person="u1")
    client.put_person("u1", "user", "Recruiter", ["recruiter@agency.example"])
    client.put_person("c1", "candidate", "Candidate", ["candidate@mail.example"])
    ledger = Ledger()
    ports = [replica.ports["INGEST_SMTP_PORT"] for replica in stack.of("ingest")]
    address = client.mint("u1")
    mail_server = MailServer(ledger, ports, address, rate=rate, sessions=20)
    watch = Watch(stack)
    watch.start()
    mail_server.start()
    time.sleep(before)
    taking = time.monotonic()
    take()
    away = time.monotonic()
    time.sleep(seconds)
    giving = time.monotonic()
    give()
    back = time.monotonic()
    mail_server.stop()
    reckoning = _settled(stack, {address: Owner(account, "u1")}, ledger, mail_server)
    settled = time.monotonic()
    watch.stop()
    tries = [t for t in mail_server.tries if t.at >= away and t.at + t.seconds < giving]
    slowest: dict[str, float] = {}
    for each in tries:
        slowest[_word(each)] = max(slowest.get(_word(each), 0.0), each.seconds)
    report = Report(
        part=part,
        way=way,
        seconds_away=giving - away,
        answers=dict(sorted(Counter(map(_word, tries)).items())),
        slowest_answer=dict(sorted(slowest.items())),
        reckoning=reckoning,
        unsent=mail_server.sent - len(ledger.receipts),
        deliveries=delivery_counts(stack),
        longest_queue=dict(watch.longest),
        growth_mib=watch.growth(taking),
        seconds_until_settled=settled - back,
    )
    report.broken.extend(_broken(report))
    return report


def _hands(
    stack: Stack, store: Process, part: str, way: str
) -> tuple[Callable[[], None], Callable[[], None]]:
    """Return what takes a part away and what brings it back."""
    servers = {"broker": stack.broker, "mongodb": stack.database}
    server = servers.get(part, store)
    if server is None:
        raise Mistake("it needs servers of its own: unset AMQP_URL and MONGODB_URL")
    if way == "frozen":
        return server.freeze, server.thaw

    def stop() -> None:
        server.stop()

    return stop, server.start


def _word(each: Try) -> str:
    return f"{'large' if each.large else 'small'} {each.code}"


def _settled(
    stack: Stack,
    owners: Mapping[str, Owner],
    ledger: Ledger,
    mail_server: MailServer,
) -> Reckoning:
    """Return the reckoning once all was brought and it is clean, or once nothing moves any more."""
    best, deadline = (0, 0), time.monotonic() + _STILL_SECONDS
    while True:
        dead = asyncio.run(dead_captures(stack.environment["AMQP_URL"], stack))
        reckoning = reconcile(stack, ledger, dead, owners)
        now = time.monotonic()
        if (reckoning.accepted, reckoning.found) > best:
            best, deadline = (reckoning.accepted, reckoning.found), now + _STILL_SECONDS
        if (reckoning.clean and not mail_server.waiting) or now > deadline:
            return reckoning
        time.sleep(1)


def _broken(report: Report) -> list[str]:
    """Return which promises were not kept."""
    small, large = {"broker": (451, 451), "mongodb": (250, 250), "blobs": (250, 451)}[report.part]
    expected = {f"small {small}", f"large {large}"}
    limit = BLOB_SECONDS if report.part == "blobs" else PUBLISH_SECONDS
    returns = max(map(float, report.deliveries), default=0.0)
    promises = {
        "every mail exactly once, none dead": report.reckoning.clean and not report.unsent,
        f"answers {' and '.join(sorted(expected))}": set(report.answers) == expected,
        f"answers within {limit:.0f} s": all(
            seconds <= limit + _SLACK_SECONDS for seconds in report.slowest_answer.values()
        ),
        "no attempt burned": returns <= (1 if report.part == "broker" else 0),
        f"at most {GROWTH_MIB:.0f} MiB more": all(
            size <= GROWTH_MIB for size in report.growth_mib.values()
        ),
    }
    return [promise for promise, kept in promises.items() if not kept]


def run(
    part: str, ways: Sequence[str], *, seconds: float, rate: float, replicas: int = 1
) -> list[Report]:
    """Return a report for each way in which the part was away, with a stack for each."""
    reports = []
    for way in ways:
        with (
            tempfile.TemporaryDirectory(prefix="satchel-outage-") as folder,
            stack_and_store(Path(folder), replicas) as (stack, store),
        ):
            say(f"{part} {way} for {seconds:.0f} s")
            report = outage(stack, store, part, way, seconds=seconds, rate=rate)
        say(f"{part} {way}: {', '.join(report.broken) or 'all held'}")
        reports.append(report)
    return reports


@contextmanager
def stack_and_store(folder: Path, replicas: int) -> Iterator[tuple[Stack, Process]]:
    """Run a stack whose blob store is a process of its own."""
    port = free_port()
    store = Process(
        [sys.executable, "-m", "chaos.bucket", str(port), f"{folder}/bucket"],
        log=folder / "logs" / "bucket.log",
        environment={"PATH": os.environ["PATH"]},
        folder=ROOT,
    )
    store.start()
    environment = own_databases() | bucket.settings(port)
    environment["PUBLISH_DEADLINE"] = str(PUBLISH_SECONDS)
    try:
        with Stack(folder, replicas=replicas, environment=environment) as stack:
            yield stack, store
    finally:
        store.kill()


def table(reports: Sequence[Report]) -> Table:
    """Return the reports as a table, a column each."""
    shown = Table(title="Outages", title_justify="left")
    shown.add_column("")
    rows: dict[str, list[str]] = {}
    for number, report in enumerate(reports):
        shown.add_column(f"{report.part} {report.way}", justify="right")
        for name, value in _cells(report).items():
            rows.setdefault(name, [""] * len(reports))[number] = value
    for name, cells in rows.items():
        shown.add_row(name, *cells)
    return shown


def _cells(report: Report) -> dict[str, str]:
    answers = {
        f"{word}: answers, slowest": f"{count}, {report.slowest_answer[word]:.2f} s"
        for word, count in report.answers.items()
    }
    counts = report.reckoning.as_dict()
    deliveries = (f"{count} x {returns}" for returns, count in report.deliveries.items())
    return {
        "seconds away": f"{report.seconds_away:.0f}",
        **answers,
        **{name.replace("_", " "): str(count) for name, count in counts.items()},
        "never taken": str(report.unsent),
        "deliveries x returned before": ", ".join(deliveries),
        **{f"longest {name}": str(count) for name, count in report.longest_queue.items()},
        **{f"{name}: MiB more": f"{size:.1f}" for name, size in report.growth_mib.items()},
        "seconds until all flowed": f"{report.seconds_until_settled:.1f}",
        "broken": "; ".join(report.broken) or "nothing",
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, and tell by the exit code."""
    parser = argparse.ArgumentParser(prog="make outage", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long each is unavailable")
    parser.add_argument("--of", choices=[*PARTS, "all"], default="all")
    parser.add_argument("--way", choices=[*WAYS, "both"], default="both")
    parser.add_argument("--rate", type=float, default=4.0, help="mails a second")
    parser.add_argument("--replicas", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the reports there too")
    given = parser.parse_args(arguments)
    logging.getLogger("aiormq").setLevel(logging.CRITICAL)  # it would report the outage
    parts = PARTS if given.of == "all" else (given.of,)
    ways = WAYS if given.way == "both" else (given.way,)
    with ThreadPoolExecutor(len(parts)) as side_by_side:  # they mostly wait
        runs = [
            side_by_side.submit(
                run,
                part,
                ways,
                seconds=given.minutes * 60,
                rate=given.rate,
                replicas=given.replicas,
            )
            for part in parts
        ]
    reports = [report for each in runs for report in each.result()]
    Console(width=None if sys.stdout.isatty() else 160).print(table(reports))
    if given.json:
        given.json.write_text(json.dumps([r.as_dict() for r in reports], indent=2) + "\n")
    return 1 if any(report.broken for report in reports) else 0


if __name__ == "__main__":
    sys.exit(command("make outage", main))
