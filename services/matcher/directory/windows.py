"""Set-up windows: for a while, a user sees the mails that would be dismissed as `no_match`.

So a confirmation mail of any provider, in any language, can be answered. A window is opened by the
user, shows only mails that arrive at their own capture address afterwards, and ends after 60
minutes or five mails.

`windows`: `{_id: "<account>/<person id>", account, person_id, since, until, captures}`: only the
ids of the captures that were shown. A capture is counted by its id, atomically: if it is delivered
again it is shown again, and counts once. Deleted a day after the window has closed.

The user's capture addresses also say that a window is open, under the account's version, so a
decision learns it without another query (`knowledge.py`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from pymongo import ASCENDING, IndexModel, ReturnDocument

from services.matcher.directory.capture_addresses import CaptureAddresses
from services.matcher.directory.people import person_key
from shared.storage.database import Database, Document, Index, of_id
from shared.storage.moments import as_stored

OPEN_FOR = timedelta(minutes=60)
MOST_MAILS = 5
_KEPT = timedelta(days=1)
INDEXES = (
    Index(
        "windows",
        IndexModel(
            [("until", ASCENDING)],
            name="expire",
            expireAfterSeconds=int(_KEPT.total_seconds()),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Window:
    """A set-up window that is open."""

    until: datetime
    left: int
    """How many mails it still shows."""


class Windows:
    """The set-up windows of all users."""

    def __init__(self, database: Database, addresses: CaptureAddresses) -> None:
        self._windows, self._addresses = database["windows"], addresses

    async def open(self, account: str, person_id: str, now: datetime) -> Window:
        """Open a user's window, extend an open one, or reopen one that has shown all its mails."""
        which = of_id(account, person_key(account, person_id))
        until = as_stored(now) + OPEN_FOR
        is_open = {**which, "until": {"$gt": now}, **_HAS_ROOM}
        found = await self._windows.find_one_and_update(
            is_open, {"$set": {"until": until}}, return_document=ReturnDocument.AFTER
        )
        if found is None:
            found = {"person_id": person_id, "since": as_stored(now), "until": until}
            found["captures"] = []
            await self._windows.update_one(which, {"$set": found}, upsert=True)
        await self._addresses.watch(account, person_id, found["since"], until)
        return Window(until, MOST_MAILS - len(found["captures"]))

    async def find(self, account: str, person_id: str, now: datetime) -> Window | None:
        """Return a user's window while it is open and has not shown all of its mails."""
        which = {
            **of_id(account, person_key(account, person_id)),
            "until": {"$gt": now},
            **_HAS_ROOM,
        }
        found = await self._windows.find_one(which)
        return Window(found["until"], MOST_MAILS - len(found["captures"])) if found else None

    async def admit(
        self, account: str, person_id: str, capture_id: UUID, received_at: datetime
    ) -> bool:
        """Return whether the window shows this capture, and count the capture once."""
        capture = str(capture_id)
        is_open = {"since": {"$lte": received_at}, "until": {"$gt": received_at}, **_HAS_ROOM}
        admitted = await self._windows.find_one_and_update(
            {
                **of_id(account, person_key(account, person_id)),
                "$or": [{"captures": capture}, is_open],
            },
            {"$addToSet": {"captures": capture}},
        )
        return admitted is not None


_HAS_ROOM: Document = {f"captures.{MOST_MAILS - 1}": {"$exists": False}}
