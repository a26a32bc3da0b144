"""Removes claims that nobody needs any more: what crashes between two steps left behind."""

import asyncio
import contextlib

import structlog

from shared.blobs import CLAIM_PREFIX, CLAIM_RETENTION, BlobMissing, Blobs, BlobStoreAway
from shared.runtime import unless

_EVERY_SECONDS = 3600.0
log = structlog.get_logger()


class ClaimSweep:
    """Sweeps every hour. Any number of replicas may do so."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Sweep until `stop`."""
        while not self._stopping.is_set():
            try:
                await unless(self._stopping, self._sweep())
            except (BlobMissing, BlobStoreAway) as away:  # a claim may go while it is listed
                log.warning("claims not swept", why=str(away))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _EVERY_SECONDS)

    async def _sweep(self) -> None:
        if removed := await self._blobs.sweep(CLAIM_PREFIX, CLAIM_RETENTION):
            log.info("claims swept", removed=removed)

    def stop(self) -> None:
        """Let `run` end."""
        self._stopping.set()
