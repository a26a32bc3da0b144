"""Reading mails: a profile's timeline, a conversation's mails, one mail.

Every page is one range of one index, and the mails that it names. The index is named, since
MongoDB would try several and remember what was best for another conversation.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.asynchronous.collection import AsyncCollection

from services.timeline.query.bounces import Bounces, KnownBounce, NotReached, bounced
from services.timeline.query.conversations import Conversations
from services.timeline.query.cursors import MailPlace, after, read_cursor, write_cursor
from services.timeline.query.hiding import Hiding, Reason
from services.timeline.query.parts import fields_of, records_of
from services.timeline.query.viewer import Viewer
from services.timeline.write.audiences import as_ruled
from services.timeline.write.authentication import of_captures
from services.timeline.write.listed_records import MailRow, ProfileRow
from services.timeline.write.mail_rows import content_id
from services.timeline.write.records import (
    Capture,
    Content,
    ListedContent,
    Mail,
    MatchRecord,
    Verdict,
)
from shared.storage.database import Database, Document, Index

Rows = AsyncCollection[Document]
C = TypeVar("C", bound=ListedContent)
C_co = TypeVar("C_co", bound=ListedContent, covariant=True)
_NEWEST = [("date", DESCENDING), ("mail_id", DESCENDING)]
_OF_PROFILE = [("account", ASCENDING), ("viewer", ASCENDING), ("person_id", ASCENDING), *_NEWEST]
INDEXES = (
    # Mails.profile_timeline. That of Mails.of_conversation is of_thread of `write/indexes.py`.
    Index(ProfileRow.collection, IndexModel(_OF_PROFILE, name="timeline")),
)


@dataclass(frozen=True, slots=True)
class ShownMail(Generic[C_co]):
    """A mail as a viewer sees it."""

    viewer: Viewer
    mail: Mail
    content: C_co
    """Of the capture that is shown; in lists without its text and HTML."""
    conversation_id: str
    bounces: tuple[KnownBounce, ...] = ()
    """What says that the mail could not be delivered (`bounces.py`)."""

    @property
    def bounced(self) -> list[NotReached]:
        """Return the recipients that the mail did not reach, and since when that is known."""
        captures = self.viewer.contents(self.mail)
        viewer = None if self.viewer.sees_all else self.viewer.person_id
        return bounced(self.bounces, captures, self.content, viewer)

    @property
    def captures(self) -> list[Capture]:
        """Return the captures of this content that the viewer may know of, the first one first."""
        key = self.content.key
        return [c for c in self.viewer.contents(self.mail) if c.content == key]

    @property
    def capture(self) -> Capture:
        """Return the capture that is shown."""
        return self.captures[0]

    @property
    def matches(self) -> list[MatchRecord]:
        """Return the matches of this content that the viewer may see."""
        return self.viewer.matches(self.captures)

    @property
    def detached(self) -> list[str]:
        """Return the profiles that the mail was removed from, as far as the viewer may see them."""
        return self.viewer.detached(self.viewer.captures(self.mail))

    @property
    def hidden(self) -> dict[str, Reason]:
        """Return the profiles that the viewer sees and others do not, and why."""
        if not self.viewer.sees_all:
            return {}
        shown = (one for one in as_ruled(self.mail) if one.content == self.content.key)
        return self.viewer.hidden.profiles_of(shown)

    @property
    def is_private(self) -> bool:
        """Return whether what the viewer captured is for the viewer alone."""
        return self.viewer.has_made_private(self.mail)

    @property
    def authentication(self) -> Verdict:
        """Return whether what is shown is from whom it says, by the captures that the viewer may
        know of."""
        return of_captures(self.captures)

    @property
    def variants(self) -> dict[str, list[str]]:
        """Return the other contents of the mail, with the people who captured them."""
        shown, found = self.capture.said, dict[str, tuple[str, list[str]]]()
        for capture in self.viewer.contents(self.mail):
            if capture.said != shown:
                found.setdefault(capture.said, (capture.content, []))
                found[capture.said][1].append(capture.owner)
        return {content: sorted(set(people)) for content, people in found.values()}


@dataclass(frozen=True, slots=True)
class MailPage:
    """Some mails, and where the next ones begin."""

    items: list[ShownMail[ListedContent]]
    next_cursor: str | None
    profile: str | None = None
    """Of a profile's mails the profile that shows them: it may have been merged into another."""
    hidden: Reason | None = None
    """Why that profile's mails are not shown, of which there are some."""


class Mails:
    """The mails of all accounts, for reading."""

    def __init__(self, database: Database) -> None:
        self._mails = database[Mail.collection]
        self._contents = database[Content.collection]
        self._rows = database[MailRow.collection]
        self._profile_rows = database[ProfileRow.collection]
        self._conversations = Conversations(database)
        self._bounces = Bounces(database)
        self.hiding = Hiding(database)

    async def profile_timeline(
        self, viewer: Viewer, person_id: str, limit: int, cursor: str | None
    ) -> MailPage:
        """Return a profile's mails, newest first. Raises InvalidCursor.

        A page of merged profiles may hold fewer: of a mail that names several one row counts.
        """
        profile = await self.hiding.profile(viewer.account, person_id)
        shows, members = profile.survivor, [*profile.members]
        which: Document = {"person_id": {"$in": members} if members[1:] else shows}
        rows, limit = self._profile_rows, limit if profile.hidden is None else 1
        places, next_cursor = await self._page(viewer, rows, "timeline", which, limit, cursor)
        if profile.hidden is not None:
            return MailPage([], None, shows, profile.hidden if places else None)
        shown = await self._shown(viewer, _ids(places), ListedContent, person_id=shows)
        if members[1:]:
            by_id = {one.mail.id: one for one in shown}
            counts = {one.mail.id: one.viewer.place_of(one.mail, shows, members) for one in shown}
            counted = _ids(place for place in places if counts.get(place.mail_id) == place.date)
            shown = [by_id[id_] for id_ in counted]
        return MailPage(shown, next_cursor, shows)

    async def of_conversation(
        self, viewer: Viewer, conversation: str, limit: int, cursor: str | None
    ) -> MailPage:
        """Return a conversation's mails, newest first. Raises InvalidCursor."""
        rows, which = self._rows, {"thread": conversation}
        page, next_cursor = await self._page(viewer, rows, "of_thread", which, limit, cursor)
        return MailPage(await self._shown(viewer, _ids(page), ListedContent), next_cursor)

    async def one(
        self, viewer: Viewer, mail_id: str, variant: str | None = None
    ) -> ShownMail[Content] | None:
        """Return a mail, or a variant of it, if the viewer may see it."""
        found = await self._shown(viewer, [mail_id], Content, variant=variant)
        return found[0] if found else None

    async def several(
        self, viewer: Viewer, mail_ids: Sequence[str]
    ) -> list[ShownMail[ListedContent]]:
        """Return those of the mails that the viewer may see, in this order."""
        return await self._shown(viewer, mail_ids, ListedContent)

    async def visible(self, viewer: Viewer, mail_ids: Sequence[str]) -> tuple[str, ...]:
        """Return those of the mails that the viewer may see, in this order."""
        of_ids = {"account": viewer.account, "_id": {"$in": list(mail_ids)}}
        mails = await records_of(Mail, self._mails.find(of_ids)) if mail_ids else []
        viewer = await self._knowing(viewer, mails)
        seen = {mail.id for mail in mails if viewer.captures(mail)}
        return tuple(id_ for id_ in mail_ids if id_ in seen)

    async def _knowing(self, viewer: Viewer, mails: Iterable[Mail]) -> Viewer:
        """Return the viewer with what is hidden of these mails."""
        return viewer.knowing(await self.hiding.of(viewer.account, profiles_of(mails)))

    async def _page(
        self,
        viewer: Viewer,
        rows: Rows,
        index: str,
        which: Document,
        limit: int,
        cursor: str | None,
    ) -> tuple[list[MailPlace], str | None]:
        """Return the places of a page's mails, and where the next page begins."""
        position = read_cursor(cursor) if cursor is not None else None
        query = {
            "account": viewer.account,
            "viewer": {"$in": viewer.audiences},
            **which,
            **after(position, "date", "mail_id"),
        }
        sorted_ = rows.find(query, fields_of(MailPlace)).hint(index).sort(_NEWEST)
        found = await records_of(MailPlace, sorted_.limit(limit + 1))
        page, more = found[:limit], found[limit:]
        next_cursor = write_cursor(page[-1].position) if more else None
        return page, next_cursor

    async def _shown(
        self,
        viewer: Viewer,
        mail_ids: Sequence[str],
        kind: type[C],
        *,
        variant: str | None = None,
        person_id: str | None = None,
    ) -> list[ShownMail[C]]:
        """Return those of the mails that the viewer may see, in this order: as this variant, or
        with the content that they are on a profile with."""
        of_ids = {"account": viewer.account, "_id": {"$in": list(mail_ids)}}
        mails = {mail.id: mail for mail in await records_of(Mail, self._mails.find(of_ids))}
        viewer = await self._knowing(viewer, mails.values())
        chosen: dict[str, str] = {}
        for id_, mail in mails.items():
            keys = [capture.content for capture in viewer.contents(mail, person_id)]
            if keys and variant in (None, *keys):
                chosen[id_] = content_id(id_, variant or keys[0])
        of_keys = {"account": viewer.account, "_id": {"$in": list(chosen.values())}}
        found = self._contents.find(of_keys, fields_of(kind))
        contents = {content.mail_id: content for content in await records_of(kind, found)}
        tokens = [mail.token for mail in mails.values()]
        conversations = await self._conversations.of_tokens(viewer.account, tokens)
        bounces = await self._bounces.of(viewer, mails.values())
        return [
            ShownMail(
                viewer,
                mails[id_],
                contents[id_],
                conversations[mails[id_].token],
                tuple(bounces.get(mails[id_].token, ())),
            )
            for id_ in mail_ids
            if id_ in contents
        ]


def profiles_of(mails: Iterable[Mail]) -> set[str]:
    """Return the ids of all profiles that mails name."""
    return {match.person_id for mail in mails for c in mail.captures for match in c.matches}


def _ids(places: Iterable[MailPlace]) -> list[str]:
    """Return the mails at these places, each once."""
    return [*dict.fromkeys(place.mail_id for place in places)]
