"""The bytes of dead letters, in the blob store."""

from msgspec import Struct

from services.timeline.admin.dead_letters.letter import StoredLetter, letter_of
from shared.broker import DeadLetter
from shared.mail.headers import MAX_HEADER_BYTES, decode_text, read_header_block
from shared.storage.blobs import BlobMissing, Blobs


class HeaderField(Struct, frozen=True):
    """A field of a mail's header, decoded."""

    name: str
    value: str


class Content:
    """The bytes of dead letters. A large mail's bytes stay under its claim."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    async def keep(self, stored: StoredLetter, body: bytes) -> None:
        """Store the body durably. Raises BlobStoreAway."""
        if stored.body_key is not None:
            await self._blobs.put(stored.body_key, body)

    async def letter(self, stored: StoredLetter) -> DeadLetter:
        """Return the original message of a dead letter. Raises BlobMissing, BlobStoreAway."""
        key = stored.body_key
        return letter_of(stored, await self._blobs.get(key) if key else b"")

    async def mail(self, stored: StoredLetter) -> bytes:
        """Return the mail. Raises BlobMissing, also if it contains no mail, and BlobStoreAway."""
        return await self._blobs.get(_key(stored))

    async def header(self, stored: StoredLetter) -> list[HeaderField]:
        """Return the mail's header; empty if there is no mail. Raises BlobStoreAway."""
        try:
            start = await self._blobs.get_start(_key(stored), MAX_HEADER_BYTES)
        except BlobMissing:
            return []
        fields = read_header_block(start).fields
        return [HeaderField(name, decode_text(value)) for name, value in fields]

    async def remove(self, stored: StoredLetter, *, claim: bool) -> None:
        """Delete the content, and the claim if nothing else needs it. Raises BlobStoreAway."""
        if stored.body_key:
            await self._blobs.delete(stored.body_key)
        if claim and stored.claim:
            await self._blobs.delete(stored.claim)


def _key(stored: StoredLetter) -> str:
    key = stored.claim or stored.body_key
    if key is None or stored.state != "waiting":
        raise BlobMissing("it contains no mail")
    return key
