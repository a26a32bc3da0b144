"""What the timeline keeps, in MongoDB. Every write can be repeated.

* `outcomes`: `{_id: <capture id>, account, day, decision, reason, message_id_hash, parts, at}`.
  One capture has one outcome and is counted once; attached wins over dismissed.
* `mails`: one document a mail; its first capture's content stays, later captures add their owner
  and their matches.
* `profile_mails`: one row per account, viewer, profile and mail: a profile's timeline is one range
  of one index for everyone, and one for the viewer.
* `tallies`: counts per account and day, spread over slots so that captures do not queue for one
  document (`_Slots`).

What belongs to one capture is written in one transaction.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import pymongo
from pymongo import ASCENDING, DESCENDING, AsyncMongoClient, IndexModel
from pymongo.asynchronous.client_session import AsyncClientSession

from services.timeline.matches import EVERYONE, merge_matches, viewers
from shared.database import Database, Document, Index
from shared.events import MailAttached, MailDismissed

_SLOTS = 64
_KEPT = ("account", "matches", "captured_by", "bcc_by", "raw_key", "sort_date")
TRANSACTION_SECONDS = 10
"""For all of its tries together; by itself the driver tries for two minutes."""

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
    # Store._add_rows: the rows of one mail and profile
    Index(
        "profile_mails",
        IndexModel(
            [("account", ASCENDING), ("mail_id", ASCENDING), ("person_id", ASCENDING)],
            name="of_mail",
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

    async def has_attached(self, event: MailAttached) -> bool:
        """Return whether this part of the event was written before."""
        id_ = {"_id": str(event.capture_id), "account": event.account}
        written = {**id_, "decision": "attached", "parts": event.part}
        return await self._outcomes.find_one(written, {"_id": 1}) is not None

    async def raw_key(self, account: str, mail_id: str) -> str | None:
        """Return the key of the bytes that are kept of a mail; None when it is not known yet."""
        found = await self._mails.find_one({"_id": mail_id, "account": account}, {"raw_key": 1})
        return str(found["raw_key"]) if found else None

    async def attach(self, event: MailAttached, mail: Document) -> tuple[str, bool]:
        """Record an attached capture with its mail.

        `mail` is the document as this capture alone would make it. Returns the key of the raw bytes
        that are kept, and whether all parts of the event have been seen.
        """

        async def write(session: AsyncClientSession) -> tuple[str, bool]:
            counts, complete = await self._record_attached(event, session)
            kept = await self._merge_mail(mail, session)
            await self._add_rows(kept, session)
            await self._count(event, slot, counts, session)
            return kept["raw_key"], complete

        with self._slots.one() as slot, pymongo.timeout(TRANSACTION_SECONDS):
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

        with self._slots.one() as slot, pymongo.timeout(TRANSACTION_SECONDS):
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

    async def _merge_mail(self, mail: Document, session: AsyncClientSession) -> Document:
        """Return what is kept of the mail: its matches, its date and the key of its bytes."""
        key = {"_id": mail["_id"], "account": mail["account"]}
        known = await self._mails.find_one(key, dict.fromkeys(_KEPT, 1), session=session)
        if known is None:
            await self._mails.insert_one(mail, session=session)
            return mail
        matches = merge_matches(known["matches"], mail["matches"])
        await self._mails.update_one(
            key,
            {
                "$set": {
                    "matches": matches,
                    "captured_by": _one_each(known["captured_by"], mail["captured_by"]),
                    "bcc_by": _one_each(known["bcc_by"], mail["bcc_by"]),
                }
            },
            session=session,
        )
        return known | {"matches": matches}

    async def _add_rows(self, kept: Document, session: AsyncClientSession) -> None:
        account, mail_id = kept["account"], kept["_id"]
        for person_id, who in sorted(viewers(kept["matches"]).items()):
            of_mail = {"account": account, "person_id": person_id, "mail_id": mail_id}
            if who == {EVERYONE}:  # what was one owner's to see may be open now
                hidden = {**of_mail, "viewer": {"$ne": EVERYONE}}
                await self._rows.delete_many(hidden, session=session)
            for viewer in sorted(who):
                await self._rows.update_one(
                    {"_id": f"{account}/{viewer}/{person_id}/{mail_id}", "account": account},
                    {"$setOnInsert": {**of_mail, "viewer": viewer, "date": kept["sort_date"]}},
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


def _one_each(known: list[Document], new: list[Document]) -> list[Document]:
    """Return the known entries, then those of new people."""
    people = {entry["person_id"] for entry in known}
    return [*known, *(entry for entry in new if entry["person_id"] not in people)]


def _day(moment: datetime) -> str:
    return moment.date().isoformat()
