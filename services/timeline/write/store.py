"""What the timeline keeps, in MongoDB. Every write can be repeated, in any order.

* `mails`: one document a mail: its captures, one entry a person (`projection.py`).
* `contents`: what is shown of it, one document for each different form in which it was captured.
* `rows.py` derives what is read from these two, for each audience; rows can be made anew.
* `outcomes` and tallies: `outcomes.py`. `changes`: `changes.py`. `quarantine`: `quarantine.py`.

What belongs to one capture is written in one transaction.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import TypeVar

import pymongo
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession

from services.timeline.write.audiences import add_capture
from services.timeline.write.authentication import has_failed
from services.timeline.write.bounces import Bounces
from services.timeline.write.changes import Changes
from services.timeline.write.confirmations import Confirmations
from services.timeline.write.conversations import Conversations
from services.timeline.write.outcomes import Final, Outcomes, Recorded, Slots
from services.timeline.write.projection import Projection
from services.timeline.write.quarantine import Quarantine
from services.timeline.write.rows import Rows
from services.timeline.write.turns import Turns
from shared.database import Database, Document, of_id
from shared.events import MailAttached, MailConfirmation, MailDismissed

Written = TypeVar("Written")

TRANSACTION_SECONDS = 10
"""For all of its tries together; by itself the driver tries for two minutes."""


@dataclass(frozen=True, slots=True)
class Attached:
    """An attached event that is written."""

    raw_key: str
    """Of the raw bytes that are kept of its content."""
    conversation: str
    """The id of the mail's conversation, at this moment."""
    recorded: Recorded


class Store:
    """The writing side."""

    def __init__(self, client: AsyncMongoClient[Document], database: Database) -> None:
        self._client = client
        self.outcomes = Outcomes(database)
        self.confirmations = Confirmations(database)
        self.conversations = Conversations(database)
        self.changes = Changes(database)
        self.quarantine = Quarantine(database)
        self._bounces = Bounces(database)
        self._rows = Rows(database)
        self._mails = database["mails"]
        self._contents = database["contents"]
        self._slots, self._turns = Slots(), Turns()

    async def raw_key(self, content: Document) -> str | None:
        """Return the key of the bytes that are kept of a content; None when it is not known yet."""
        which = of_id(content["account"], content["_id"])
        found = await self._contents.find_one(which, {"raw_key": 1})
        return str(found["raw_key"]) if found else None

    async def attach(self, event: MailAttached, projection: Projection) -> Attached | None:
        """Record an attached capture with its mail; None when a user has refused it: that stays."""

        async def write(slot: int, session: AsyncClientSession) -> Attached | None:
            if has_failed(event):
                if await self.outcomes.of(event, session) == "forgotten":
                    return None
                await self.quarantine.take(event, session)
            recorded = await self.outcomes.attached(event, slot, session)
            raw_key, conversation = await self.write(projection, session)
            return Attached(raw_key, conversation, recorded)

        async with self._turns.of((projection.mail_id, *projection.tokens)):
            return await self._in_transaction(write)

    async def hold(self, event: MailAttached, projection: Projection) -> Recorded | None:
        """Let a mail wait for a user's yes; None when that has been decided meanwhile."""

        async def write(slot: int, session: AsyncClientSession) -> Recorded | None:
            if await self.outcomes.of(event, session) in ("attached", "forgotten"):
                return None
            await self.quarantine.hold(event, projection, session)
            return await self.outcomes.attached(event, slot, session, "quarantined")

        return await self._in_transaction(write)

    async def refuse(self, held: Document, reason: Final) -> None:
        """Forget a capture that waited; its bytes are gone already."""

        async def write(slot: int, session: AsyncClientSession) -> None:
            await self.outcomes.refused(held, reason, slot, session)
            await self.quarantine.forget(held, session)

        await self._in_transaction(write)

    async def write(
        self,
        projection: Projection,
        session: AsyncClientSession,
        *,
        former: Sequence[str] = (),
        is_news: bool | None = None,
    ) -> tuple[str, str]:
        """Write what one capture says about a mail.

        `former` are more tokens of the mail, `is_news` says whether somebody should hear of it; by
        itself the projection does. Returns the key of its content's raw bytes, and its
        conversation's id.
        """
        is_news = projection.is_news if is_news is None else is_news
        content = await self._keep_content(projection.content, session)
        mail, before = await self._keep_mail(projection, session)
        is_new = int(not before)
        tokens = (*projection.tokens, *former)
        conversation = await self.conversations.join(mail["account"], tokens, is_new, session)
        contents = {projection.capture["content"]: content}
        audiences = await self._rows.write(
            mail, before, contents, conversation, session, is_news=is_news
        )
        if is_news:
            await self.changes.tell(mail["account"], audiences, conversation.name, session)
        if projection.bounce is not None:
            await self._bounces.keep(projection.bounce, session)
        return str(content["raw_key"]), conversation.name

    async def replace(
        self, mail_id: str, content: Document, projections: Sequence[Projection]
    ) -> str:
        """Put projections, made anew from a content's bytes, in the place of that content.

        Returns `unchanged`, `changed`, or `moved` when it is another mail now.
        """

        async def write(_: int, session: AsyncClientSession) -> str:
            return await self._replace(mail_id, content, projections, session)

        async with self._turns.of((mail_id, *(t for p in projections for t in p.tokens))):
            return await self._in_transaction(write)

    async def _replace(
        self,
        mail_id: str,
        content: Document,
        projections: Sequence[Projection],
        session: AsyncClientSession,
    ) -> str:
        account, key = content["account"], content["_id"].partition("/")[2]
        mail = await self._mails.find_one(of_id(account, mail_id), session=session)
        if mail is None:
            return "unchanged"
        await self._contents.delete_one(of_id(account, content["_id"]), session=session)
        await self._bounces.forget(mail, key, session)
        replace = self._in_place if projections[0].mail_id == mail_id else self._move
        return await replace(mail, key, projections, session)

    async def _in_place(
        self,
        mail: Document,
        key: str,
        projections: Sequence[Projection],
        session: AsyncClientSession,
    ) -> str:
        """Put projections of a mail in the place of its content with this key."""
        account = mail["account"]
        made = {p.capture["content"]: p.content for p in projections}
        for new in made.values():
            which = of_id(account, new["_id"])
            await self._contents.replace_one(which, new, upsert=True, session=session)
        others = [capture for capture in mail["captures"] if capture["content"] != key]
        after = reduce(add_capture, (p.capture for p in projections), others)
        new_mail = {**mail, "captures": after, "token": projections[0].token}
        await self._mails.replace_one(of_id(account, mail["_id"]), new_mail, session=session)
        tokens = [mail["token"], *projections[0].tokens]
        audiences = await self._write_rows(mail, new_mail, tokens, made, session)
        for projection in projections:
            if projection.bounce is not None:
                await self._bounces.keep(projection.bounce, session)
        return "changed" if audiences else "unchanged"

    async def _move(
        self,
        mail: Document,
        key: str,
        projections: Sequence[Projection],
        session: AsyncClientSession,
    ) -> str:
        """Make another mail of a mail's content with this key, which it is by its identity now.

        Its conversation keeps its id, what was read of it, and its other mails: unless these are
        there only because the mail's former id was wrong.
        """
        account, tokens = mail["account"], projections[0].tokens
        conversations = await self.conversations.of_tokens(
            account, [mail["token"], *tokens], session
        )
        conversation = conversations.get(mail["token"])
        stays = conversation in (conversations.get(token) for token in tokens)
        if conversation and not stays:
            stays = await self._rows.are_all(mail, conversation, session)
        former = [mail["token"]] if stays else []
        is_news = False if stays else None
        for projection in projections:
            await self.write(projection, session, former=former, is_news=is_news)
        others = [capture for capture in mail["captures"] if capture["content"] != key]
        new_mail = {**mail, "captures": others}
        id_ = of_id(account, mail["_id"])
        if others:
            await self._mails.replace_one(id_, new_mail, session=session)
        else:
            await self._mails.delete_one(id_, session=session)
        await self._write_rows(mail, new_mail, [mail["token"]], {}, session)
        return "moved"

    async def _write_rows(
        self,
        mail: Document,
        new_mail: Document,
        tokens: Sequence[str],
        contents: Mapping[str, Document],
        session: AsyncClientSession,
    ) -> set[str]:
        """Bring the rows of a mail that has changed up to date; return where something changed."""
        account, before = mail["account"], mail["captures"]
        conversation = await self.conversations.join(account, tokens, 0, session)
        audiences = await self._rows.write(
            new_mail, before, contents, conversation, session, is_news=False
        )
        await self.changes.tell(account, audiences, conversation.name, session)
        return audiences

    async def dismiss(self, event: MailDismissed) -> bool:
        """Record a dismissed capture; return False when it has an outcome already."""
        return await self._in_transaction(partial(self.outcomes.dismissed, event))

    async def confirm(self, event: MailConfirmation) -> bool:
        """Record a forwarding confirmation, for the owner of the capture address.

        Returns False when it was recorded before.
        """

        async def write(slot: int, session: AsyncClientSession) -> bool:
            is_new = await self.outcomes.confirmation(event, slot, session)
            await self.confirmations.keep(event, session)
            return is_new

        return await self._in_transaction(write)

    async def _keep_content(self, content: Document, session: AsyncClientSession) -> Document:
        """Return the content as it is kept: the first that said the same."""
        id_ = of_id(content["account"], content["_id"])
        known = await self._contents.find_one(id_, session=session)
        if known is None:
            await self._contents.insert_one(content, session=session)
        return known or content

    async def _keep_mail(
        self, projection: Projection, session: AsyncClientSession
    ) -> tuple[Document, list[Document]]:
        """Return the mail with the capture, and the captures that it had before."""
        id_ = of_id(projection.content["account"], projection.mail_id)
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
