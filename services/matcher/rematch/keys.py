"""Whether an account's rematch window is on, and the keys of its days.

`rematch_windows`: `{_id: <account>, account, days, change, keys: [{id, day_end, until, secret,
captures, bytes}]}`. One document an account, so turning the window off and destroying its keys is
one write. A capture is sealed under a key that this document held, with the window on, when the
capture was counted. No backup has the collection (`ops/documents.py`): what is restored opens
nothing, and its windows are off.

* A key belongs to a day of receipt and to a setting: `change` counts the changes of `days`. It ends
  when the last capture that it may have sealed ends, and never later than it was told first: a
  longer window is for what comes, a shorter one for everything.
* Each day has room for so many captures and bytes. What comes beyond is forgotten, as ever.
* The account's version document says that a window is on (`versions.py`), so a decision about an
  account without one costs no query. That is a hint: this document decides.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pymongo.errors import DuplicateKeyError

from services.matcher.directory.versions import Versions
from services.matcher.rematch.sealing import KEY_BYTES, DayKey
from shared.storage.database import Database, Document, of_id
from shared.storage.moments import as_stored

MAX_DAYS = 30
COLLECTION = "rematch_windows"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Room:
    """How much an account may have sealed of each day."""

    captures: int
    size: int
    """In bytes of mail."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place under a day's key."""

    key: DayKey
    received_at: datetime
    until: datetime
    """When the capture ends."""


NoPlace = Literal["off", "late", "full"]
"""Why a capture is not sealed; `late`: it waited for as long as the window is."""


class RematchKeys:
    """The windows and keys of all accounts."""

    def __init__(self, database: Database, versions: Versions, room: Room) -> None:
        self._windows, self._versions, self._room = database[COLLECTION], versions, room

    async def days(self, account: str) -> int:
        """Return for how many days an account keeps what matched no profile; 0 when it is off."""
        found = await self._windows.find_one(of_id(account, account), {"days": 1})
        return int(found["days"]) if found else 0

    def may_be_on(self, account: str) -> bool:
        """Return whether the window was on when the account's version was read last."""
        return self._versions.has_window(account)

    async def set_days(
        self, account: str, days: int, now: datetime, expected: int | None = None
    ) -> bool:
        """Change the window, and destroy the keys that end by that.

        Return False, and change nothing, when the window is not as expected.
        """
        as_expected: Document = {}
        if expected is not None:
            as_expected = {"days": expected} if expected else {"days": {"$in": [0, None]}}
        async with self._versions.change(account):
            if days:
                await self._versions.note_window(account, is_on=True)
            which = {**of_id(account, account), **as_expected}
            try:
                done = await self._windows.update_one(
                    which, _setting(days, now), upsert=not expected
                )
                is_done = bool(done.matched_count or done.upserted_id)
            except DuplicateKeyError:  # there is one, which is not the one expected
                if expected is None:
                    raise
                is_done = False
            if not (days and is_done):
                is_on = await self.days(account) > 0
                await self._versions.note_window(account, is_on=is_on)
        return is_done

    async def place(
        self, account: str, received_at: datetime, size: int, now: datetime
    ) -> Place | NoPlace:
        """Count a capture, and return the key to seal it with; or why it is not sealed."""
        received = as_stored(min(received_at, now))
        day_end = received.replace(hour=0, minute=0, second=0, microsecond=0) + _DAY
        while True:  # the window was changed, or another made the day's key, meanwhile
            window = await self._windows.find_one(of_id(account, account))
            if window is None or not window["days"]:
                return "off"
            lasts = timedelta(days=window["days"])
            if received + lasts <= now:
                return "late"
            same = {**of_id(account, account), "change": window["change"]}
            id_ = f"{received:%Y-%m-%d}.{window['change']}"
            of_day = [key for key in window["keys"] if key["day_end"] == day_end]
            key = next((key for key in of_day if key["id"] == id_), None)
            if key is None:
                new = {
                    "id": id_,
                    "day_end": day_end,
                    "until": day_end + lasts,
                    "secret": secrets.token_bytes(KEY_BYTES),
                    "captures": 0,
                    "bytes": 0,
                }
                without = {**same, "keys.id": {"$ne": id_}}
                await self._windows.update_one(without, {"$push": {"keys": new}})
                continue
            taken = sum(key["captures"] for key in of_day), sum(key["bytes"] for key in of_day)
            if taken[0] >= self._room.captures or taken[1] + size > self._room.size:
                return "full"
            done = await self._windows.update_one(
                {**same, "keys": {"$elemMatch": {"id": id_}}},
                {"$inc": {"keys.$.captures": 1, "keys.$.bytes": size}},
            )
            if done.matched_count:
                return Place(_key(account, key), received, received + lasts)

    async def live(
        self, account: str, now: datetime, ids: Collection[str] | None = None
    ) -> list[DayKey]:
        """Return the keys, or those with these ids, that have not ended; those with captures."""
        window = await self._windows.find_one(of_id(account, account))
        keys = window["keys"] if window else []
        return [
            _key(account, key)
            for key in keys
            if key["until"] > now and key["captures"] and (ids is None or key["id"] in ids)
        ]

    async def is_current(self, key: DayKey) -> bool:
        """Return whether a key is there, and the window as it was when the key was made."""
        change = int(key.id.rpartition(".")[2])
        which = {**of_id(key.account, key.account), "change": change, "keys.id": key.id}
        return await self._windows.find_one(which, {"_id": 1}) is not None

    async def end(self, now: datetime) -> int:
        """Destroy the keys that have ended; return of how many accounts."""
        ended = {"until": {"$lte": now}}
        done = await self._windows.update_many(
            {"keys": {"$elemMatch": ended}}, {"$pull": {"keys": ended}}
        )
        return done.modified_count

    async def destroy(self, account: str) -> None:
        """Destroy an account's setting and keys."""
        async with self._versions.change(account):
            await self._windows.delete_one(of_id(account, account))
            await self._versions.note_window(account, is_on=False)


def _setting(days: int, now: datetime) -> list[Document]:
    """Return the change of a window. All expressions of one $set read the document as it was."""
    lasts = int(timedelta(days=days).total_seconds()) * 1000
    until = {"$min": ["$$key.until", {"$add": ["$$key.day_end", lasts]}]}
    shortened = {
        "$map": {
            "input": {"$ifNull": ["$keys", []]},
            "as": "key",
            "in": {"$mergeObjects": ["$$key", {"until": until}]},
        }
    }
    left = {"$filter": {"input": shortened, "as": "key", "cond": {"$gt": ["$$key.until", now]}}}
    is_changed = {"$cond": [{"$eq": ["$days", days]}, 0, 1]}
    changes = {"$add": [{"$ifNull": ["$change", 0]}, is_changed]}
    return [{"$set": {"days": days, "change": changes, "keys": left if days else []}}]


def _key(account: str, key: Document) -> DayKey:
    return DayKey(account, key["id"], bytes(key["secret"]))
