"""Deletes unneeded files from the blob store.

These are claims and sealed captures left behind by crashes, receipts that are older than any dead
letter, and idempotency keys after a day.
"""

import structlog

from shared.contracts.receipts import RECEIPT_PREFIX
from shared.runtime.periodic import Periodic
from shared.storage.blob_keys import (
    CLAIM_PREFIX,
    CLAIM_RETENTION,
    IDEMPOTENCY_KEPT,
    IDEMPOTENCY_PREFIX,
    RETENTION,
    SEALED_PREFIX,
    SEALED_RETENTION,
)
from shared.storage.blobs import BlobMissing, Blobs, BlobStoreAway

_EVERY_SECONDS = 3600.0
_KEPT = {
    CLAIM_PREFIX: CLAIM_RETENTION,
    RECEIPT_PREFIX: RETENTION,
    IDEMPOTENCY_PREFIX: IDEMPOTENCY_KEPT,
    SEALED_PREFIX: SEALED_RETENTION,
}
log = structlog.get_logger()


class Sweep(Periodic):
    """Sweeps every hour. Any number of replicas may do so."""

    def __init__(self, blobs: Blobs) -> None:
        super().__init__(_EVERY_SECONDS)
        self._blobs = blobs

    async def once(self) -> None:
        """Sweep, unless a dependency is unavailable."""
        try:
            for prefix, kept in _KEPT.items():
                if removed := await self._blobs.sweep(prefix, kept):
                    log.info("blobs swept", prefix=prefix, removed=removed)
        except (BlobMissing, BlobStoreAway) as away:  # one may go while it is listed
            log.warning("blobs not swept", why=str(away))
