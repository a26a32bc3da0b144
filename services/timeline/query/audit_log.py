"""The audit log: who detached, hid or deleted a mail, and when. Nothing of the mail is in it.

The lines are written with what they tell of (`write/rulings.py`), and go after AUDIT_KEPT.
"""

from dataclasses import dataclass
from datetime import timedelta

from pymongo import ASCENDING, DESCENDING, IndexModel

from services.timeline.query.cursors import after, read_cursor, write_cursor
from services.timeline.query.parts import records_of
from services.timeline.write.side_records import AuditLine
from shared.storage.database import Database, Index

AUDIT_KEPT = timedelta(days=400)
"""A year, and time to look at it."""
_NEWEST = [("at", DESCENDING), ("_id", DESCENDING)]
INDEXES = (
    # AuditLog.page
    Index(AuditLine.collection, IndexModel([("account", ASCENDING), *_NEWEST], name="newest")),
    Index(
        AuditLine.collection,
        IndexModel(
            [("at", ASCENDING)],
            name="expire",
            expireAfterSeconds=int(AUDIT_KEPT.total_seconds()),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Some lines, and where the next ones begin."""

    items: list[AuditLine]
    next_cursor: str | None


class AuditLog:
    """The audit logs of all accounts, for reading."""

    def __init__(self, database: Database) -> None:
        self._lines = database[AuditLine.collection]

    async def page(self, account: str, limit: int, cursor: str | None) -> AuditPage:
        """Return an account's lines, newest first. Raises InvalidCursor."""
        position = read_cursor(cursor) if cursor is not None else None
        query = {"account": account, **after(position, "at", "_id")}
        lines = self._lines.find(query).hint("newest").sort(_NEWEST)
        found = await records_of(AuditLine, lines.limit(limit + 1))
        page, more = found[:limit], found[limit:]
        return AuditPage(page, write_cursor((page[-1].at, page[-1].id)) if more else None)
