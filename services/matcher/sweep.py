"""Removes from the blob store what nobody needs any more.

That is claims that crashes between two steps left behind, receipts that are as old as the oldest
dead letter, and idempotency keys of yesterday.
"""

import asyncio
import contextlib

import structlog

from shared.blobs import (
    CLAIM_PREFIX,
    CLAIM_RETENTION,
    IDEMPOTENCY_KEPT,
    IDEMPOTENCY_PREFIX,
    RETENTION,
    BlobMissing,
    Blobs,
    BlobStoreAway,
)
from shared.receipts import RECEIPT_PREFIX
from shared.runtime import unless

_EVERY_SECONDS = 3600.0
_KEPT = {
    CLAIM_PREFIX: CLAIM_RETENTION,
    RECEIPT_PREFIX: RETENTION,
    IDEMPOTENCY_PREFIX: IDEMPOTENCY_KEPT,
}
log = structlog.get_logger()


class Sweep:
    """Sweeps every hour. Any number of replicas may do so."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Sweep until `stop`."""
        while not self._stopping.is_set():
            try:
                await unless(self._stopping, self._sweep())
            except (BlobMissing, BlobStoreAway) as away:  # one may go while it is listed
                log.warning("blobs not swept", why=str(away))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _EVERY_SECONDS)

    async def _sweep(self) -> None:
        for prefix, kept in _KEPT.items():
            if removed := await self._blobs.sweep(prefix, kept):
                log.info("blobs swept", prefix=prefix, removed=removed)

    def stop(self) -> None:
        """Let `run` end."""
        self._stopping.set()
