"""What the timeline keeps, in MongoDB. Every write can be repeated.

* `mails`: one document a mail; its first capture's content stays, later captures add their owner
  and their matches.
* `profile_mails`: one row per account, viewer, profile and mail: a profile's timeline is one range
  of one index for everyone, and one for the viewer.

What belongs to one capture is written in one transaction.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import pymongo
from pymongo import ASCENDING, DESCENDING, AsyncMongoClient, IndexModel
from pymongo.asynchronous.client_session import AsyncClientSession

from services.timeline.confirmations import Confirmations
from services.timeline.matches import EVERYONE, merge_matches, viewers
from services.timeline.outcomes import Outcomes, Slots
from shared.database import Database, Document, Index
from shared.events import MailAttached, MailConfirmation, MailDismissed

Written = TypeVar("Written")

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
)


class Store:
    """The writing side."""

    def __init__(self, client: AsyncMongoClient[Document], database: Database) -> None:
        self._client = client
        self.outcomes = Outcomes(database)
        self.confirmations = Confirmations(database)
        self._mails = database["mails"]
        self._rows = database["profile_mails"]
        self._slots = Slots()

    async def raw_key(self, account: str, mail_id: str) -> str | None:
        """Return the key of the bytes that are kept of a mail; None when it is not known yet."""
        found = await self._mails.find_one({"_id": mail_id, "account": account}, {"raw_key": 1})
        return str(found["raw_key"]) if found else None

    async def attach(self, event: MailAttached, mail: Document) -> tuple[str, bool]:
        """Record an attached capture with its mail.

        `mail` is the document as this capture alone would make it. Returns the key of the raw bytes
        that are kept, and whether all parts of the event have been seen.
        """

        async def write(slot: int, session: AsyncClientSession) -> tuple[str, bool]:
            complete = await self.outcomes.attached(event, slot, session)
            kept = await self._merge_mail(mail, session)
            await self._add_rows(kept, session)
            return kept["raw_key"], complete

        return await self._in_transaction(write)

    async def dismiss(self, event: MailDismissed) -> None:
        """Record a dismissed capture, unless it has an outcome already."""
        await self._in_transaction(partial(self.outcomes.dismissed, event))

    async def confirm(self, event: MailConfirmation) -> None:
        """Record a forwarding confirmation, for the owner of the capture address."""

        async def write(slot: int, session: AsyncClientSession) -> None:
            await self.outcomes.confirmation(event, slot, session)
            await self.confirmations.keep(event, session)

        await self._in_transaction(write)

    async def _in_transaction(
        self, write: Callable[[int, AsyncClientSession], Awaitable[Written]]
    ) -> Written:
        with self._slots.one() as slot, pymongo.timeout(TRANSACTION_SECONDS):
            async with self._client.start_session() as session:
                return await session.with_transaction(lambda session: write(slot, session))

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


def _one_each(known: list[Document], new: list[Document]) -> list[Document]:
    """Return the known entries, then those of new people."""
    people = {entry["person_id"] for entry in known}
    return [*known, *(entry for entry in new if entry["person_id"] not in people)]
