"""The records of dead letters in MongoDB: the only place that reads and writes their documents."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel, ReturnDocument
from pymongo.errors import DuplicateKeyError

from services.timeline.admin.dead_letters.letter import STATES, State, StoredLetter
from services.timeline.query.cursors import after, read_cursor, write_cursor
from services.timeline.write.stored import from_document, to_document
from shared.contracts.capture_address import account_tag
from shared.storage.database import Database, Document, Index

_PLACE = [("at", DESCENDING), ("_id", DESCENDING)]
_SETTLED = {"event": "", "detail": ""}
_CONTENT = {"body_key": "", "claim": "", "to_finish": ""}
_GONE: Document = {"event": None, "detail": "", "body_key": None, "claim": None}
"""What a settled letter no longer has. One that waits has all of them, even if None: the previous
version of the timeline, which runs beside this one during a roll-out, relies on that."""


def _index(name: str, *keys: str, **options: Any) -> Index:
    fields = [(key, DESCENDING if key == "at" else ASCENDING) for key in keys]
    fields = [(key, DESCENDING if key == "_id" else order) for key, order in fields]
    return Index(StoredLetter.collection, IndexModel(fields, name=name, **options))


INDEXES = (
    # Records.page: led by what is known of the account in every case
    _index("listed", "account_tag", "state", "at", "_id"),
    _index("listed_by_reason", "account_tag", "reason", "state", "at", "_id"),
    # Records.shares_claim
    _index("of_capture", "account_tag", "capture_id"),
    # Records.every, Records.waiting: those of all accounts, and of no known account
    _index("by_state", "state", "reason", "at", "_id"),
    # Records.unfinished
    _index("unfinished", "to_finish", sparse=True),
    _index("expire", "expires_at", expireAfterSeconds=0),
)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of dead letters, newest first, and where the next one begins."""

    items: list[StoredLetter]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Which:
    """Which dead letters to select; without an account, those of all accounts."""

    account: str | None = None
    reason: str | None = None
    states: Sequence[State] = STATES

    def query(self) -> Document:
        """Return the MongoDB query."""
        return {
            **(of_account(self.account) if self.account else {}),
            **({"reason": self.reason} if self.reason else {}),
            "state": {"$in": list(self.states)},
        }


class Records:
    """The records of all accounts."""

    def __init__(self, database: Database) -> None:
        self._records = database[StoredLetter.collection]

    async def add(self, letter: StoredLetter) -> bool:
        """Store a dead letter; return whether it is new."""
        try:
            await self._records.insert_one(to_document(letter))
        except DuplicateKeyError:
            return False
        return True

    async def one(self, id_: str, account: str | None = None) -> StoredLetter | None:
        """Return a dead letter; with an account, only if it belongs to it."""
        found = await self._records.find_one(
            {"_id": id_, **(of_account(account) if account else {})}
        )
        return letter_in(found) if found is not None else None

    async def page(self, account: str, which: Which, limit: int, cursor: str | None) -> Page:
        """Return an account's dead letters, newest first. Raises InvalidCursor."""
        position = read_cursor(cursor) if cursor is not None else None
        query = {
            **Which(account, which.reason, which.states).query(),
            **after(position, "at", "_id"),
        }
        index = "listed_by_reason" if which.reason else "listed"
        found = self._records.find(query).hint(index).sort(_PLACE).limit(limit + 1)
        items = [letter_in(document) for document in await found.to_list()]
        page, more = items[:limit], items[limit:]
        last = page[-1] if more else None
        return Page(page, write_cursor((last.at, last.id)) if last else None)

    async def every(self, which: Which, limit: int) -> list[StoredLetter]:
        """Return the newest of the selected dead letters."""
        found = self._records.find(which.query()).sort(_PLACE).limit(limit)
        return [letter_in(document) for document in await found.to_list()]

    async def ids(self, which: Which, before: datetime) -> list[str]:
        """Return the ids of the selected dead letters that existed at this time, oldest first."""
        query = {**which.query(), "at": {"$lte": before}}
        found = self._records.find(query, {"at": 1}).sort([("at", ASCENDING), ("_id", ASCENDING)])
        return [document["_id"] async for document in found]

    async def begin(self, id_: str, by: str) -> bool:
        """Record that a replay begins; return False if another one has begun."""
        begun = {"to_finish": datetime.now(UTC), "by": by}
        waiting = {"_id": id_, "state": "waiting", "to_finish": None}
        done = await self._records.update_one(waiting, {"$set": begun})
        return done.modified_count > 0

    async def withdraw(self, id_: str) -> None:
        """Record that a replay did certainly not happen."""
        undone = {"$unset": {"to_finish": "", "by": ""}}
        await self._records.update_one({"_id": id_, "state": "waiting"}, undone)

    async def replayed(self, id_: str) -> None:
        """Record that a dead letter was replayed."""
        await self._settle({"_id": id_, "state": "waiting"}, {"state": "replayed"})

    async def dropped(self, id_: str, by: str, why: str) -> bool:
        """Record that a dead letter is dropped; return False if it is settled or being replayed."""
        waiting = {"_id": id_, "state": "waiting", "to_finish": None}
        return await self._settle(waiting, {"state": "dropped", "by": by, "why": why})

    async def _settle(self, which: Document, said: Document) -> bool:
        now = datetime.now(UTC)
        change = {"$set": {**said, "settled_at": now, "to_finish": now}, "$unset": _SETTLED}
        found = await self._records.find_one_and_update(
            which, change, {"_id": 1}, return_document=ReturnDocument.AFTER
        )
        return found is not None

    async def without_content(self, id_: str) -> None:
        """Record that its content is deleted."""
        settled = {"_id": id_, "state": {"$ne": "waiting"}}
        await self._records.update_one(settled, {"$unset": _CONTENT})

    async def shares_claim(self, letter: StoredLetter) -> bool:
        """Return whether another waiting dead letter needs the same claim."""
        query = {
            "account_tag": letter.account_tag,
            "capture_id": letter.capture_id,
            "_id": {"$ne": letter.id},
            "state": "waiting",
            "claim": letter.claim,
        }
        return await self._records.find_one(query, {"_id": 1}) is not None

    async def unfinished(self, longer_than: timedelta, limit: int) -> list[StoredLetter]:
        """Return what was begun this long ago and is not finished."""
        query = {"to_finish": {"$lt": datetime.now(UTC) - longer_than}}
        found = await self._records.find(query).limit(limit).to_list()
        return [letter_in(document) for document in found]

    async def waiting(self) -> dict[str, int]:
        """Return the number of waiting dead letters by reason."""
        group = {"_id": "$reason", "count": {"$sum": 1}}
        pipeline: list[Document] = [{"$match": {"state": "waiting"}}, {"$group": group}]
        counts = await self._records.aggregate(pipeline)
        return {found["_id"]: found["count"] async for found in counts}


def letter_in(document: Document) -> StoredLetter:
    """Return the dead letter in a document."""
    return from_document(StoredLetter, _GONE | document)


def of_account(account: str) -> Document:
    """Return the query for what is an account's: it may be known by its tag only."""
    return {"account_tag": account_tag(account), "account": {"$in": [None, account]}}
