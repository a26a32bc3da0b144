"""What has to be told when a profile is merged, or parted again (decision 51).

`told_merges`: `{_id: "<account>/<person id>", account, person_id, version, into, unstamped, holder,
until}`: the latest merge, or the end of one, that open pages were told of. Kept apart from the
person, and written after them: so what is told twice, after a crash, is never told too early.

A merge changes no mail, yet a back-end that keeps a copy is to learn where each is shown now. So
while `unstamped` is there, `admin/merged_mails.py` stamps the person's mails as changed.
"""

import contextlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pymongo import ASCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from services.timeline.write.side_records import EVERYBODY, Hint
from services.timeline.write.stored import to_document
from shared.contracts.events import PersonChanged, PersonDeleted
from shared.storage.database import Database, Document, Index, of_id

INDEXES = (
    # ToldMerges.unstamped
    Index(
        "told_merges",
        IndexModel(
            [("account", ASCENDING), ("unstamped", ASCENDING)],
            name="unstamped",
            partialFilterExpression={"unstamped": True},
        ),
    ),
)
_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Unstamped:
    """A person whose mails are to be stamped."""

    account: str
    person_id: str
    version: int


class ToldMerges:
    """The merges of all accounts that were told of."""

    def __init__(self, database: Database, lease: timedelta = timedelta(seconds=30)) -> None:
        self._told, self._hints = database["told_merges"], database[Hint.collection]
        self._holder, self._lease = secrets.token_hex(8), lease

    async def tell(self, event: PersonChanged | PersonDeleted) -> None:
        """Let open pages fetch everything again, and mails be stamped, where this is news."""
        id_ = of_id(event.account, f"{event.account}/{event.person_id}")
        into = event.merged_into or ""
        known = await self._told.find_one(id_) or {"version": 0, "into": ""}
        if known["into"] == into or known["version"] >= event.version:
            return
        now = datetime.now(UTC)
        hint = Hint(account=event.account, audience=EVERYBODY, conversation_id="", at=now)
        await self._hints.insert_one(to_document(hint))
        new: Document = {"person_id": event.person_id, "version": event.version, "into": into}
        older = {**id_, "version": {"$lt": event.version}}
        with contextlib.suppress(DuplicateKeyError):  # a newer one was told of meanwhile
            change = {"$set": {**new, "unstamped": True}}
            await self._told.update_one(older, change, upsert=True)

    async def unstamped(self) -> list[Unstamped]:
        """Return people whose mails are to be stamped."""
        found = self._told.find({"unstamped": True}).hint("unstamped").limit(_AT_ONCE)
        return [
            Unstamped(one["account"], one["person_id"], one["version"])
            for one in await found.to_list()
        ]

    async def holds(self, one: Unstamped) -> bool:
        """Take or renew the lease on a person; return whether this replica has it."""
        now = datetime.now(UTC)
        free = [{"until": {"$exists": False}}, {"until": {"$lt": now}}, {"holder": self._holder}]
        change = {"$set": {"holder": self._holder, "until": now + self._lease}}
        done = await self._told.update_one({**_which(one), "$or": free}, change)
        return done.matched_count > 0

    async def stamped(self, one: Unstamped) -> None:
        """Note that a person's mails are stamped, unless there was another merge meanwhile."""
        change = {"$unset": {"unstamped": "", "holder": "", "until": ""}}
        await self._told.update_one(_which(one), change)


def _which(one: Unstamped) -> Document:
    id_ = of_id(one.account, f"{one.account}/{one.person_id}")
    return {**id_, "version": one.version, "unstamped": True}
