"""The `--audit` command: its arguments, its output and its exit code.

Findings go to standard output as they are found, followed by the totals. Progress goes to standard
error. The exit code is 0 if every promise is kept, 1 if one is broken, 2 if the audit could not be
completed.
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from services.timeline.admin.audit import BROKEN, Finding, Findings
from services.timeline.admin.audit.blobs import BlobAudit
from services.timeline.admin.audit.captures import CaptureAudit, Period
from services.timeline.settings import TimelineSettings
from shared.broker import depths
from shared.contracts.topology import QUEUES
from shared.runtime.mistake import Mistake
from shared.runtime.progress import Progress
from shared.storage.blob_keys import RETENTION
from shared.storage.blobs import Blobs, BlobStoreAway
from shared.storage.database import DatabaseAway, connect, database_errors

OPTIONS = """\
  --audit [--from TIME] [--to TIME] [--grace MINUTES] [--without-blobs] [--sweep-orphans] [--json]
      compare what ingest accepted with what became of it, name what is missing, and exit with
      0 if nothing is, 1 if something is, 2 if the audit could not be completed. TIME is ISO 8601,
      in UTC unless it has an offset; by default the audit covers the time for which dead letters
      are kept. Captures younger than the grace (15) count as under way. --without-blobs checks
      captures only. --sweep-orphans deletes raw bytes that no record names and that are older than
      28 days. --json writes one JSON object per line: each finding, then the totals

"""
_TITLES = {
    "receipts": "receipts",
    "attached": "  attached",
    "dismissed": "  dismissed",
    "confirmation": "  confirmations",
    "round_trip": "  round trips",
    "quarantined": "  in quarantine",
    "dead": "  dead letters",
    "dropped": "  dead letters, dropped",
    "erased": "  of erased accounts",
    "under_way": "  under way",
    "gap": "  GAPS: no outcome",
    "without_receipt": "outcomes without a receipt",
    "damaged_receipts": "DAMAGED receipt objects",
    "contents": "stored contents",
    "blob_missing": "  MISSING raw bytes",
    "raw_mails": "raw bytes in the database",
    "blobs": "raw bytes in the blob store",
    "orphan_blob": "  without a content",
    "swept": "  deleted",
    "claims": "claims",
    "orphan_claim": "  without a waiting capture",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """The arguments of the command."""

    period: Period
    blobs: bool
    sweep: bool
    json: bool

    @classmethod
    def parse(cls, arguments: Sequence[str], most: timedelta = RETENTION) -> "Wanted":
        """Read the words of the command line; raise Mistake.

        `most` is how long dead letters are kept: of longer ago, what is missing may have been one.
        """
        parser = argparse.ArgumentParser(prog="timeline", add_help=False, allow_abbrev=False)
        parser.add_argument("--audit", action="store_true", required=True)
        parser.add_argument("--from", dest="first", type=_moment)
        parser.add_argument("--to", dest="end", type=_moment)
        parser.add_argument("--grace", type=float, default=15.0)
        parser.add_argument("--without-blobs", action="store_true")
        parser.add_argument("--sweep-orphans", action="store_true")
        parser.add_argument("--json", action="store_true")
        given = parser.parse_args(arguments)
        now = datetime.now(UTC)
        kept = now - most
        period = Period(
            given.first or kept, given.end or now, now - timedelta(minutes=max(given.grace, 0.0))
        )
        if period.first < kept - timedelta(minutes=1):
            raise Mistake(
                f"dead letters are kept for {most.days} days: use --from {kept:%FT%TZ} or later"
            )
        if period.first >= period.end:
            raise Mistake("--from must be before --to")
        if given.without_blobs and given.sweep_orphans:
            raise Mistake("--sweep-orphans cannot be used with --without-blobs")
        return cls(period, not given.without_blobs, given.sweep_orphans, given.json)


class Audit:
    """One run of the command."""

    def __init__(self, settings: TimelineSettings, wanted: Wanted) -> None:
        self._settings, self._wanted = settings, wanted
        self._tally = Counter[str]()
        self.code = 2

    async def run(self, stopping: asyncio.Event) -> None:
        """Run the audit and set `code`."""
        try:
            with database_errors():
                work = asyncio.ensure_future(self._audit())
                stop = asyncio.ensure_future(stopping.wait())
                await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
                stop.cancel()
                if not work.done():
                    work.cancel()
                    sys.stderr.write("\ninterrupted\n")
                    return
                work.result()
        except (DatabaseAway, BlobStoreAway) as away:
            what = "database" if isinstance(away, DatabaseAway) else "blob store"
            sys.stderr.write(f"\ntimeline: the {what} does not answer ({away})\n")
            return
        found = await depths(self._settings.amqp_url, QUEUES)
        waiting = {queue: there.messages for queue, there in (found or {}).items()}
        self._say_totals(None if found is None else waiting)
        self.code = 1 if any(self._tally[kind] for kind in BROKEN) else 0

    async def _audit(self) -> None:
        settings, wanted = self._settings, self._wanted
        blobs = Blobs(settings.blob_url)
        async with connect(settings.mongodb_url, "timeline audit") as client:
            database = client[settings.timeline_database]
            captures = CaptureAudit(database, blobs, wanted.period)
            progress = Progress("hours of receipts", len(list(wanted.period.hours())))
            await self._say_all(captures.run(progress.step))
            progress.end()
            self._tally.update(captures.tally)
            if not wanted.blobs:
                return
            stored = BlobAudit(database, blobs, wanted.period.settled)
            progress = Progress("contents", await stored.count())
            await self._say_all(stored.missing(progress.step))
            progress.end()
            await self._say_all(stored.dead_letters())
            await self._say_all(stored.quarantine())
            await self._say_all(stored.orphans(sweep=wanted.sweep))
            await self._say_all(stored.claims())
            self._tally.update(stored.tally)

    async def _say_all(self, findings: Findings) -> None:
        async for finding in findings:
            text = json.dumps(finding.as_dict()) if self._wanted.json else _line(finding)
            sys.stdout.write(f"{text}\n")

    def _say_totals(self, waiting: dict[str, int] | None) -> None:
        """Say what was counted, and what the broker holds: a gap may be waiting there."""
        if self._wanted.json:
            period = self._wanted.period
            totals: dict[str, Any] = {title: self._tally[title] for title in _TITLES}
            about = {"from": period.first.isoformat(), "to": period.end.isoformat()}
            sys.stdout.write(json.dumps({"totals": totals, "queues": waiting, **about}) + "\n")
            return
        always = {"receipts", "gap"} | (
            {"contents", "blob_missing"} if self._wanted.blobs else set()
        )
        for name, title in _TITLES.items():
            if self._tally[name] or name in always:
                sys.stdout.write(f"{title:<32}{self._tally[name]:>12,}\n")
        if waiting is None:
            sys.stdout.write("the broker does not answer: the backlog is unknown\n")
        for name, count in (waiting or {}).items():
            if count:
                sys.stdout.write(f"{f'waiting in {name}':<32}{count:>12,}\n")


def _line(finding: Finding) -> str:
    at = f"{finding.at:%Y-%m-%d %H:%M:%S}Z" if finding.at else ""
    words = (finding.kind.replace("_", " "), finding.what, at, finding.account, finding.note)
    return "  ".join(word for word in words if word)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
