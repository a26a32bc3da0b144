"""Reviews and their items, in MongoDB, for a week after they were asked for or applied; items for
a week more.

    reviews       `{_id: "<account>/<review id>", account, review_id, by, at, expires_at, person_id,
                  change, state, active, people, addresses, requested, captures, ready_at,
                  applied_by, applied_at, change_made, done_at, holder, until}`
    review_items  `{_id: "<account>/<review id>/<item>", account, review_id, expires_at, state}` of
                  each capture that was looked at; of those that differ also `capture,
                  participants, was, pairs, outcome, dismissal, profiles, decided_at, sent_at`

* A review is `running`, then `ready`, `applying` and `applied`. It is `active` while there is
  something to do; a replica that does it holds it for a moment (`holder`, `until`).
* An item is `same`, `too_large` or `failed`; or it differs: `pending`, then `sent`, then `applied`
  or `changed_meanwhile`, or `failed`. The first look at a capture counts: a repetition changes
  nothing.
* Nothing of what a mail says is kept, but of those that differ the addresses of who takes part,
  until they are settled.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pymongo import ASCENDING, IndexModel, ReturnDocument
from pymongo.errors import DuplicateKeyError

from services.matcher.decision.decide import Person
from services.matcher.decision.pending import PendingChange
from services.matcher.directory.people import person_of
from shared.contracts.events import Kind, ReviewRequested
from shared.contracts.uuid7 import uuid7
from shared.storage.database import Database, Document, Index, of_id
from shared.storage.moments import as_stored

KEPT = timedelta(days=7)
_ACTIVE = {"active": True}
_HELD = timedelta(seconds=30)
DIFFERING = ("pending", "sent", "applied", "changed_meanwhile", "failed")
SAME, TOO_LARGE, FAILED = "same", "too_large", "failed"
PENDING, SENT = "pending", "sent"
_SETTLED = frozenset({"applied", "changed_meanwhile", FAILED})
INDEXES = (
    # Reviews.active: which have something to do?
    Index(
        "reviews", IndexModel([("at", ASCENDING)], name="active", partialFilterExpression=_ACTIVE)
    ),
    Index("reviews", IndexModel([("expires_at", ASCENDING)], name="expire", expireAfterSeconds=0)),
    # Items of a review, by state and in the order of their ids
    Index(
        "review_items",
        IndexModel(
            [
                ("account", ASCENDING),
                ("review_id", ASCENDING),
                ("state", ASCENDING),
                ("_id", ASCENDING),
            ],
            name="of_review",
        ),
    ),
    Index(
        "review_items",
        IndexModel([("expires_at", ASCENDING)], name="expire", expireAfterSeconds=0),
    ),
)
State = Literal["running", "ready", "applying", "applied"]


@dataclass(frozen=True, slots=True)
class Review:
    """A review, as far as it is."""

    id: str
    account: str
    by: str
    at: datetime
    expires_at: datetime
    state: State
    person_id: str | None
    change: PendingChange | None
    request: ReviewRequested
    is_requested: bool
    captures: int | None
    """How many there are to look at, once the timeline has said so."""
    applied_by: str | None
    is_change_made: bool
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class Tally:
    """What has been found and done so far."""

    states: dict[str, int]
    reasons: dict[str, int]
    dismissed: int
    """Of those that differ, how many would be attached to no profile."""

    @property
    def looked_at(self) -> int:
        """How many captures have been looked at."""
        return sum(self.states.values())


class Reviews:
    """The reviews of all accounts."""

    def __init__(self, database: Database) -> None:
        self._reviews, self._items = database["reviews"], database["review_items"]

    async def begin(
        self,
        account: str,
        by: str,
        person_id: str | None,
        change: PendingChange | None,
        people: Sequence[str] | None,
        addresses: Sequence[str],
    ) -> Review:
        """Note a new review of these people and addresses; None: of all captures."""
        now, id_ = as_stored(datetime.now(UTC)), uuid7().hex
        new: Document = {
            "_id": f"{account}/{id_}",
            "account": account,
            "review_id": id_,
            "by": by,
            "at": now,
            "expires_at": now + KEPT,
            "state": "running",
            "active": True,
            "person_id": person_id,
            "change": _change_stored(change),
            "people": None if people is None else [*people],
            "addresses": [*addresses],
        }
        await self._reviews.insert_one(new)
        return _review(new)

    async def one(self, account: str, id_: str) -> Review | None:
        """Return a review of this account."""
        found = await self._reviews.find_one(_of(account, id_))
        return _review(found) if found else None

    async def hold(self, holder: str) -> list[Review]:
        """Take or keep the active reviews that no other replica holds; return them."""
        now, mine = datetime.now(UTC), list[Review]()
        found = self._reviews.find(_ACTIVE, {"account": 1, "review_id": 1}).hint("active")
        for one in await found.sort("at", ASCENDING).limit(200).to_list():
            free = {
                "$or": [{"until": {"$exists": False}}, {"until": {"$lt": now}}, {"holder": holder}]
            }
            held = await self._reviews.find_one_and_update(
                {**_of(one["account"], one["review_id"]), **_ACTIVE, **free},
                {"$set": {"holder": holder, "until": now + _HELD}},
                return_document=ReturnDocument.AFTER,
            )
            if held is not None:
                mine.append(_review(held))
        return mine

    async def keep(self, review: Review, holder: str) -> bool:
        """Go on holding a review; return False if it is another's now."""
        mine = {**_of(review.account, review.id), **_ACTIVE, "holder": holder}
        change = {"$set": {"until": datetime.now(UTC) + _HELD}}
        return (await self._reviews.update_one(mine, change)).matched_count > 0

    async def change(self, review: Review, before: State, fields: Document) -> bool:
        """Change a review that is in a state; return whether it was."""
        which = {**_of(review.account, review.id), "state": before}
        return (await self._reviews.update_one(which, {"$set": fields})).matched_count > 0

    async def walked(self, account: str, id_: str, captures: int) -> None:
        """Note how many captures there are to look at."""
        await self._reviews.update_one(_of(account, id_), {"$set": {"captures": captures}})

    async def apply(self, review: Review, by: str) -> None:
        """Begin to apply a review that is ready; it is kept for another week."""
        now = as_stored(datetime.now(UTC))
        fields = {
            "state": "applying",
            "active": True,
            "applied_by": by,
            "applied_at": now,
            "expires_at": now + KEPT,
        }
        await self.change(review, "ready", fields)

    async def look(self, review: Review, item: str, fields: Document) -> None:
        """Note what was found about a capture, unless it was looked at before."""
        # It may be applied in the last moment, and then is kept for another week.
        new = {"review_id": review.id, "expires_at": review.expires_at + KEPT, **fields}
        which = of_id(review.account, f"{review.account}/{review.id}/{item}")
        with contextlib.suppress(DuplicateKeyError):  # a repetition that is handled at once
            await self._items.update_one(which, {"$setOnInsert": new}, upsert=True)

    async def forget(self, account: str) -> None:
        """Delete all reviews of an account: they have addresses, of somebody who is erased, too."""
        await self._reviews.delete_many({"account": account})
        await self._items.delete_many({"account": account})

    async def count(self, review: Review, *states: str) -> int:
        """Return how many items there are, or how many in these states."""
        which: Document = {"account": review.account, "review_id": review.id}
        if states:
            which["state"] = {"$in": states}
        return await self._items.count_documents(which, hint="of_review")

    async def unsettled(self, review: Review, limit: int, again_before: datetime) -> list[Document]:
        """Return items that wait to be sent, or were sent before that moment without an answer."""
        waits = {"$or": [{"state": PENDING}, {"state": SENT, "sent_at": {"$lt": again_before}}]}
        which = {"account": review.account, "review_id": review.id, **waits}
        return await self._items.find(which).hint("of_review").limit(limit).to_list()

    async def settle(
        self, account: str, review_id: str, item: str, fields: Document, *before: str
    ) -> bool:
        """Change an item that is in one of these states. Once it is settled, no address stays."""
        which = of_id(account, f"{account}/{review_id}/{item}")
        which["state"] = {"$in": before or (PENDING, SENT)}
        change: Document = {"$set": fields}
        if fields.get("state") in _SETTLED:
            change["$unset"] = dict.fromkeys(("participants", "was", "pairs"), "")
        return (await self._items.update_one(which, change)).matched_count > 0

    async def items(self, review: Review, limit: int, after: str | None) -> list[Document]:
        """Return what differs, in the order of the items, after one."""
        start = f"{review.account}/{review.id}/"
        which = {
            "account": review.account,
            "review_id": review.id,
            "state": {"$in": DIFFERING},
            "capture": {"$exists": True},
            "_id": {"$gt": start + (after or ""), "$lt": f"{start}~"},
        }
        found = self._items.find(which).hint("of_review").sort("_id", ASCENDING)
        return await found.limit(limit).to_list()

    async def tally(self, review: Review) -> Tally:
        """Return what has been found and done so far."""
        of_review = {"account": review.account, "review_id": review.id}
        states = await self._counted(of_review, "$state")
        differing = {**of_review, "state": {"$in": DIFFERING}}
        reasons = await self._counted(differing, "$profiles.reason", "$profiles")
        dismissed = {**differing, "outcome": "dismiss"}
        count = await self._items.count_documents(dismissed, hint="of_review")
        return Tally(states, reasons, count)

    async def _counted(self, which: Document, by: str, each: str = "") -> dict[str, int]:
        stages: list[dict[str, Any]] = [{"$match": which}]
        if each:
            stages.append({"$unwind": each})
        stages.append({"$group": {"_id": by, "count": {"$sum": 1}}})
        found = await self._items.aggregate(stages, hint="of_review")
        return {one["_id"]: one["count"] for one in await found.to_list()}


def _of(account: str, id_: str) -> Document:
    return of_id(account, f"{account}/{id_}")


def _change_stored(change: PendingChange | None) -> Document | None:
    if change is None:
        return None
    person = change.person
    return {
        "person_id": change.person_id,
        "person": {
            "kind": person.kind.value,
            "name": person.name,
            "addresses": [*person.addresses],
        }
        if person
        else None,
    }


def _change(found: Document | None) -> PendingChange | None:
    if found is None:
        return None
    who, stored = found["person_id"], found["person"]
    person: Person | None = None
    if stored is not None:
        person = person_of(who, Kind(stored["kind"]), stored["name"], stored["addresses"])
    return PendingChange(who, person)


def _review(found: Document) -> Review:
    people = found["people"]
    return Review(
        id=found["review_id"],
        account=found["account"],
        by=found["by"],
        at=found["at"],
        expires_at=found["expires_at"],
        state=found["state"],
        person_id=found["person_id"],
        change=_change(found["change"]),
        request=ReviewRequested(
            account=found["account"],
            review_id=found["review_id"],
            people=None if people is None else tuple(people),
            addresses=tuple(found["addresses"]),
        ),
        is_requested=found.get("requested", False),
        captures=found.get("captures"),
        applied_by=found.get("applied_by"),
        is_change_made=found.get("change_made", False),
        done_at=found.get("done_at"),
    )
