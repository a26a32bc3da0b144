"""The outcome of each capture, and tallies of outcomes: one outcome per capture, counted once.

* `outcomes`: `{_id: <capture id>, account, day, decision, reason, message_id_hash, parts, at}`.
  `decision` is `attached`, `dismissed`, `confirmation` or `quarantined`; attached wins over
  dismissed. `parts` are the events of an attached capture that have been seen. A quarantined one
  becomes attached when a user accepts it, or dismissed: `refused` by a user, or `expired`. That is
  final.
* `tallies`: counts per account, day and owner, spread over slots so that captures do not queue for
  one document (`Slots`). A dismissed capture is counted without its owner.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from pymongo.asynchronous.client_session import AsyncClientSession

from shared.database import Database, Document
from shared.events import MailAttached, MailConfirmation, MailDismissed

_SLOTS = 64
Decided = Literal["attached", "quarantined", "forgotten"]
Final = Literal["refused", "expired"]
FINAL = get_args(Final)
"""Why a capture that waited is forgotten; nothing brings it back."""
_NOBODY = ""
"""The owner of what was dismissed."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event of an attached capture that is recorded."""

    complete: bool
    """Whether all parts of its mail have been seen."""
    again: bool
    """Whether it had been recorded as the same before."""


class Outcomes:
    """Records outcomes, each within the transaction that writes what it is about."""

    def __init__(self, database: Database) -> None:
        self._outcomes = database["outcomes"]
        self._tallies = database["tallies"]

    async def has_seen(self, event: MailAttached) -> bool:
        """Return whether this event was recorded before."""
        id_ = {"_id": str(event.capture_id), "account": event.account}
        there = {"decision": {"$in": ["attached", "quarantined"]}, "parts": part_of(event)}
        recorded = {**id_, "$or": [there, {"reason": {"$in": FINAL}}]}
        return await self._outcomes.find_one(recorded, {"_id": 1}) is not None

    async def of(
        self, event: MailAttached, session: AsyncClientSession | None = None
    ) -> Decided | None:
        """Return what became of the event's capture so far; None when that may still change."""
        id_ = {"_id": str(event.capture_id), "account": event.account}
        found = await self._outcomes.find_one(id_, session=session)
        if found is None:
            return None
        if found["decision"] == "dismissed":
            return "forgotten" if found["reason"] in FINAL else None
        return "quarantined" if found["decision"] == "quarantined" else "attached"

    async def attached(
        self,
        event: MailAttached,
        slot: int,
        session: AsyncClientSession,
        word: Literal["attached", "quarantined"] = "attached",
    ) -> Recorded:
        """Record an attached capture. One that is to wait for a yes is `quarantined`."""
        before = await self._outcomes.find_one_and_update(
            {"_id": str(event.capture_id), "account": event.account},
            {
                "$set": {"decision": word},
                "$unset": {"reason": "", "message_id_hash": ""},
                "$addToSet": {"parts": part_of(event)},
                "$setOnInsert": {"day": _day(event.received_at), "at": event.decided_at},
            },
            upsert=True,
            session=session,
        )
        # A repeated backfill brings the same capture id again, on another day.
        day = before["day"] if before else _day(event.received_at)
        if before is None or before["decision"] in {"dismissed", "quarantined"} - {word}:
            await self._count(event.account, day, slot, event.owner, word, 1, session)
        if before is not None and before["decision"] == "quarantined" != word:
            await self._count(event.account, day, slot, event.owner, "quarantined", -1, session)
        if before is not None and before["decision"] == "dismissed":
            dismissed = f"dismissed.{before['reason']}"
            await self._count(event.account, day, slot, _NOBODY, dismissed, -1, session)
        seen_before = set((before or {}).get("parts", ()))
        of_mail = [p for p in {part_of(event), *seen_before} if p.startswith(f"{event.place}/")]
        return Recorded(
            complete=len(of_mail) >= event.parts,
            again=before is not None
            and before["decision"] == word
            and part_of(event) in seen_before,
        )

    async def refused(
        self, held: Document, reason: Final, slot: int, session: AsyncClientSession
    ) -> None:
        """Record that a capture that waited is forgotten, unless it has been attached."""
        account = held["account"]
        before = await self._outcomes.find_one_and_update(
            {"_id": held["capture_id"], "account": account, "decision": "quarantined"},
            {"$set": {"decision": "dismissed", "reason": reason}, "$unset": {"parts": ""}},
            session=session,
        )
        if before is not None:
            day, counted = before["day"], f"dismissed.{reason}"
            await self._count(account, day, slot, held["owner"], "quarantined", -1, session)
            await self._count(account, day, slot, _NOBODY, counted, 1, session)

    async def dismissed(self, event: MailDismissed, slot: int, session: AsyncClientSession) -> bool:
        """Record a dismissed capture; return False when it has an outcome already."""
        about = {"reason": event.reason.value, "message_id_hash": event.message_id_hash}
        return await self._once(
            event, "dismissed", about, f"dismissed.{event.reason.value}", slot, session
        )

    async def confirmation(
        self, event: MailConfirmation, slot: int, session: AsyncClientSession
    ) -> bool:
        """Record a forwarding confirmation; return False when it was recorded before."""
        return await self._once(event, "confirmation", {}, "confirmations", slot, session)

    async def _once(
        self,
        event: MailDismissed | MailConfirmation,
        decision: str,
        about: Document,
        counted_as: str,
        slot: int,
        session: AsyncClientSession,
    ) -> bool:
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
        return recorded.upserted_id is not None

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


def part_of(event: MailAttached) -> str:
    """Return what tells this event from the others of its capture."""
    return f"{event.place}/{event.part}"


def _day(moment: datetime) -> str:
    return moment.date().isoformat()
