"""Writes receipts of accepted mail every few seconds (`shared/contracts/receipts.py`).

* Mail never waits for a receipt and is never refused for one. While the blob store is unavailable,
  up to MOST_WAITING receipts wait in memory. Any more are dropped and counted; the audit then
  reports outcomes without a receipt.
* A failed write is repeated under the same key, so no receipt is written twice.
* On shutdown the remaining receipts are written. A blob store that does not answer does not delay
  it.
"""

import asyncio
import contextlib

import structlog

from services.ingest.metrics import RECEIPTS, RECEIPTS_WAITING
from shared.contracts.events import MailReceived
from shared.contracts.receipts import Receipt, encode
from shared.storage.blobs import Blobs, BlobStoreAway

MOST_WAITING = 200_000
"""About 100 MB, or half an hour at a hundred mails a second."""
_AT_ONCE = 5_000
_RETRY_SECONDS = 5.0
_LAST_SECONDS = 2.0
log = structlog.get_logger()


class Receipts:
    """Writes receipts. Stopped after SMTP and HTTP."""

    def __init__(self, blobs: Blobs, *, every: float, retry: float = _RETRY_SECONDS) -> None:
        """Write every so many seconds what was noted meanwhile."""
        self._blobs, self._every, self._retry = blobs, every, retry
        self._noted: list[Receipt] = []
        self._unwritten: dict[str, bytes] = {}
        self._count = 0
        """Receipts in `_unwritten`."""
        self._stopping = asyncio.Event()
        self._wake = asyncio.Event()

    def note(self, event: MailReceived) -> None:
        """Remember that a capture was accepted, to write its receipt soon. Never fails."""
        if len(self._noted) + self._count >= MOST_WAITING:
            RECEIPTS.labels("dropped").inc()
            return
        self._noted.append(
            Receipt(
                capture_id=event.capture_id,
                account_tag=event.account_tag,
                received_at=event.received_at,
                size=event.size,
                door=event.door,
                backfill=event.backfill,
            )
        )
        RECEIPTS_WAITING.inc()
        if len(self._noted) >= _AT_ONCE:
            self._wake.set()

    async def run(self) -> None:
        """Write receipts until `stop`, then the remaining ones."""
        away = False
        while not self._stopping.is_set():
            await self._pause(self._retry if away else self._every)
            if self._stopping.is_set():
                break
            try:
                await self._write()
                away = False
            except BlobStoreAway as error:
                RECEIPTS.labels("retried").inc(self._count)
                if not away:
                    log.warning("receipts wait", why=str(error))
                away = True
        try:
            async with asyncio.timeout(_LAST_SECONDS):
                while self._noted or self._unwritten:
                    await self._write()
        except (BlobStoreAway, TimeoutError):
            left = len(self._noted) + self._count
            RECEIPTS.labels("dropped").inc(left)
            log.warning("receipts dropped", count=left)

    def stop(self) -> None:
        """Let `run` end. Do not call `note` afterwards."""
        self._stopping.set()
        self._wake.set()

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)
        if not self._stopping.is_set():
            self._wake.clear()

    async def _write(self) -> None:
        """Write what waits, what failed before first. Raises BlobStoreAway."""
        if not self._unwritten:
            some, self._noted = self._noted[:_AT_ONCE], self._noted[_AT_ONCE:]
            self._unwritten, self._count = encode(some), len(some)
        for key in list(self._unwritten):
            await self._blobs.put(key, self._unwritten[key])
            written = self._unwritten.pop(key).count(b"\n")
            self._count -= written
            RECEIPTS.labels("written").inc(written)
            RECEIPTS_WAITING.dec(written)
        if len(self._noted) >= _AT_ONCE:
            self._wake.set()
