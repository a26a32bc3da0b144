"""Reading mails: a profile's timeline, a conversation's mails, one mail.

Every page is one range of one index, and the mails that it names. The index is named, since
MongoDB would try several and remember what was best for another conversation.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pymongo import DESCENDING
from pymongo.asynchronous.collection import AsyncCollection

from services.timeline.query.bounces import Bounces, bounced
from services.timeline.query.cursors import after, read_cursor, write_cursor
from services.timeline.query.viewer import Viewer
from services.timeline.write.authentication import of_captures
from services.timeline.write.conversations import Conversations
from shared.database import Database, Document

Rows = AsyncCollection[Document]
_NEWEST = [("date", DESCENDING), ("mail_id", DESCENDING)]
_LISTED = {"text": 0, "html": 0}


@dataclass(frozen=True, slots=True)
class ShownMail:
    """A mail as a viewer sees it."""

    viewer: Viewer
    mail: Document
    content: Document
    """Of the capture that is shown; in lists without its text and HTML."""
    conversation_id: str
    bounces: tuple[Document, ...] = ()
    """What says that the mail could not be delivered (`bounces.py`)."""

    @property
    def bounced(self) -> list[Document]:
        """Return to whom the mail could not be delivered, and since when that is known."""
        captures = self.viewer.contents(self.mail)
        return bounced(self.bounces, captures, self.content, self.viewer.person_id)

    @property
    def capture(self) -> Document:
        """Return the capture that is shown."""
        return next(
            c
            for c in self.viewer.contents(self.mail)
            if c["content"] == self.content["_id"].partition("/")[2]
        )

    @property
    def authentication(self) -> Document:
        """Return whether what is shown is from whom it says, by the captures that the viewer may
        know of."""
        shown = self.capture["content"]
        return of_captures(c for c in self.viewer.contents(self.mail) if c["content"] == shown)

    @property
    def variants(self) -> dict[str, list[str]]:
        """Return the contents that say something else, with the people who captured them so."""
        shown, found = self.capture["said"], dict[str, tuple[str, list[str]]]()
        for capture in self.viewer.contents(self.mail):
            if capture["said"] != shown:
                found.setdefault(capture["said"], (capture["content"], []))
                found[capture["said"]][1].append(capture["person_id"])
        return {content: sorted(set(people)) for content, people in found.values()}


@dataclass(frozen=True, slots=True)
class MailPage:
    """Some mails, and where the next ones begin."""

    items: list[ShownMail]
    next_cursor: str | None


class Mails:
    """The mails of all accounts, for reading."""

    def __init__(self, database: Database) -> None:
        self._mails = database["mails"]
        self._contents = database["contents"]
        self._rows = database["mail_rows"]
        self._profile_rows = database["profile_mails"]
        self._conversations = Conversations(database)
        self._bounces = Bounces(database)

    async def profile_timeline(
        self, viewer: Viewer, person_id: str, limit: int, cursor: str | None
    ) -> MailPage:
        """Return a profile's mails, newest first. Raises InvalidCursor."""
        rows, which = self._profile_rows, {"person_id": person_id}
        return await self._page(viewer, rows, "timeline", which, limit, cursor)

    async def of_conversation(
        self, viewer: Viewer, conversation: str, limit: int, cursor: str | None
    ) -> MailPage:
        """Return a conversation's mails, newest first. Raises InvalidCursor."""
        rows, which = self._rows, {"thread": conversation}
        return await self._page(viewer, rows, "of_thread", which, limit, cursor)

    async def one(
        self, viewer: Viewer, mail_id: str, variant: str | None = None
    ) -> ShownMail | None:
        """Return a mail, or a variant of it, if the viewer may see it."""
        found = await self.shown(viewer, [mail_id], whole=True, variant=variant)
        return found[0] if found else None

    async def _page(
        self,
        viewer: Viewer,
        rows: Rows,
        index: str,
        which: Document,
        limit: int,
        cursor: str | None,
    ) -> MailPage:
        position = read_cursor(cursor) if cursor is not None else None
        query = {
            "account": viewer.account,
            "viewer": {"$in": viewer.audiences},
            **which,
            **after(position, "date", "mail_id"),
        }
        place = {"date": 1, "mail_id": 1}
        sorted_ = rows.find(query, place).hint(index).sort(_NEWEST)
        found = await sorted_.limit(limit + 1).to_list()
        page, more = found[:limit], found[limit:]
        return MailPage(
            await self.shown(viewer, [row["mail_id"] for row in page]),
            write_cursor((page[-1]["date"], page[-1]["mail_id"])) if more else None,
        )

    async def shown(
        self,
        viewer: Viewer,
        mail_ids: Sequence[str],
        *,
        whole: bool = False,
        variant: str | None = None,
    ) -> list[ShownMail]:
        """Return those of the mails that the viewer may see, in this order."""
        of_ids = {"account": viewer.account, "_id": {"$in": list(mail_ids)}}
        mails = {mail["_id"]: mail async for mail in self._mails.find(of_ids)}
        chosen: dict[str, str] = {}
        for id_, mail in mails.items():
            keys = [capture["content"] for capture in viewer.contents(mail)]
            if viewer.matches(mail) and keys and variant in (None, *keys):
                chosen[id_] = f"{id_}/{variant or keys[0]}"
        of_keys = {"account": viewer.account, "_id": {"$in": list(chosen.values())}}
        found = self._contents.find(of_keys, None if whole else _LISTED)
        contents = {content["mail_id"]: content async for content in found}
        tokens = [mail["token"] for mail in mails.values()]
        conversations = await self._conversations.of_tokens(viewer.account, tokens)
        bounces = await self._bounces.of(viewer, mails.values())
        return [
            ShownMail(
                viewer,
                mails[id_],
                contents[id_],
                conversations[mails[id_]["token"]],
                tuple(bounces.get(mails[id_]["token"], ())),
            )
            for id_ in mail_ids
            if id_ in contents
        ]
