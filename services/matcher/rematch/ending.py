"""Destroys what has reached the end of its rematch window: captures, and the keys of days."""

from collections.abc import Callable
from datetime import UTC, datetime

import structlog
from pymongo.errors import PyMongoError

from services.matcher.metrics import SEALED_ENDED
from services.matcher.rematch.keys import RematchKeys
from services.matcher.rematch.sealed import SealedCaptures
from shared.runtime.periodic import Periodic
from shared.storage.blobs import BlobStoreAway
from shared.storage.database import DatabaseAway, database_errors

_EVERY_SECONDS = 10.0
log = structlog.get_logger()


class Ending(Periodic):
    """Destroys what has ended. Any number of replicas may run it."""

    def __init__(
        self,
        keys: RematchKeys,
        sealed: SealedCaptures,
        *,
        every_seconds: float = _EVERY_SECONDS,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(every_seconds)
        self._keys, self._sealed, self._clock = keys, sealed, clock

    async def once(self) -> None:
        """Destroy what has ended, unless a dependency is unavailable."""
        try:
            with database_errors():
                await self.work()
        except (DatabaseAway, BlobStoreAway, PyMongoError) as away:  # no index yet, say
            log.warning("rematch windows not swept", why=type(away).__name__)

    async def work(self) -> None:
        """Destroy what has ended: the keys first, so that nothing opens any more."""
        now = self._clock()
        await self._keys.end(now)
        if ended := await self._sealed.end(now):
            SEALED_ENDED.inc(ended)
            log.info("sealed captures ended", removed=ended)
