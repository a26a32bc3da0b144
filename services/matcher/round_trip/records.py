"""What is known of round trips: the latest of each user, the challenges sent, the daily quota.

* `round_trips`: `{_id: "<account>/<person id>", account, person_id, version, unannounced,
  challenge, state, address, sent_at, expires_at, at, repeated, status, reason, advice, proven,
  failures, due_at}`. The latest of a user, announced by the outbox. `proven` is the address whose
  challenge last came back; `due_at`, set with it, is when the weekly one is due; `failures` counts
  the latest that did not come back.
* `challenges`: `{_id: <the id of the round trip>, account, person_id, return_path, expires_at,
  kept_until}`. Immutable; removed when no mail server tries any longer.
* `round_trip_days`: `{_id: "<account>/<person id>/<day>", account, count, kept_until}`: how many
  were sent on a day (UTC).
* `round_trip_accounts`: `{_id: <account>, repeat}`: what the account wants.

A return wins over a bounce, whichever comes first; both change the latest round trip alone.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pymongo import ASCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from services.matcher.directory.outbox import outbox_index
from services.matcher.directory.people import person_key
from services.matcher.round_trip.bounces import Refusal
from shared.contracts.events import RoundTripState
from shared.storage.database import Database, Document, Index, of_ids

PER_DAY = 8
EXPIRES = timedelta(hours=24)
WEEK = timedelta(days=7)
_SOON = timedelta(hours=1)
MAX_FAILURES = 3
"""So many weekly challenges in a row may be lost; then the user is asked to prove it again."""
_CHALLENGE_KEPT = timedelta(days=12)
"""Longer than a return path is open (`shared/contracts/capture_address.py`)."""

_OF_USER = (
    *("challenge", "address", "sent_at", "expires_at", "repeated"),
    *("proven", "failures", "due_at"),
)

Repeat = Literal["never", "weekly"]
INDEXES = (
    outbox_index("round_trips"),
    # RoundTrips.due
    Index(
        "round_trips",
        IndexModel(
            [("account", ASCENDING), ("due_at", ASCENDING)],
            name="due",
            partialFilterExpression={"due_at": {"$exists": True}},
        ),
    ),
    # RoundTrips.forget
    Index(
        "challenges",
        IndexModel([("account", ASCENDING), ("person_id", ASCENDING)], name="of_person"),
    ),
    *(
        Index(
            collection,
            IndexModel([("kept_until", ASCENDING)], name="expire", expireAfterSeconds=0),
        )
        for collection in ("challenges", "round_trip_days")
    ),
)


@dataclass(frozen=True, slots=True)
class Challenge:
    """A challenge that was sent."""

    id: str
    account: str
    person_id: str
    return_path: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """A weekly round trip whose time has come."""

    person_id: str
    address: str
    due_at: datetime
    failures: int


class RoundTrips:
    """The round trips of all accounts."""

    def __init__(self, database: Database) -> None:
        self._latest, self._challenges = database["round_trips"], database["challenges"]
        self._days, self._accounts = database["round_trip_days"], database["round_trip_accounts"]

    async def take_one(self, account: str, person_id: str, now: datetime) -> bool:
        """Count one challenge of the day; return False if the user has used up all of them."""
        which = {"_id": _day(account, person_id, now), "account": account}
        try:
            await self._days.update_one(
                {**which, "count": {"$lt": PER_DAY}},
                {"$inc": {"count": 1}, "$set": {"kept_until": now + timedelta(days=2)}},
                upsert=True,
            )
        except DuplicateKeyError:
            # There is a count already: at its limit, or made by another call in this very moment.
            raised = await self._days.update_one(
                {**which, "count": {"$lt": PER_DAY}}, {"$inc": {"count": 1}}
            )
            return raised.modified_count == 1
        return True

    async def give_back(self, account: str, person_id: str, now: datetime) -> None:
        """Uncount a challenge that the relay did not accept."""
        which = {"_id": _day(account, person_id, now), "account": account}
        await self._days.update_one({**which, "count": {"$gt": 0}}, {"$inc": {"count": -1}})

    async def begin(
        self, challenge: Challenge, address: str, now: datetime, *, repeated: bool
    ) -> None:
        """Record a challenge before it is sent, since it may come back at once."""
        await self._challenges.insert_one(
            {
                "_id": challenge.id,
                "account": challenge.account,
                "person_id": challenge.person_id,
                "return_path": challenge.return_path,
                "expires_at": challenge.expires_at,
                "kept_until": now + _CHALLENGE_KEPT,
            }
        )
        latest = {
            "person_id": challenge.person_id,
            "challenge": challenge.id,
            "address": address,
            "sent_at": now,
            "expires_at": challenge.expires_at,
            "repeated": repeated,
        }
        changed = _changed(RoundTripState.SENT, now)
        changed["$set"] |= latest
        which = {
            "_id": person_key(challenge.account, challenge.person_id),
            "account": challenge.account,
        }
        try:
            await self._latest.update_one(which, changed, upsert=True)
        except DuplicateKeyError:  # another call made it in this very moment
            await self._latest.update_one(which, changed)

    async def returned(self, challenge: Challenge, now: datetime) -> None:
        """Record that a challenge came back."""
        changed = _changed(RoundTripState.RETURNED, now)
        changed["$set"] |= {"failures": 0, "due_at": now + WEEK}
        # The address is the challenge's own: that of the latest, which is this one.
        changed_by: list[Document] = [
            {
                "$set": {
                    **{name: {"$literal": value} for name, value in changed["$set"].items()},
                    "version": {"$add": ["$version", 1]},
                    "proven": "$address",
                }
            },
            {"$unset": ["status", "reason", "advice"]},
        ]
        unless = {"state": {"$ne": RoundTripState.RETURNED.value}}
        await self._latest.update_one({**_latest(challenge), **unless}, changed_by)

    async def refused(self, challenge: Challenge, refusal: Refusal, now: datetime) -> None:
        """Record that a challenge was refused, unless it came back."""
        changed = _changed(RoundTripState.BOUNCED, now)
        changed["$set"] |= {"reason": refusal.reason, "advice": refusal.advice}
        if refusal.status is not None:
            changed["$set"]["status"] = refusal.status
            del changed["$unset"]["status"]
        del changed["$unset"]["reason"], changed["$unset"]["advice"]
        unless = {"state": {"$nin": [RoundTripState.RETURNED.value, RoundTripState.BOUNCED.value]}}
        await self._latest.update_one({**_latest(challenge), **unless}, changed)

    async def failed(self, challenge: Challenge, now: datetime) -> None:
        """Record that the relay did not accept a challenge."""
        unless = {"state": RoundTripState.SENT.value}
        await self._latest.update_one(
            {**_latest(challenge), **unless}, _changed(RoundTripState.FAILED, now)
        )

    async def find(self, id_: str) -> Challenge | None:
        """Return a challenge by its id, or None."""
        found = await self._challenges.find_one({"_id": id_})
        if found is None:
            return None
        return Challenge(
            id_, found["account"], found["person_id"], found["return_path"], found["expires_at"]
        )

    async def forget(self, account: str, person_ids: Collection[str]) -> None:
        """Delete the round trips of people who are deleted or are no longer users.

        Their versions stay, so that an older event never wins.
        """
        if not person_ids:
            return
        ids = [person_key(account, person_id) for person_id in person_ids]
        known = {**of_ids(account, ids), "state": {"$ne": RoundTripState.FORGOTTEN.value}}
        if await self._latest.find_one(known, {"_id": 1}) is None:
            return  # as for most people
        of_people = {"account": account, "person_id": {"$in": list(person_ids)}}
        await self._challenges.delete_many(of_people)
        forgotten = _changed(RoundTripState.FORGOTTEN, datetime.now(UTC))
        forgotten["$unset"] |= dict.fromkeys(_OF_USER, "")
        await self._latest.update_many(known, forgotten)

    async def repeat(self, account: str) -> Repeat:
        """Return whether the account repeats round trips."""
        found = await self._accounts.find_one({"_id": account})
        return "weekly" if found and found["repeat"] == "weekly" else "never"

    async def set_repeat(
        self, account: str, repeat: Repeat, expected: Repeat | None = None
    ) -> bool:
        """Change whether the account repeats round trips; return False if it is not as expected."""
        which: Document = {"_id": account}
        if expected is not None:
            which["repeat"] = {"$in": [expected, None] if expected == "never" else [expected]}
        try:
            await self._accounts.update_one(which, {"$set": {"repeat": repeat}}, upsert=True)
        except DuplicateKeyError:
            if expected is None:
                raise
            return False
        return True

    async def repeating_accounts(self) -> list[str]:
        """Return the accounts that want a round trip every week."""
        return [a["_id"] async for a in self._accounts.find({"repeat": "weekly"}, {"_id": 1})]

    async def due(self, account: str, now: datetime, limit: int) -> list[Due]:
        """Return the account's users whose weekly round trip is due, the most overdue first."""
        which = {"account": account, "due_at": {"$lte": now}}
        found = self._latest.find(which).sort("due_at", ASCENDING).limit(limit)
        return [
            Due(one["person_id"], one["proven"], one["due_at"], one.get("failures", 0))
            async for one in found
        ]

    async def claim(self, account: str, due: Due, now: datetime) -> bool:
        """Claim a due round trip; return False if another replica was faster.

        The previous one counts as a failure until the new one returns.
        """
        which = {
            "_id": person_key(account, due.person_id),
            "account": account,
            "due_at": due.due_at,
        }
        more = due.failures + 1
        change: Mapping[str, Any] = {"$set": {"due_at": now + WEEK, "failures": more}}
        if more > MAX_FAILURES:
            change = {"$unset": {"due_at": ""}, "$set": {"failures": more}}
        claimed = await self._latest.update_one(which, change)
        return claimed.modified_count == 1 and more <= MAX_FAILURES

    async def postpone(self, account: str, due: Due, now: datetime) -> None:
        """Make a claimed round trip that could not be sent due again soon. It has not failed."""
        which = {"_id": person_key(account, due.person_id), "account": account}
        change = {"$set": {"due_at": now + _SOON, "failures": due.failures}}
        await self._latest.update_one(which, change)


def _changed(state: RoundTripState, now: datetime) -> dict[str, Any]:
    return {
        "$set": {"state": state.value, "at": now, "unannounced": True},
        "$unset": {"status": "", "reason": "", "advice": ""},
        "$inc": {"version": 1},
    }


def _latest(challenge: Challenge) -> Document:
    return {
        "_id": person_key(challenge.account, challenge.person_id),
        "account": challenge.account,
        "challenge": challenge.id,
    }


def _day(account: str, person_id: str, now: datetime) -> str:
    return f"{account}/{person_id}/{now.date().isoformat()}"
