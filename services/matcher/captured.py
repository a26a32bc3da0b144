"""The bytes of a captured mail: fetched once and parsed once, however often they are read.

A small mail comes with its event. A large one is a claim in the blob store: only what is asked for
is fetched (its header, its text or all of it), and no byte twice. The mails that it encloses are
kept as they were cut out for the decision.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping

from services.matcher.decision.judge import Judgement
from services.matcher.directory.capture_addresses import AddressRecord
from services.matcher.reading.enclosed import cut
from shared.contracts.events import MailReceived
from shared.storage.blobs import Blobs

_HEADER_BYTES = 128 * 1024
"""Enough of a claimed mail for the largest header block that is read."""
_TEXT_BYTES = 1024 * 1024
"""Enough of it for the text of a forward: attachments come after the text."""


class CapturedMail:
    """One mail while it is handled. Raises what `Blobs` raises."""

    def __init__(self, received: MailReceived, body: bytes, blobs: Blobs) -> None:
        self._claim, self._size = received.blob_key, received.size
        self._blobs = blobs
        self._fetched = body
        self._is_whole = self._claim is None
        self._enclosed: dict[str, bytes] = {}
        self.address: AddressRecord | None = None
        """Whose it is, once that is known."""
        self.outsiders: tuple[str, ...] = ()
        """Who takes part and is no user, once that is known."""

    async def header(self) -> bytes:
        """Return enough bytes for the header."""
        return await self._first(_HEADER_BYTES)

    async def text(self) -> bytes:
        """Return enough bytes for the text."""
        return await self._first(_TEXT_BYTES)

    async def whole(self) -> bytes:
        """Return all bytes."""
        return await self._first(self._size)

    def keep(self, judged: Iterable[Judgement]) -> None:
        """Keep the enclosed mails that were cut out to be judged."""
        self._enclosed = {mail.place: mail.raw for mail in judged if mail.place}

    async def enclosed(self, places: Collection[str]) -> Mapping[str, bytes]:
        """Return the mails at these places; cut out here when an earlier delivery judged them."""
        missing = [place for place in places if place not in self._enclosed]
        if missing:
            self._enclosed |= await asyncio.to_thread(cut, await self.whole(), missing)
        return self._enclosed

    async def _first(self, length: int) -> bytes:
        """Return so many bytes of a claim or more, fetching those that are not here yet."""
        have = len(self._fetched)
        if self._claim is None or self._is_whole or have >= length:
            return self._fetched
        if have:
            self._fetched += await self._blobs.get_range(self._claim, have, length)
        else:
            self._fetched = await self._blobs.get_start(self._claim, length)
        self._is_whole = len(self._fetched) < length or length >= self._size
        return self._fetched
