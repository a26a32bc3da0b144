"""The bytes of dead letters, in the blob store."""

from services.timeline.admin.dead_letters.letter import letter_of
from shared.blobs import BlobMissing, Blobs
from shared.broker import DeadLetter
from shared.database import Document
from shared.mail.headers import MAX_HEADER_BYTES


class Content:
    """What dead letters carry. A large mail's bytes are its claim's, and stay there."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    async def keep(self, document: Document, body: bytes) -> None:
        """Store the body durably. Raises BlobStoreAway."""
        if document["body_key"] is not None:
            await self._blobs.put(document["body_key"], body)

    async def letter(self, document: Document) -> DeadLetter:
        """Return the message that waits, as it was. Raises BlobMissing, BlobStoreAway."""
        key = document.get("body_key")
        return letter_of(document, await self._blobs.get(key) if key else b"")

    async def mail(self, document: Document) -> bytes:
        """Return the mail. Raises BlobMissing, when it carries none as well, and BlobStoreAway."""
        return await self._blobs.get(_key(document))

    async def mail_start(self, document: Document) -> bytes:
        """Return the mail's beginning, with its header block. Raises as `mail` does."""
        return await self._blobs.get_start(_key(document), MAX_HEADER_BYTES)

    async def remove(self, document: Document, *, claim: bool) -> None:
        """Remove what is kept of it, and its claim when nobody needs that. Raises BlobStoreAway."""
        if document.get("body_key"):
            await self._blobs.delete(document["body_key"])
        if claim and document.get("claim"):
            await self._blobs.delete(document["claim"])


def _key(document: Document) -> str:
    key = document.get("claim") or document.get("body_key")
    if key is None or document["state"] != "waiting":
        raise BlobMissing("it carries no mail")
    return str(key)
