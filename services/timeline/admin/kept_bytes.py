"""The bytes that others keep of a content, when one of those who captured it loses theirs.

They are made before the writer's transaction, which checks that they still are what is needed.
"""

import asyncio
import contextlib
from collections.abc import Collection

from services.timeline.query.parts import fields_of, records_of
from services.timeline.query.raw_bytes import RawBytes
from services.timeline.write.forgetting import common_bytes
from services.timeline.write.mail_rows import content_id
from services.timeline.write.records import ListedContent, Mail
from services.timeline.write.requests import Prepared
from services.timeline.write.stored import from_document
from shared.storage.blob_keys import mail_key
from shared.storage.blobs import BlobMissing, Blobs
from shared.storage.database import Database, of_id, of_ids


class KeptBytes:
    """Makes them."""

    def __init__(self, database: Database, blobs: Blobs) -> None:
        self._mails = database[Mail.collection]
        self._contents = database[ListedContent.collection]
        self._bytes = RawBytes(database, blobs)

    async def mail(self, account: str, mail_id: str) -> Mail | None:
        """Return a mail as it is stored."""
        found = await self._mails.find_one(of_id(account, mail_id))
        return from_document(Mail, found) if found is not None else None

    async def without(
        self, owner: str | None, mail: Mail, keys: Collection[str], name: str
    ) -> dict[str, Prepared]:
        """Return the bytes of these contents without what only this owner knew, by their keys.

        Of contents whose bytes came to others, none. `name` makes the keys of the bytes new.
        """
        if not keys:
            return {}
        ids = of_ids(mail.account, [content_id(mail.id, key) for key in keys])
        contents = self._contents.find(ids, fields_of(ListedContent))
        prepared: dict[str, Prepared] = {}
        for content in await records_of(ListedContent, contents):
            if content.raw_of != owner:
                continue
            raw: bytes | None = None
            with contextlib.suppress(BlobMissing):  # they were lost before
                raw = await self._bytes.get(mail.account, content.raw_key)
            has_id = mail.message_id is not None
            made = await asyncio.to_thread(common_bytes, raw, has_id=has_id) if raw else None
            new_key = f"{mail_key(mail.account, content.id, made or b'')}.{name}"
            prepared[content.key] = Prepared(content.raw_key, new_key, made)
        return prepared
