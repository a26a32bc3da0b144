"""One load through a whole stack: rates, latencies, processor time, requests to mongod.

1. Some mails warm the processes up.
2. The timed run: all mails, from the first connection to the last visible outcome. What processes
   use in that time is divided by the mails; what they use at rest is in it, and little.
3. The counted run: matcher and timeline are started again behind counting proxies
   (`bench/counting_proxy.py`) and get some mails of the same load. It is not timed.

Processor time and requests are there when the stack started broker and database itself. Such a
database gets a cache as a small server has it: with the 256 MB of development, 64 transactions that
write the search terms of 30 KB each stop mongod, since none of what they changed can be evicted.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import pymongo

from bench.counting_proxy import Requests, counting, per_mail
from bench.processes import ProcessMeter
from bench.way.broker_alone import broker_alone
from bench.way.load import Load, account_name, furnish, letters
from bench.way.visible import Visible
from dev.ledger import Ledger, Letter, Receipt
from dev.local_http import get
from dev.senders import Senders
from dev.stack import Stack
from dev.terminal import say
from shared.runtime.mistake import Mistake

_WARM_MAILS, _LEAST_PUBLISHED = 64, 2000
_SETTLE_SECONDS, _POLL_SECONDS = 600.0, 0.1
_CACHE = "cache_size=1G"
_AFTER_SECONDS = 0.5
"""What follows an outcome: the last acknowledgements and notices."""


@dataclass(frozen=True, slots=True)
class Waits:
    """From the 250 to visible, in seconds."""

    p50: float
    p95: float
    p99: float
    last: float
    """When the last mail became visible, by this machine's monotonic clock."""

    @classmethod
    def of(cls, receipts: Sequence[Receipt], seen: Mapping[str, float]) -> Self:
        """Return the waits of these mails, each of which was `seen` at a time, by capture id."""
        seconds = sorted(seen[receipt.capture_id] - receipt.at for receipt in receipts)
        return cls(
            p50=seconds[len(seconds) // 2],
            p95=seconds[int(len(seconds) * 0.95)],
            p99=seconds[int(len(seconds) * 0.99)],
            last=max(seen[receipt.capture_id] for receipt in receipts),
        )


@dataclass(frozen=True, slots=True)
class Result:
    """One load. Rates are in mails a second, latencies in seconds from the 250 to visible."""

    title: str
    load: Load
    sessions: int
    replicas: int
    broker_alone: float
    """Confirmed publishes a second of the same size, nothing else running."""
    accepted: float
    visible: float
    p50: float
    p95: float
    p99: float
    cpu: dict[str, float]
    """Milliseconds of a processor for a mail, by process."""
    counted: int
    """Mails of the counted run."""
    requests: dict[str, Requests]
    """That mongod received for a mail, by service."""
    rate: float | None = None
    """Mails sent a second; None: as many as possible."""
    conflicts: float | None = None
    """Of the timelines with each other, for a mail."""


class Way:
    """Sends loads through a stack and follows them."""

    def __init__(self, stack: Stack, load: Load, sessions: int, visible: Visible) -> None:
        self._stack, self._load, self._sessions = stack, load, sessions
        self._visible = visible
        self._addresses = [
            furnish(stack, account_name(number), load.profiles) for number in range(load.accounts)
        ]

    def send(
        self, mails: int, name: str, *, rate: float | None = None
    ) -> tuple[float, list[Receipt]]:
        """Return when all of these mails are visible: when the first was sent, and the receipts.

        Sends as fast as the sessions can, or `rate` mails a second.
        """
        return self.send_letters(self.letters(mails, name), name, rate=rate)

    def letters(self, mails: int, name: str) -> list[Letter]:
        """Return so many mails of the load."""
        return list(letters(self._load.of(mails), self._addresses, name))

    def send_letters(
        self, written: Sequence[Letter], name: str, *, rate: float | None = None
    ) -> tuple[float, list[Receipt]]:
        """Send these mails as `send` does."""
        ledger = Ledger()
        ports = [replica.ports["INGEST_SMTP_PORT"] for replica in self._stack.of("ingest")]
        due = written if rate is None else paced(written, rate)
        senders = Senders(due, ledger, ports, sessions=self._sessions)
        started = time.monotonic()
        senders.start()
        while (now := self._seen_of(ledger)) < len(written):
            time.sleep(_POLL_SECONDS)
            say(f"{name}: {len(ledger.receipts):>6} accepted {now:>6} visible of {len(written)}")
            if ledger.refused:
                raise Mistake(f"a mail was refused: {ledger.refused[0]}")
            if time.monotonic() - started > _SETTLE_SECONDS:
                raise TimeoutError(f"only {now} of {len(written)} mails became visible")
        senders.wait(_SETTLE_SECONDS)
        return started, ledger.receipts

    def _seen_of(self, ledger: Ledger) -> int:
        """Return how many mails are visible, each once, however often it was sent."""
        return sum(receipt.capture_id in self._visible.seen for receipt in ledger.receipts)

    def waits(self, receipts: Sequence[Receipt]) -> Waits:
        """Return how long mails took from their 250 to visible."""
        return Waits.of(receipts, self._visible.seen)


@contextmanager
def watching(stack: Stack) -> Iterator[Visible]:
    """Watch the outcomes of a stack."""
    visible = Visible(stack.environment["MONGODB_URL"], stack.environment["TIMELINE_DATABASE"])
    visible.start()
    try:
        yield visible
    finally:
        visible.stop()


def measure(
    stack: Stack, load: Load, *, sessions: int, counted: int, rate: float | None = None
) -> Result:
    """Send the load through a fresh stack, then `counted` mails of it; return what it took.

    `rate` is how many mails a second are sent in the timed run; None: as many as possible.
    """
    if stack.database is not None:
        enlarge_cache(stack.database.url)
    published = max(load.mails, _LEAST_PUBLISHED)
    alone = broker_alone(stack, size=load.size, count=published, concurrent=sessions)
    with watching(stack) as visible:
        way = Way(stack, load, sessions, visible)
        way.send(min(_WARM_MAILS, load.mails), "warm")
        meter = ProcessMeter(stack)
        before = meter.cpu()
        started, receipts = way.send(load.mails, "timed", rate=rate)
        cpu = {name: (now - before[name]) / load.mails for name, now in meter.cpu().items()}
        waits, conflicts = way.waits(receipts), conflicts_of(stack) / load.mails
        requests = _counted(stack, way, counted) if stack.database and counted else {}
    return Result(
        title=load.title,
        load=load,
        sessions=sessions,
        replicas=len(stack.of("ingest")),
        broker_alone=alone,
        accepted=load.mails / (max(receipt.at for receipt in receipts) - started),
        visible=load.mails / (waits.last - started),
        p50=waits.p50,
        p95=waits.p95,
        p99=waits.p99,
        cpu=cpu,
        counted=counted if requests else 0,
        requests=requests,
        rate=rate,
        conflicts=conflicts,
    )


def paced(letters: Iterable[Letter], rate: float) -> Iterator[Letter]:
    """Yield each letter when it is due: `rate` a second, however far the earlier ones are."""
    begun = time.monotonic()
    for number, letter in enumerate(letters):
        time.sleep(max(0.0, begun + number / rate - time.monotonic()))
        yield letter


def conflicts_of(stack: Stack) -> float:
    """Return how often the timelines have met each other in a write, since they were started."""
    return sum(
        sample(
            get(f"http://127.0.0.1:{replica.http_port}/metrics").text,
            "satchel_batch_conflicts_total",
        )
        for replica in stack.of("timeline")
    )


def sample(metrics: str, name: str) -> float:
    """Return the value of a metric without labels. Raises LookupError when it is not there."""
    for line in metrics.splitlines():
        if line.startswith(f"{name} "):
            return float(line.rpartition(" ")[2])
    raise LookupError(name)


def enlarge_cache(url: str) -> None:
    """Give a development server the cache of a small production server."""
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        client.admin.command("setParameter", 1, wiredTigerEngineRuntimeConfig=_CACHE)


def _counted(stack: Stack, way: Way, mails: int) -> dict[str, Requests]:
    """Return what mongod receives from each service for a mail, over so many mails."""
    with counting(stack) as proxies:
        way.send(min(_WARM_MAILS, mails), "warm-again")
        time.sleep(_AFTER_SECONDS)
        before = proxies.asked()
        way.send(mails, "counted")
        time.sleep(_AFTER_SECONDS)
        asked = proxies.asked()
    return {name: per_mail(now.since(before[name]), mails) for name, now in asked.items()}
