"""Decides captures in quarantine (`quarantine.py`): accepted or refused by a user, or expired.

* Accepted: each of its events is projected as if it had just arrived, and leaves quarantine in the
  same transaction. After a crash between two events the rest still waits and can be accepted again.
* Expired, where it waited only since DNS did not answer: it is shown, as unverified. A question
  that stayed unanswered never makes a mail forgotten.
* Refused or expired: the bytes are deleted first, then all other data, as for a dismissed mail.
"""

import contextlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import structlog

from services.timeline.admin.quarantine import Quarantine, events_of, keys_of
from services.timeline.write.consumer import Projector
from services.timeline.write.requests import Final, Refuse
from services.timeline.write.side_records import Held
from shared.runtime.periodic import Periodic
from shared.storage.blob_keys import QUARANTINE_PREFIX
from shared.storage.blobs import BlobMissing, BlobStoreAway
from shared.storage.database import DatabaseAway, database_errors

_EVERY_SECONDS = 3600.0
_ORPHANS = timedelta(days=1)
"""Bytes that lie longer than anything waits were left by a crash between two steps."""
log = structlog.get_logger()


class Release(Periodic):
    """Carries out decisions about quarantined captures, and lets undecided ones expire."""

    def __init__(self, projector: Projector, quarantine: Quarantine, kept: timedelta) -> None:
        super().__init__(_EVERY_SECONDS)
        self._projector, self._quarantine, self._kept = projector, quarantine, kept
        self._writer, self._blobs = projector.writer, projector.blobs

    async def release(self, held: Held) -> None:
        """Attach all mails of a quarantined capture. Raises BlobMissing, BlobStoreAway."""
        raws = {key: await self._blobs.get(key) for key in keys_of(held)}
        for event, key in events_of(held):
            await self._projector.show(event, raws[key], is_released=True)
        await self._delete(raws)
        log.info("quarantine released", capture_id=held.capture_id)

    async def refuse(self, held: Held, reason: Final = "refused") -> None:
        """Delete a quarantined capture. Raises BlobStoreAway."""
        await self._delete(keys_of(held))
        await self._writer.submit(Refuse(held=held, reason=reason))
        await self._delete(keys_of(held))  # it may have come once more meanwhile
        log.info("quarantine refused", capture_id=held.capture_id, reason=reason)

    async def expire(self) -> int:
        """Delete or show captures that have waited too long; return how many."""
        limit, count = datetime.now(UTC) - self._kept, 0
        while old := await self._quarantine.older_than(limit):
            for held in old:
                await self._expire_one(held)
            count += len(old)
        await self._blobs.sweep(QUARANTINE_PREFIX, self._kept + _ORPHANS)
        return count

    async def _expire_one(self, held: Held) -> None:
        if held.unanswered:
            with contextlib.suppress(BlobMissing):  # a user has decided meanwhile
                await self.release(held)
                return
        await self.refuse(held, "expired")

    async def _delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            await self._blobs.delete(key)

    async def once(self) -> None:
        """Let captures expire, unless a dependency is unavailable. Any replica may do so."""
        try:
            with database_errors():
                if expired := await self.expire():
                    log.info("quarantine expired", captures=expired)
        except (DatabaseAway, BlobMissing, BlobStoreAway) as away:
            log.warning("quarantine not expired", why=str(away))
