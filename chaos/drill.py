"""`make drill`: a backup taken under load, everything wiped, everything restored, and counted.

Mail comes in all the while. Matcher and timeline are stopped with their hands full, so that each
queue holds mail, large ones' claims too; `ops.backup` runs; they start again as soon as it lets
them, and mail goes on. Then all is stopped and deleted, `ops.restore` fills new servers, and:

* every mail that was accepted before the backup began is found exactly once;
* the audit, given the receipts that outlived it (as those in a bucket do), names each mail that
  came too late for the copy, and no other.

`--sabotage` makes it wrong on purpose, which must be noticed: `databases-first` copies in the wrong
order, `blob` loses one mail's bytes.
"""

import argparse
import asyncio
import itertools
import json
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pymongo
from rich.console import Console
from rich.table import Table

from chaos.letters import letters
from chaos.reconcile import Owner, Reckoning, dead_captures, drained, reconcile
from dev.client import Client
from dev.generate import ROOT
from dev.ledger import Ledger
from dev.senders import Senders
from dev.stack import Stack
from dev.terminal import command, say
from ops import documents
from ops.backup import backup
from ops.command import Places, read_manifest
from ops.restore import restore
from services.timeline.admin.audit import BROKEN
from shared.broker import depths
from shared.contracts.receipts import RECEIPT_PREFIX, decode
from shared.contracts.topology import OUTCOMES, RECEIVED, Queue
from shared.runtime.mistake import Mistake
from shared.storage.blob_keys import MAIL_PREFIX
from shared.storage.blobs import Blobs

ACCOUNT = "drill"
_CANDIDATE, _USER = "candidate@mail.example", "recruiter@agency.example"
_SESSIONS = 10
_PATIENCE_SECONDS, _QUIET_SECONDS = 180, 5
SABOTAGES = ("databases-first", "blob")


@dataclass(frozen=True, slots=True)
class Report:
    """What was there, and what came back."""

    backup: dict[str, Any]
    """Messages in the queues, claims, documents."""
    before: Reckoning
    """Of the mails that were accepted before the backup began."""
    accepted: int
    """Mails in all."""
    missing: int
    """Accepted after it began, and in no copy."""
    named: int
    """Gaps and missing blobs that the audit names."""
    false_gaps: int
    """Gaps that it names, of mails that are there."""
    unnamed: int
    """Missing mails that have a receipt, and that it does not name."""
    missing_blobs: int

    @property
    def clean(self) -> bool:
        """Whether the order lost nothing, and the audit told the truth."""
        wrong = self.false_gaps + self.unnamed + self.missing_blobs
        return self.before.clean and self.before.found == self.before.accepted and wrong == 0


def drill(
    folder: Path,
    *,
    mails: int,
    rate: float,
    backlog: int,
    sabotage: str | None = None,
    say: Callable[[str], None] = say,
) -> Report:
    """Play it once, in a new folder."""
    environment = {
        "CAPTURE_KEYS": f"dev:{secrets.token_urlsafe(32)}",
        "TOKEN_SECRET": secrets.token_urlsafe(48),
        "RECEIPT_SECONDS": "0.5",
    }
    copy = folder / "backup"
    with Stack(folder / "first", replicas=2, environment=environment, say=say) as stack:
        first = _FirstLife(stack, mails, rate, say)
        begun = first.copied(copy, backlog, in_wrong_order=sabotage == "databases-first")
        first.end()
    receipts = folder / "receipts"
    shutil.copytree(folder / "first" / "blobs" / RECEIPT_PREFIX, receipts)
    shutil.rmtree(folder / "first")
    say("everything is stopped and deleted; restoring")
    if sabotage == "blob":
        next(path for path in (copy / "blobs" / MAIL_PREFIX).rglob("*") if path.is_file()).unlink()
    with Stack(folder / "second", replicas=2, environment=environment, say=say) as stack:
        for replica in stack.replicas:
            replica.process.stop()
        asyncio.run(restore(_places(stack), copy))
        kept = folder / "second" / "blobs" / RECEIPT_PREFIX
        shutil.copytree(receipts, kept, dirs_exist_ok=True)
        for replica in stack.replicas:
            replica.start()
        for replica in stack.replicas:
            replica.await_ready()
        _run(stack, "services.matcher", "--republish")
        before = Ledger([receipt for receipt in first.ledger.receipts if receipt.at < begun])
        reckoning = _settled(stack, before, first.owners)
        missing = {r.capture_id for r in first.ledger.receipts} - _outcomes(stack)
        found = _audit(stack)
        known = asyncio.run(_receipts(stack))
    gaps = {finding["what"] for finding in found if finding["kind"] == "gap"}
    return Report(
        backup=read_manifest(copy),
        before=reckoning,
        accepted=len(first.ledger.receipts),
        missing=len(missing),
        named=len(gaps),
        false_gaps=len(gaps - missing),
        unnamed=len(missing & known - gaps),
        missing_blobs=sum(finding["kind"] == "blob_missing" for finding in found),
    )


class _FirstLife:
    """The stack that is lost: mail comes in from the beginning to the end."""

    def __init__(self, stack: Stack, mails: int, rate: float, say: Callable[[str], None]) -> None:
        self._stack, self._mails, self._say = stack, mails, say
        client = Client(stack.endpoints, stack.token_secret, account=ACCOUNT, person="u1")
        client.put_person("u1", "user", "Recruiter", [_USER])
        client.put_person("c1", "candidate", "Candidate", [_CANDIDATE])
        address = client.mint("u1")
        self.owners = {address: Owner(ACCOUNT, "u1")}
        self.ledger = Ledger()
        mail = letters(1, sender=_USER, candidates=[_CANDIDATE], addresses=[[address]])
        self._senders = Senders(
            itertools.islice(mail, mails),
            self.ledger,
            [replica.ports["INGEST_SMTP_PORT"] for replica in stack.of("ingest")],
            sessions=_SESSIONS,
            rate=rate,
        )
        client.close()
        self._senders.start()

    def copied(self, folder: Path, backlog: int, *, in_wrong_order: bool) -> float:
        """Make a backup while each queue holds that many; return when it began (monotonic)."""
        self._until("a quarter is accepted", lambda: self._accepted() >= self._mails / 4)
        self._stop("timeline")
        self._until("outcomes wait", lambda: self._waiting(OUTCOMES) >= backlog)
        if not in_wrong_order:
            self._stop("matcher")
            self._until("received mail waits", lambda: self._waiting(RECEIVED) >= backlog)
            begun = time.monotonic()
            self._say(f"{self._accepted():>6} of {self._mails} accepted; the backup begins")
            asyncio.run(backup(_places(self._stack), folder, settle=0, released=self._release))
            return begun
        begun = time.monotonic()
        early, places = folder.with_name("early"), _places(self._stack)
        databases = [places.timeline_database, places.matcher_database]
        saved = documents.save(places.mongodb_url, databases, early)
        self._start("timeline")
        self._until("outcomes are written", lambda: self._waiting(OUTCOMES) < backlog / 4)
        self._stop("timeline")
        self._stop("matcher")

        def too_early(_: str, __: Sequence[str], target: Path) -> dict[str, dict[str, int]]:
            shutil.copytree(early, target)
            return saved

        with patch.object(documents, "save", too_early):
            asyncio.run(backup(places, folder, settle=0, released=self._release))
        return begun

    def end(self) -> None:
        """Wait until all mail is accepted."""
        if not self._senders.wait(_PATIENCE_SECONDS):
            raise TimeoutError(f"only {self._accepted()} of {self._mails} mails were accepted")

    def _accepted(self) -> int:
        return len(self.ledger.receipts)

    def _release(self) -> None:
        self._start("matcher")
        self._start("timeline")

    def _start(self, service: str) -> None:
        for replica in self._stack.of(service):
            replica.start()

    def _stop(self, service: str) -> None:
        for replica in self._stack.of(service):
            replica.process.stop()

    def _waiting(self, queue: Queue) -> int:
        found = asyncio.run(depths(self._stack.environment["AMQP_URL"], [queue])) or {}
        return found[queue.name].messages if queue.name in found else 0

    def _until(self, what: str, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not condition():
            if not self._senders.sending or time.monotonic() > deadline:
                raise Mistake(f"{what}: not before the mails ran out; send more, or faster")
            time.sleep(0.05)


def _places(stack: Stack) -> Places:
    where = {name.lower(): value for name, value in stack.environment.items()}
    return Places.model_validate(where)


def _run(stack: Stack, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *words],
        env=stack.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def _settled(stack: Stack, before: Ledger, owners: Mapping[str, Owner]) -> Reckoning:
    """Return the reckoning once nothing was under way for a while."""
    if stack.broker is None:
        raise Mistake("the drill loses its servers, so it needs its own: unset AMQP_URL")
    quiet_since: float | None = None
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        now = time.monotonic()
        quiet_since = (quiet_since or now) if drained(stack.broker) else None
        if (quiet_since is not None and now - quiet_since > _QUIET_SECONDS) or now > deadline:
            dead = asyncio.run(dead_captures(stack.broker.url, stack))
            return reconcile(stack, before, dead, owners)
        time.sleep(0.5)


def _outcomes(stack: Stack) -> set[str]:
    places = _places(stack)
    with pymongo.MongoClient[dict[str, Any]](places.mongodb_url) as client:
        return {o["_id"] for o in client[places.timeline_database].outcomes.find({}, {"_id": 1})}


async def _receipts(stack: Stack) -> set[str]:
    """Return the captures that there is a receipt of."""
    blobs = Blobs(stack.environment["BLOB_URL"])
    keys = [blob.key async for batch in blobs.listed(RECEIPT_PREFIX) for blob in batch]
    return {str(r.capture_id) for key in keys for r in decode(await blobs.get(key))}


def _audit(stack: Stack) -> list[dict[str, Any]]:
    """Return what the audit finds; nothing is under way any more."""
    done = _run(stack, "services.timeline", "--audit", "--json", "--grace", "0")
    if done.returncode == 2:
        raise Mistake(f"the audit failed: {done.stderr}")
    *found, totals = [json.loads(line) for line in done.stdout.splitlines()]
    broken = any(finding["kind"] in BROKEN for finding in found)
    if done.returncode != int(broken) or "totals" not in totals:
        raise Mistake(f"the audit ended with {done.returncode}: {totals}")
    return found


def table(report: Report) -> Table:
    """Return the report as a table."""
    shown = Table(title="Backup and restore", title_justify="left")
    shown.add_column("")
    shown.add_column("count", justify="right")
    for queue, count in report.backup["messages"].items():
        shown.add_row(f"copied from {queue}", str(count))
    shown.add_row("claims copied", str(report.backup["claims"]))
    shown.add_section()
    for name, count in report.before.as_dict().items():
        shown.add_row(f"before the backup: {name.replace('_', ' ')}", str(count))
    shown.add_section()
    shown.add_row("accepted in all", str(report.accepted))
    shown.add_row("in no copy", str(report.missing))
    shown.add_row("gaps that the audit names", str(report.named))
    shown.add_row("  of mails that are there", str(report.false_gaps))
    shown.add_row("missing with a receipt, not named", str(report.unnamed))
    shown.add_row("missing raw bytes that it names", str(report.missing_blobs))
    return shown


def main(arguments: Sequence[str] | None = None) -> int:
    """Play it, print, and tell by the exit code."""
    parser = argparse.ArgumentParser(prog="make drill", description=__doc__)
    parser.add_argument("--mails", type=int, default=4000)
    parser.add_argument("--rate", type=float, default=80.0, help="mails a second")
    parser.add_argument("--backlog", type=int, default=300, help="messages in each queue")
    parser.add_argument("--sabotage", choices=SABOTAGES, help="make it wrong on purpose")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="satchel-drill-") as folder:
        report = drill(
            Path(folder),
            mails=given.mails,
            rate=given.rate,
            backlog=given.backlog,
            sabotage=given.sabotage,
        )
    Console(width=None if sys.stdout.isatty() else 100).print(table(report))
    return 0 if report.clean else 1


if __name__ == "__main__":
    sys.exit(command("make drill", main))
