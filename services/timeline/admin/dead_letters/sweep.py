"""Finishes interrupted work, deletes orphaned content, and counts waiting dead letters."""

import time
from datetime import timedelta

import structlog

from services.timeline.admin.dead_letters.reasons import OTHER, REASONS, label
from services.timeline.admin.dead_letters.records import Records
from services.timeline.admin.dead_letters.replay import Replay
from services.timeline.metrics import DEAD_LETTERS_WAITING
from shared.broker import PublishFailed
from shared.runtime.periodic import Periodic
from shared.storage.blob_keys import DEAD_PREFIX, RETENTION
from shared.storage.blobs import BlobMissing, Blobs, BlobStoreAway
from shared.storage.database import DatabaseAway, database_errors

_EVERY_SECONDS = 15.0
_BLOBS_EVERY_SECONDS = 3600.0
UNFINISHED = timedelta(minutes=1)
"""What takes longer was interrupted: a publish has a deadline of ten seconds."""
_AT_ONCE = 100
_MARGIN = timedelta(days=1)
"""MongoDB removes what has expired when it comes to it."""
log = structlog.get_logger()


class DeadLetterSweep(Periodic):
    """Sweeps periodically. Any number of replicas may run it."""

    def __init__(self, records: Records, replay: Replay, blobs: Blobs) -> None:
        super().__init__(_EVERY_SECONDS)
        self._records, self._replay, self._blobs = records, replay, blobs
        self._blobs_swept = -_BLOBS_EVERY_SECONDS

    async def once(self) -> None:
        """Sweep, unless a dependency is unavailable."""
        try:
            with database_errors():
                await self.sweep()
        except (DatabaseAway, BlobMissing, BlobStoreAway) as away:
            log.warning("dead letters not swept", why=f"{type(away).__name__}: {away}")

    async def sweep(self, unfinished: timedelta = UNFINISHED) -> None:
        """Sweep once. Counting comes first, so it works even if the rest cannot."""
        counts = dict.fromkeys((*REASONS, OTHER), 0)
        for reason, count in (await self._records.waiting()).items():
            counts[label(reason)] += count
        for reason, count in counts.items():
            DEAD_LETTERS_WAITING.labels(reason).set(count)
        for letter in await self._records.unfinished(unfinished, _AT_ONCE):
            try:
                if letter.state == "waiting":
                    await self._replay.replay(letter, letter.by or "")
                else:
                    await self._replay.tidy(letter.id)
            except (PublishFailed, BlobMissing) as failure:
                log.warning(
                    "replay not finished",
                    capture_id=letter.capture_id,
                    dead_letter=letter.id,
                    why=str(failure),
                )
        if time.monotonic() - self._blobs_swept > _BLOBS_EVERY_SECONDS:
            await self._blobs.sweep(DEAD_PREFIX, RETENTION + _MARGIN)
            self._blobs_swept = time.monotonic()
