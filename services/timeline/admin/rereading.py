"""A stored mail, read again from its raw bytes by today's reader. Writes nothing."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct, field
from msgspec.structs import replace

from services.timeline.content.reader import read
from services.timeline.query.erasures import ErasedPeople
from services.timeline.query.raw_bytes import RawBytes
from services.timeline.write.erased import redacted_projection
from services.timeline.write.erased_records import ErasedPerson
from services.timeline.write.projection import Projection, event_of, project
from services.timeline.write.records import Content, Mail, Record
from services.timeline.write.redacting import Redaction
from services.timeline.write.stored import from_document
from shared.storage.blobs import BlobMissing, Blobs
from shared.storage.database import Database, of_id


class ContentVersion(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A content, as far as it tells which reader made it, and when."""

    id: str = field(name="_id")
    account: str
    mail_id: str
    reader_version: int
    read_at: datetime


class Reread(Struct, frozen=True):
    """A content as it is stored, and what each of its captures says when it is read again."""

    mail: Mail
    content: Content
    projections: tuple[Projection, ...]


class Rereader:
    """Reads stored contents again."""

    def __init__(self, database: Database, blobs: Blobs) -> None:
        self._bytes, self._erased = RawBytes(database, blobs), ErasedPeople(database)
        self._contents, self._mails = database[Content.collection], database[Mail.collection]

    async def reread(self, account: str, mail_id: str, content_id: str) -> Reread | str:
        """Return the content read again, or why it cannot be: `without_capture`, `raw_missing`.

        Raises DatabaseAway, BlobStoreAway.
        """
        mail_found = await self._mails.find_one(of_id(account, mail_id))
        content_found = await self._contents.find_one(of_id(account, content_id))
        if mail_found is None or content_found is None:
            return "without_capture"
        mail = from_document(Mail, mail_found)
        content = from_document(Content, content_found)
        captures = [capture for capture in mail.captures if capture.content == content.key]
        if not captures:
            return "without_capture"
        try:
            raw = await self._bytes.get(content.account, content.raw_key)
        except BlobMissing:
            return "raw_missing"
        people = await self._erased.before(account, captures) if content.redacted else []
        forward = captures[0].forwarded is not None
        read_mail = await asyncio.to_thread(read, raw, forward=forward)
        projections = tuple(
            _in_place(project(event_of(mail.account, capture), read_mail, raw), content)
            for capture in captures
        )
        if content.redacted:
            projections = tuple(_as_erased(mail, content, p, people) for p in projections)
        return Reread(mail, content, projections)


def _in_place(projection: Projection, content: Content) -> Projection:
    """Return the projection with the bytes that are kept already."""
    made = replace(
        projection.content, raw_key=content.raw_key, raw_of=content.raw_of, size=content.size
    )
    return replace(projection, content=made)


def _as_erased(
    mail: Mail, content: Content, projection: Projection, people: Sequence[ErasedPerson]
) -> Projection:
    """Return the projection of a mail that somebody was erased from.

    Its bytes no longer tell which mail and which content it is, and their body may name the person.
    """
    matches = (match.address for match in projection.capture.matches)
    made = redacted_projection(projection, Redaction(mail.account, people, matches))
    bounce = made.bounce
    return replace(
        made,
        mail_id=mail.id,
        message_id=mail.message_id,
        token=mail.token,
        content=replace(made.content, id=content.id, mail_id=mail.id, redacted=True),
        capture=replace(made.capture, content=content.key),
        bounce=replace(bounce, id=f"{mail.account}/{bounce.owner}/{mail.id}") if bounce else None,
    )
