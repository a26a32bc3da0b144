"""What became of the captures, and how many of each: one outcome a capture, counted once.

* `outcomes`: `{_id: <capture id>, account, day, decision, reason, message_id_hash, parts, at}`.
  `decision` is `attached`, `dismissed` or `confirmation`; attached wins over dismissed. `parts` are
  the events of an attached capture that have been seen.
* `tallies`: counts per account, day and owner, spread over slots so that captures do not queue for
  one document (`Slots`). What was dismissed has no owner: not even that is remembered.
"""

import secrets
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

from pymongo import ASCENDING, IndexModel
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.database import Database, Document, Index
from shared.events import MailAttached, MailConfirmation, MailDismissed

_SLOTS = 64
_NOBODY = ""
"""The owner of what was dismissed."""
INDEXES = (
    # Outcomes.days
    Index("tallies", IndexModel([("account", ASCENDING), ("day", ASCENDING)], name="by_day")),
)


@dataclass(frozen=True, slots=True)
class Day:
    """What became of a day's captures."""

    day: str
    attached: int
    dismissed: dict[str, int]
    confirmations: int


class Outcomes:
    """Records outcomes, each within the transaction that writes what it is about."""

    def __init__(self, database: Database) -> None:
        self._outcomes = database["outcomes"]
        self._tallies = database["tallies"]

    async def days(self, account: str, first: date, last: date, owner: str | None) -> list[Day]:
        """Return the days from `first` to `last` (UTC) that have captures, oldest first.

        With an owner, only what that person's capture addresses caught.
        """
        attached: dict[str, int] = defaultdict(int)
        confirmations: dict[str, int] = defaultdict(int)
        dismissed: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        query: Document = {
            "account": account,
            "day": {"$gte": first.isoformat(), "$lte": last.isoformat()},
        }
        if owner is not None:
            query["owner"] = owner
        async for tally in self._tallies.find(query):
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

    async def has_attached(self, event: MailAttached) -> bool:
        """Return whether this event was recorded before."""
        id_ = {"_id": str(event.capture_id), "account": event.account}
        recorded = {**id_, "decision": "attached", "parts": _part(event)}
        return await self._outcomes.find_one(recorded, {"_id": 1}) is not None

    async def attached(self, event: MailAttached, slot: int, session: AsyncClientSession) -> bool:
        """Record an attached capture; return whether all parts of this mail have been seen."""
        before = await self._outcomes.find_one_and_update(
            {"_id": str(event.capture_id), "account": event.account},
            {
                "$set": {"decision": "attached"},
                "$unset": {"reason": "", "message_id_hash": ""},
                "$addToSet": {"parts": _part(event)},
                "$setOnInsert": {"day": _day(event.received_at), "at": event.decided_at},
            },
            upsert=True,
            session=session,
        )
        # Old mail that is brought along again has its capture id again, on another day.
        day = before["day"] if before else _day(event.received_at)
        if before is None or before["decision"] == "dismissed":
            await self._count(event.account, day, slot, event.owner, "attached", 1, session)
        if before is not None and before["decision"] == "dismissed":
            dismissed = f"dismissed.{before['reason']}"
            await self._count(event.account, day, slot, _NOBODY, dismissed, -1, session)
        seen = {_part(event), *(before or {}).get("parts", ())}
        return len([p for p in seen if p.startswith(f"{event.place}/")]) >= event.parts

    async def dismissed(self, event: MailDismissed, slot: int, session: AsyncClientSession) -> None:
        """Record a dismissed capture, unless it has an outcome already."""
        about = {"reason": event.reason.value, "message_id_hash": event.message_id_hash}
        await self._once(
            event, "dismissed", about, f"dismissed.{event.reason.value}", slot, session
        )

    async def confirmation(
        self, event: MailConfirmation, slot: int, session: AsyncClientSession
    ) -> None:
        """Record a forwarding confirmation."""
        await self._once(event, "confirmation", {}, "confirmations", slot, session)

    async def _once(
        self,
        event: MailDismissed | MailConfirmation,
        decision: str,
        about: Document,
        counted_as: str,
        slot: int,
        session: AsyncClientSession,
    ) -> None:
        recorded = await self._outcomes.update_one(
            {"_id": str(event.capture_id), "account": event.account},
            {
                "$setOnInsert": {
                    "decision": decision,
                    "day": _day(event.received_at),
                    "at": event.decided_at,
                    **about,
                }
            },
            upsert=True,
            session=session,
        )
        if recorded.upserted_id is not None:
            owner = _NOBODY if isinstance(event, MailDismissed) else event.owner
            day = _day(event.received_at)
            await self._count(event.account, day, slot, owner, counted_as, 1, session)

    async def _count(
        self,
        account: str,
        day: str,
        slot: int,
        owner: str,
        counted_as: str,
        difference: int,
        session: AsyncClientSession,
    ) -> None:
        await self._tallies.update_one(
            {"_id": f"{account}/{day}/{slot}/{owner}", "account": account},
            {"$inc": {counted_as: difference}, "$setOnInsert": {"day": day, "owner": owner}},
            upsert=True,
            session=session,
        )


class Slots:
    """Hands out tally slots so that two transactions of this process never meet in one.

    MongoDB aborts one of two transactions that write the same document. Slots that were used lately
    go first, so that a quiet account has few; replicas begin at different ones.
    """

    def __init__(self) -> None:
        first = secrets.randbelow(_SLOTS)
        self._free = [(first + n) % _SLOTS for n in reversed(range(_SLOTS))]

    @contextmanager
    def one(self) -> Iterator[int]:
        """Lend a slot."""
        slot = self._free.pop() if self._free else secrets.randbelow(_SLOTS)
        try:
            yield slot
        finally:
            if slot not in self._free:
                self._free.append(slot)


def _part(event: MailAttached) -> str:
    """Return what tells this event from the others of its capture."""
    return f"{event.place}/{event.part}"


def _day(moment: datetime) -> str:
    return moment.date().isoformat()
