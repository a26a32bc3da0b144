"""What became of captures, day by day: read from the tallies that the writer counts."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from msgspec import field
from pymongo import ASCENDING, IndexModel

from services.timeline.query.parts import fields_of, records_of
from services.timeline.write.records import Record
from shared.storage.database import Database, Document, Index

INDEXES = (
    # Stats.days
    Index("tallies", IndexModel([("account", ASCENDING), ("day", ASCENDING)], name="by_day")),
)


class Tally(Record, frozen=True, kw_only=True, omit_defaults=True):
    """How many captures of a day and an owner one slot has counted."""

    day: str
    attached: int = 0
    confirmations: int = 0
    quarantined: int = 0
    dismissed: dict[str, int] = field(default_factory=dict)
    """By reason."""


@dataclass(frozen=True, slots=True)
class Day:
    """What became of a day's captures."""

    day: str
    attached: int
    dismissed: dict[str, int]
    confirmations: int
    quarantined: int = 0


class Stats:
    """The tallies of all accounts."""

    def __init__(self, database: Database) -> None:
        self._tallies = database["tallies"]

    async def days(self, account: str, first: date, last: date, owner: str | None) -> list[Day]:
        """Return the days from `first` to `last` (UTC) that have captures, oldest first.

        With an owner, count only captures at that person's capture addresses.
        """
        attached: dict[str, int] = defaultdict(int)
        confirmations: dict[str, int] = defaultdict(int)
        quarantined: dict[str, int] = defaultdict(int)
        dismissed: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        query: Document = {
            "account": account,
            "day": {"$gte": first.isoformat(), "$lte": last.isoformat()},
        }
        if owner is not None:
            query["owner"] = owner
        for tally in await records_of(Tally, self._tallies.find(query, fields_of(Tally))):
            attached[tally.day] += tally.attached
            confirmations[tally.day] += tally.confirmations
            quarantined[tally.day] += tally.quarantined
            for reason, count in tally.dismissed.items():
                dismissed[tally.day][reason] += count
        return [
            Day(
                day,
                attached[day],
                {r: n for r, n in sorted(dismissed[day].items()) if n},
                confirmations[day],
                quarantined[day],
            )
            for day in sorted({*attached, *dismissed})
        ]
