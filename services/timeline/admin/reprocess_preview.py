"""What reading the stored mails again would change, before it is done. Writes nothing.

A kind is a field of what is shown (`text`, `attachments`, ...), `date`, `message_id`, or `moved`:
the mail would have another identity. The preview shows which mails differ in which kinds, and no
content.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from services.timeline.admin.rereading import ContentVersion, Reread, Rereader
from services.timeline.content.reader import READER_VERSION
from services.timeline.query.parts import fields_of, records_of
from services.timeline.write.records import Content
from shared.storage.blobs import Blobs
from shared.storage.database import Database

_NOT_SHOWN = {"id", "account", "mail_id", "reader_version", "read_at", "size", "raw_key", "raw_of"}
SHOWN = tuple(name for name in Content.__struct_fields__ if name not in _NOT_SHOWN)
KINDS = (*(name.rstrip("_") for name in SHOWN), "date", "message_id", "moved")


class Difference(Struct, frozen=True):
    """A mail that would be shown otherwise."""

    account: str
    mail_id: str
    kinds: tuple[str, ...]


class PreviewPage(Struct, frozen=True):
    """What was found about some contents."""

    items: tuple[Difference, ...]
    tally: Counter[str]
    """Contents by what would become of them: `changed`, `unchanged`, `raw_missing`, ..."""
    position: str | None
    """The id of the last content that was looked at; None: these were the last."""


class ReprocessPreview:
    """Compares what is stored with what today's reader makes of it."""

    def __init__(self, database: Database, blobs: Blobs) -> None:
        self._rereader = Rereader(database, blobs)
        self._contents = database[Content.collection]

    async def count(self) -> int:
        """Return about how many contents there are."""
        return await self._contents.estimated_document_count()

    async def page(
        self,
        limit: int,
        after: str = "",
        account: str | None = None,
        *,
        include_current: bool = False,
    ) -> PreviewPage:
        """Look at so many contents, of one account or of all, in the order of their ids.

        `include_current` looks even at those that this reader made. Raises DatabaseAway,
        BlobStoreAway.
        """
        query: dict[str, Any] = {"_id": {"$gt": after}}
        if account is not None:
            query["account"] = account
        found = self._contents.find(query, fields_of(ContentVersion))
        batch = await records_of(ContentVersion, found.sort("_id").limit(limit))
        old = [one for one in batch if include_current or one.reader_version != READER_VERSION]
        read = await asyncio.gather(
            *(self._rereader.reread(one.account, one.mail_id, one.id) for one in old)
        )
        tally, items = Counter[str](unchanged=len(batch) - len(old)), list[Difference]()
        for reread in read:
            if isinstance(reread, str):
                tally[reread] += 1
                continue
            kinds = tuple(kinds_of(reread))
            tally["changed" if kinds else "unchanged"] += 1
            if kinds:
                items.append(Difference(reread.mail.account, reread.mail.id, kinds))
        position = batch[-1].id if len(batch) == limit else None
        return PreviewPage(tuple(items), +tally, position)


def kinds_of(reread: Reread) -> Iterator[str]:
    """Yield in what a content would differ. Pure."""
    projection = reread.projections[0]
    for name in SHOWN:
        if getattr(projection.content, name) != getattr(reread.content, name):
            yield name.rstrip("_")
    dates = {c.date for c in reread.mail.captures if c.content == reread.content.key}
    if {one.capture.date for one in reread.projections} != dates:
        yield "date"
    if projection.message_id != reread.mail.message_id:
        yield "message_id"
    if projection.mail_id != reread.mail.id:
        yield "moved"
