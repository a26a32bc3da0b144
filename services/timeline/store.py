"""What the timeline keeps, in MongoDB. Every write can be repeated, in any order.

* `mails`: one document a mail: its captures, one entry a person (`projection.py`).
* `contents`: what is shown of it, one document for each different form in which it was captured.
* What is read is derived from these two, range by range (`rows.py`), and can be made anew.
* `outcomes` and tallies: `outcomes.py`. `changes`: `changes.py`.

What belongs to one capture is written in one transaction.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import pymongo
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession

from services.timeline.changes import Changes
from services.timeline.confirmations import Confirmations
from services.timeline.outcomes import Outcomes, Slots
from services.timeline.projection import Projection
from services.timeline.rows import Rows
from services.timeline.threads import Threads
from services.timeline.turns import Turns
from services.timeline.viewers import add_capture
from shared.database import Database, Document
from shared.events import MailAttached, MailConfirmation, MailDismissed

Written = TypeVar("Written")

TRANSACTION_SECONDS = 10
"""For all of its tries together; by itself the driver tries for two minutes."""


class Store:
    """The writing side."""

    def __init__(self, client: AsyncMongoClient[Document], database: Database) -> None:
        self._client = client
        self.outcomes = Outcomes(database)
        self.confirmations = Confirmations(database)
        self.threads = Threads(database)
        self.changes = Changes(database)
        self._rows = Rows(database)
        self._mails = database["mails"]
        self._contents = database["contents"]
        self._slots, self._turns = Slots(), Turns()

    async def raw_key(self, content_id: str) -> str | None:
        """Return the key of the bytes that are kept of a content; None when it is not known yet."""
        found = await self._contents.find_one({"_id": content_id}, {"raw_key": 1})
        return str(found["raw_key"]) if found else None

    async def attach(self, event: MailAttached, projection: Projection) -> tuple[str, bool]:
        """Record an attached capture with its mail.

        Returns the key of the raw bytes that are kept of its content, and whether all parts of the
        event have been seen.
        """

        async def write(slot: int, session: AsyncClientSession) -> tuple[str, bool]:
            complete = await self.outcomes.attached(event, slot, session)
            raw_key = await self.write(projection, session)
            return raw_key, complete

        async with self._turns.of((projection.mail_id, projection.token, *projection.references)):
            return await self._in_transaction(write)

    async def write(self, projection: Projection, session: AsyncClientSession) -> str:
        """Write what one capture says about a mail; return the key of its content's raw bytes."""
        content = await self._keep_content(projection.content, session)
        mail, before = await self._keep_mail(projection, session)
        tokens = (projection.token, *projection.references)
        is_new = int(not before)
        thread = await self.threads.join(mail["account"], tokens, is_new, session)
        contents = {projection.capture["content"]: content}
        ranges = await self._rows.write(mail, before, contents, thread, session)
        await self.changes.tell(mail["account"], ranges, thread.name, session)
        return str(content["raw_key"])

    async def dismiss(self, event: MailDismissed) -> None:
        """Record a dismissed capture, unless it has an outcome already."""
        await self._in_transaction(partial(self.outcomes.dismissed, event))

    async def confirm(self, event: MailConfirmation) -> None:
        """Record a forwarding confirmation, for the owner of the capture address."""

        async def write(slot: int, session: AsyncClientSession) -> None:
            await self.outcomes.confirmation(event, slot, session)
            await self.confirmations.keep(event, session)

        await self._in_transaction(write)

    async def _keep_content(self, content: Document, session: AsyncClientSession) -> Document:
        """Return the content as it is kept: the first that said the same."""
        id_ = {"_id": content["_id"], "account": content["account"]}
        known = await self._contents.find_one(id_, session=session)
        if known is None:
            await self._contents.insert_one(content, session=session)
        return known or content

    async def _keep_mail(
        self, projection: Projection, session: AsyncClientSession
    ) -> tuple[Document, list[Document]]:
        """Return the mail with the capture, and the captures that it had before."""
        id_ = {"_id": projection.mail_id, "account": projection.content["account"]}
        known = await self._mails.find_one(id_, session=session)
        before = known["captures"] if known else []
        captures = add_capture(before, projection.capture)
        mail = {
            **id_,
            "message_id": projection.message_id,
            "token": projection.token,
            "captures": captures,
        }
        if known is None:
            await self._mails.insert_one(mail, session=session)
        elif captures != before:
            await self._mails.update_one(id_, {"$set": {"captures": captures}}, session=session)
        return mail, before

    async def _in_transaction(
        self, write: Callable[[int, AsyncClientSession], Awaitable[Written]]
    ) -> Written:
        with self._slots.one() as slot, pymongo.timeout(TRANSACTION_SECONDS):
            async with self._client.start_session() as session:
                return await session.with_transaction(lambda session: write(slot, session))
