"""What is read: every page is one range of one index, and the mails that it names.

Always by account, which comes from the token.
"""

import base64
import binascii
import json
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime

from pymongo import DESCENDING

from services.timeline.matches import EVERYONE, visible_matches
from shared.database import Database, Document

_LISTED = {"text": 0, "html": 0}


class InvalidCursor(ValueError):
    """The cursor is not one of ours."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some mails, and where the next ones begin."""

    items: list[Document]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Day:
    """What became of a day's captures."""

    day: str
    attached: int
    dismissed: dict[str, int]
    confirmations: int


class Views:
    """The reading side."""

    def __init__(self, database: Database) -> None:
        self._mails = database["mails"]
        self._rows = database["profile_mails"]
        self._tallies = database["tallies"]

    async def profile_timeline(
        self, account: str, viewer: str, person_id: str, limit: int, cursor: str | None
    ) -> Page:
        """Return a profile's mails that the viewer may see, newest first. Raises InvalidCursor."""
        query: Document = {
            "account": account,
            "viewer": {"$in": [EVERYONE, viewer]},
            "person_id": person_id,
        }
        if cursor is not None:
            day, mail_id = _read_cursor(cursor)
            query["date"] = {"$lte": day}
            query["$or"] = [{"date": {"$lt": day}}, {"mail_id": {"$lt": mail_id}}]
        rows = self._rows.find(query).sort([("date", DESCENDING), ("mail_id", DESCENDING)])
        found = await rows.limit(limit + 1).to_list()
        page, more = found[:limit], found[limit:]
        ids = [row["mail_id"] for row in page]
        mails = self._mails.find({"account": account, "_id": {"$in": ids}}, _LISTED)
        by_id = {mail["_id"]: mail async for mail in mails}
        return Page(
            [by_id[id_] for id_ in ids if id_ in by_id],
            _cursor(page[-1]["date"], page[-1]["mail_id"]) if more else None,
        )

    async def mail(self, account: str, viewer: str, mail_id: str) -> Document | None:
        """Return a mail of the account that the viewer may see, or None."""
        mail = await self._mails.find_one({"_id": mail_id, "account": account})
        return mail if mail and visible_matches(mail["matches"], viewer) else None

    async def stats(self, account: str, first: date, last: date) -> list[Day]:
        """Return the days from `first` to `last` (UTC) that have captures, oldest first."""
        attached: dict[str, int] = defaultdict(int)
        confirmations: dict[str, int] = defaultdict(int)
        dismissed: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        days = {"$gte": first.isoformat(), "$lte": last.isoformat()}
        async for tally in self._tallies.find({"account": account, "day": days}):
            attached[tally["day"]] += tally.get("attached", 0)
            confirmations[tally["day"]] += tally.get("confirmations", 0)
            for reason, count in tally.get("dismissed", {}).items():
                dismissed[tally["day"]][reason] += count
        return [
            Day(
                day,
                attached[day],
                {r: n for r, n in sorted(dismissed[day].items()) if n},
                confirmations[day],
            )
            for day in sorted({*attached, *dismissed})
        ]


def _cursor(moment: datetime, mail_id: str) -> str:
    text = json.dumps([moment.timestamp(), mail_id])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        moment, mail_id = json.loads(base64.urlsafe_b64decode(padded))
        if not isinstance(mail_id, str) or not re.fullmatch("[a-z2-7]{32}", mail_id):
            raise InvalidCursor("is not a cursor of this list")
        return datetime.fromtimestamp(moment, UTC), mail_id
    except (ValueError, TypeError, OverflowError, OSError, binascii.Error) as error:
        raise InvalidCursor("is not a cursor of this list") from error
