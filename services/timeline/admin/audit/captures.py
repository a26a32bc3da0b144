"""Receipts against outcomes and dead letters, and outcomes against receipts."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.timeline.admin.audit import Finding, Findings
from services.timeline.admin.audit.pages import Part, pages
from services.timeline.admin.dead_letters.letter import StoredLetter
from services.timeline.query.parts import fields_of, records_of
from services.timeline.write.erased_accounts import ErasedAccounts
from services.timeline.write.records import Outcome, Record
from shared.contracts.capture_id import moment_of
from shared.contracts.receipts import Receipt, day_prefix, decode, first_id, is_of_hour
from shared.storage.blobs import BlobMissing, Blobs
from shared.storage.database import Database

_AT_ONCE = 1000
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Period:
    """The period that the audit covers."""

    first: datetime
    end: datetime
    """The first moment that is not."""
    settled: datetime
    """What is older is expected to have an outcome."""

    def hours(self) -> Iterator[datetime]:
        """Return the hours that overlap with the period, by their beginnings."""
        hour = self.first.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        while hour < self.end:
            yield hour
            hour += _HOUR

    def has(self, moment: datetime) -> bool:
        """Return whether the moment is in the period."""
        return self.first <= moment < self.end


class _Became(Part, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a capture."""

    decision: str


class _Dead(Record, frozen=True, kw_only=True, omit_defaults=True):
    """That a capture is a dead letter."""

    capture_id: str
    state: str


class CaptureAudit:
    """The captures of a period."""

    def __init__(self, database: Database, blobs: Blobs, period: Period) -> None:
        self._outcomes, self._dead = database[Outcome.collection], database[StoredLetter.collection]
        self._blobs, self._period = blobs, period
        self._erased = ErasedAccounts(database)
        self.tally: Counter[str] = Counter()
        """`receipts`, what became of their captures, and `without_receipt`."""

    async def run(self, step: Callable[[], None]) -> Findings:
        """Yield the findings; call `step` after each hour."""
        day, keys = "", list[str]()
        for hour in self._period.hours():
            if day_prefix(hour) != day:
                day = day_prefix(hour)
                keys = [blob.key async for batch in self._blobs.listed(day) for blob in batch]
            seen: set[UUID] = set()
            for key in keys:
                if is_of_hour(key, hour):
                    async for finding in self._object(key, seen):
                        yield finding
            unknown = await self._without_receipt(hour, seen)
            if unknown:
                self.tally["without_receipt"] += unknown
                yield Finding("without_receipt", f"{hour:%Y-%m-%dT%H}Z", note=f"{unknown} outcomes")
            step()

    async def _object(self, key: str, seen: set[UUID]) -> Findings:
        try:
            receipts = decode(await self._blobs.get(key))
        except BlobMissing:  # swept meanwhile
            return
        except ValueError:
            self.tally["damaged_receipts"] += 1
            yield Finding("damaged_receipts", key)
            return
        new = {r.capture_id: r for r in receipts if self._period.has(r.at)}
        unseen = [receipt for id_, receipt in new.items() if id_ not in seen]
        seen.update(new)
        for start in range(0, len(unseen), _AT_ONCE):
            async for finding in self._receipts(unseen[start : start + _AT_ONCE]):
                yield finding

    async def _receipts(self, receipts: Sequence[Receipt]) -> Findings:
        """Tally what became of some captures; yield those that nothing became of."""
        ids = [str(receipt.capture_id) for receipt in receipts]
        self.tally["receipts"] += len(ids)
        found = self._outcomes.find({"_id": {"$in": ids}}, fields_of(_Became))
        became = {outcome.id: outcome.decision for outcome in await records_of(_Became, found)}
        self.tally.update(became.values())
        without = [r for r in receipts if str(r.capture_id) not in became]
        if not without:
            return
        states = await self._dead_letters(str(receipt.capture_id) for receipt in without)
        erased = await self._erased.tags()
        for receipt in without:
            state = states.get(str(receipt.capture_id))
            if state in ("waiting", "dropped"):
                self.tally["dead" if state == "waiting" else "dropped"] += 1
            elif receipt.account_tag in erased:
                self.tally["erased"] += 1
            elif receipt.received_at >= self._period.settled:
                self.tally["under_way"] += 1
            else:
                self.tally["gap"] += 1
                yield Finding(
                    "gap",
                    str(receipt.capture_id),
                    receipt.received_at,
                    receipt.account_tag,
                    f"{receipt.size} bytes by {receipt.door}"
                    + (", a dead letter that was replayed" if state else "")
                    + (", old mail" if receipt.backfill else ""),
                )

    async def _dead_letters(self, ids: Iterable[str]) -> dict[str, str]:
        """Return the states of the captures that are dead letters."""
        found = self._dead.find({"capture_id": {"$in": list(ids)}}, fields_of(_Dead))
        states: dict[str, str] = {}
        for letter in await records_of(_Dead, found):  # of one capture there may be several
            if states.get(letter.capture_id) != "waiting":
                states[letter.capture_id] = letter.state
        return states

    async def _without_receipt(self, hour: datetime, seen: set[UUID]) -> int:
        """Return how many captures of the hour have an outcome, and no receipt.

        By the time in their ids: backfill, whose ids have none, is left out.
        """
        first = max(hour, self._period.first)
        end = min(hour + _HOUR, self._period.end, self._period.settled)
        if first >= end:
            return 0
        unknown = 0
        ids = {"$gte": first_id(first), "$lt": first_id(end)}
        async for some in pages(self._outcomes, Part, ids):
            captures = [UUID(outcome.id) for outcome in some]
            unknown += sum(id_ not in seen and moment_of(id_) is not None for id_ in captures)
        return unknown
