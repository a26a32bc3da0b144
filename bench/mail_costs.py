"""What one mail of a kind costs a stack: sends some, waits until they are filed, and looks.

Processor time is read from `/proc` (`bench/processes.py`), bytes from the disks, and requests to
mongod from the wire (`bench/counting_proxy.py`), which is done last, with some more mails.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymongo

from bench.counting_proxy import CountingProxies, Requests, per_mail
from bench.mail_kinds import PROFILES, Kind, mail
from bench.processes import ProcessMeter
from dev.client import Client
from dev.ledger import Ledger, Letter
from dev.senders import Senders
from dev.stack import Stack
from dev.terminal import say

_ACCOUNT = "bench"
_IDLE_SECONDS = 10.0
_SETTLE_SECONDS = 600.0
_AFTER_SECONDS = 0.5
"""What follows an outcome: the last acknowledgements and notices."""
_COUNTED_FROM, _QUEUED_FROM = 60_000, 100_020
"""The first numbers of mails that were not sent before; they begin a conversation."""
_DOCUMENTS, _INDEXES, _BLOBS = "(documents)", "(indexes)", "(blobs)"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one mail of a kind cost: milliseconds of a processor, bytes, and requests."""

    kind: str
    mails: int
    size: int
    cpu: dict[str, float]
    documents: float
    indexes: float
    blobs: float
    requests: dict[str, Requests]
    """That mongod received for it from each service, and what they had it write."""
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


def _bytes_in(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


class Desk:
    """Sends mails through a stack, and measures what they cost."""

    def __init__(self, stack: Stack, sessions: int, rate: float | None) -> None:
        self._stack, self._sessions, self._rate = stack, sessions, rate
        self.meter = ProcessMeter(stack)
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
        before = (self._sizes(), time.monotonic(), self.meter.cpu())
        self.send(kind, range(mails))
        self._until_filed(mails * kind.owners)
        seconds = time.monotonic() - before[1]
        cpu = {
            name: max(0.0, now - before[2][name] - idle[name] * seconds) / mails
            for name, now in self.meter.cpu().items()
        }
        grown = {name: (n - before[0].get(name, 0.0)) / mails for name, n in self._sizes().items()}
        size = sum(len(mail(kind, number)) for number in range(20)) // 20
        return Cost(
            kind.name,
            mails,
            size,
            cpu,
            documents=grown.pop(_DOCUMENTS),
            indexes=grown.pop(_INDEXES),
            blobs=grown.pop(_BLOBS),
            requests={},
            collections=grown,
        )

    def requests(self, kind: Kind, mails: int, proxies: CountingProxies) -> dict[str, Requests]:
        """Send mails of a kind through proxies; return what mongod received for one of them."""
        before = proxies.asked()
        self.send(kind, range(_COUNTED_FROM, _COUNTED_FROM + mails))
        self._until_filed(mails * kind.owners)
        time.sleep(_AFTER_SECONDS)
        asked = proxies.asked()
        return {name: per_mail(now.since(before[name]), mails) for name, now in asked.items()}

    def queued(self, kind: Kind, mails: int) -> float:
        """Stop the matcher; return the bytes on the broker's disk for each mail that waits."""
        (matcher,) = self._stack.of("matcher")
        folder = self._stack.folder / "rabbitmq"
        matcher.process.stop()
        before = _bytes_in(folder)
        self._rate = None
        self.send(kind, range(_QUEUED_FROM, _QUEUED_FROM + mails))
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
