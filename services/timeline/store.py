"""What the timeline keeps, in MongoDB. Every write can be repeated.

* `outcomes`: `{_id: <capture id>, account, day, decision, reason, message_id_hash, parts, at}`.
  One capture has one outcome and is counted once; attached wins over dismissed.
* `mails`: one document a mail; its first capture's content stays, later captures add their owner
  and their matches.
* `profile_mails`: one row per account, viewer, profile and mail: a profile's timeline is one range
  of one index.
* `tallies`: counts per account and day, spread over slots so that captures do not queue for one
  document (`_Slots`).

What belongs to one capture is written in one transaction.
"""

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from pymongo import ASCENDING, DESCENDING, AsyncMongoClient, IndexModel
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.database import Database, Document, Index
from shared.events import MailAttached, MailDismissed

EVERYONE = "*"
"""The viewer of rows that the whole team may see."""
_SLOTS = 64

INDEXES = (
    # views.profile_timeline
    Index(
        "profile_mails",
        IndexModel(
            [
                ("account", ASCENDING),
                ("viewer", ASCENDING),
                ("person_id", ASCENDING),
                ("date", DESCENDING),
                ("mail_id", DESCENDING),
            ],
            name="timeline",
        ),
    ),
    # views.stats
    Index("tallies", IndexModel([("account", ASCENDING), ("day", ASCENDING)], name="by_day")),
)


class Store:
    """The writing side."""

    def __init__(self, client: AsyncMongoClient[Document], database: Database) -> None:
        self._client = client
        self._outcomes = database["outcomes"]
        self._mails = database["mails"]
        self._rows = database["profile_mails"]
        self._tallies = database["tallies"]
        self._slots = _Slots()

    async def has_outcome(self, account: str, capture_id: UUID) -> bool:
        """Return whether the capture's outcome is recorded."""
        found = await self._outcomes.find_one({"_id": str(capture_id), "account": account}, {})
        return found is not None

    async def attach(self, event: MailAttached, mail: Document) -> tuple[str, bool]:
        """Record an attached capture with its mail.

        `mail` is the document as this capture alone would make it. Returns the key of the raw bytes
        that are kept, and whether all parts of the event have been seen.
        """

        async def write(session: AsyncClientSession) -> tuple[str, bool]:
            counts, complete = await self._record_attached(event, session)
            raw_key = await self._merge_mail(mail, session)
            await self._add_rows(mail, session)
            await self._count(event, slot, counts, session)
            return raw_key, complete

        with self._slots.one() as slot:
            async with self._client.start_session() as session:
                return await session.with_transaction(write)

    async def dismiss(self, event: MailDismissed) -> None:
        """Record a dismissed capture, unless it has an outcome already."""

        async def write(session: AsyncClientSession) -> None:
            recorded = await self._outcomes.update_one(
                {"_id": str(event.capture_id), "account": event.account},
                {
                    "$setOnInsert": {
                        "decision": "dismissed",
                        "reason": event.reason.value,
                        "message_id_hash": event.message_id_hash,
                        "day": _day(event.received_at),
                        "at": event.decided_at,
                    }
                },
                upsert=True,
                session=session,
            )
            if recorded.upserted_id is not None:
                await self._count(event, slot, {f"dismissed.{event.reason.value}": 1}, session)

        with self._slots.one() as slot:
            async with self._client.start_session() as session:
                await session.with_transaction(write)

    async def _record_attached(
        self, event: MailAttached, session: AsyncClientSession
    ) -> tuple[dict[str, int], bool]:
        """Return what this changes in the tally, and whether all parts have been seen."""
        before = await self._outcomes.find_one_and_update(
            {"_id": str(event.capture_id), "account": event.account},
            {
                "$set": {"decision": "attached"},
                "$unset": {"reason": "", "message_id_hash": ""},
                "$addToSet": {"parts": event.part},
                "$setOnInsert": {"day": _day(event.received_at), "at": event.decided_at},
            },
            upsert=True,
            session=session,
        )
        counts: dict[str, int] = {}
        if before is None:
            counts = {"attached": 1}
        elif before["decision"] == "dismissed":
            counts = {"attached": 1, f"dismissed.{before['reason']}": -1}
        seen = {event.part, *(before or {}).get("parts", ())}
        return counts, len(seen) >= event.parts

    async def _merge_mail(self, mail: Document, session: AsyncClientSession) -> str:
        key = {"_id": mail["_id"], "account": mail["account"]}
        known = await self._mails.find_one(
            key, {"matches": 1, "captured_by": 1, "bcc_by": 1, "raw_key": 1}, session=session
        )
        if known is None:
            await self._mails.insert_one(mail, session=session)
            return str(mail["raw_key"])
        await self._mails.update_one(
            key,
            {
                "$set": {
                    "matches": merge(known["matches"], mail["matches"], "person_id", "address"),
                    "captured_by": merge(known["captured_by"], mail["captured_by"], "person_id"),
                    "bcc_by": merge(known["bcc_by"], mail["bcc_by"], "person_id"),
                }
            },
            session=session,
        )
        return str(known["raw_key"])

    async def _add_rows(self, mail: Document, session: AsyncClientSession) -> None:
        account, mail_id = mail["account"], mail["_id"]
        for person_id in sorted({match["person_id"] for match in mail["matches"]}):
            await self._rows.update_one(
                {"_id": f"{account}/{EVERYONE}/{person_id}/{mail_id}", "account": account},
                {
                    "$setOnInsert": {
                        "viewer": EVERYONE,
                        "person_id": person_id,
                        "mail_id": mail_id,
                        "date": mail["sort_date"],
                    }
                },
                upsert=True,
                session=session,
            )

    async def _count(
        self,
        event: MailAttached | MailDismissed,
        slot: int,
        counts: dict[str, int],
        session: AsyncClientSession,
    ) -> None:
        if not counts:
            return
        day = _day(event.received_at)
        await self._tallies.update_one(
            {"_id": f"{event.account}/{day}/{slot}", "account": event.account},
            {"$inc": counts, "$setOnInsert": {"day": day}},
            upsert=True,
            session=session,
        )


class _Slots:
    """Hands out tally slots so that two transactions of this process never meet in one.

    MongoDB aborts one of two transactions that write the same document. Slots that were used lately
    go first, so that a quiet account has few; replicas begin at different ones.
    """

    def __init__(self) -> None:
        first = secrets.randbelow(_SLOTS)
        self._free = [(first + n) % _SLOTS for n in reversed(range(_SLOTS))]

    @contextmanager
    def one(self) -> Iterator[int]:
        slot = self._free.pop() if self._free else secrets.randbelow(_SLOTS)
        try:
            yield slot
        finally:
            if slot not in self._free:
                self._free.append(slot)


def merge(known: Iterable[Document], new: Iterable[Document], *identity: str) -> list[Document]:
    """Return the known entries, then the new ones that differ in `identity`.

    A flag that is set in either stays set.
    """
    merged: dict[tuple[Any, ...], Document] = {}
    for entry in (*known, *new):
        kept = merged.setdefault(tuple(entry[field] for field in identity), dict(entry))
        for field, value in entry.items():
            if value is True:
                kept[field] = True
    return list(merged.values())


def _day(moment: datetime) -> str:
    return moment.date().isoformat()
