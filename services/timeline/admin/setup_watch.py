"""Notices what time alone changes: a half that went silent, a question that expired.

Every set-up is checked periodically. Those that need a person are counted, and the owner's open
pages are told once. `GET /v1/setup` does not wait for this: it makes the same check per request.
"""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import get_args

import structlog
from pymongo import ASCENDING

from services.timeline.metrics import SETUP_NOTICES
from services.timeline.query.parts import records_of
from services.timeline.query.setup import CONFIRMATION_COUNTS, NoticeKind, Setups, notices
from services.timeline.write.rhythm import is_silent
from services.timeline.write.side_records import Hint, Setup, setup_of
from services.timeline.write.stored import to_document
from shared.runtime.periodic import Periodic
from shared.storage.database import Database, DatabaseAway, Document, database_errors, of_id

_EVERY_SECONDS = 300.0
_AT_ONCE = 200
log = structlog.get_logger()


class SetupWatch(Periodic):
    """Checks all set-ups periodically. Any number of replicas may run it."""

    def __init__(self, database: Database, setups: Setups) -> None:
        super().__init__(_EVERY_SECONDS)
        self._setups, self._hints = setups, database[Hint.collection]

    async def once(self) -> None:
        """Check all set-ups, unless a dependency is unavailable."""
        try:
            with database_errors():
                await self.look(datetime.now(UTC))
        except DatabaseAway as away:
            log.warning("set-up notices not updated", why=str(away))

    async def look(self, now: datetime) -> None:
        """Check all set-ups once."""
        counted: Counter[str] = Counter()
        async for record, may_have_failed in self._all():
            may = may_have_failed or _may(record, now)
            found = notices(await self._setups.complete(record), now) if may else []
            counted.update(notice.kind for notice in found)
            names = tuple(sorted(notice.name for notice in found))
            if names != record.told:
                await self._tell(record, names, now)
        for kind in get_args(NoticeKind):
            SETUP_NOTICES.labels(kind).set(counted[kind])

    async def _all(self) -> AsyncIterator[tuple[Setup, bool]]:
        """Yield each set-up, and whether its latest round trip may have failed."""
        after = ""
        while True:
            page = self._setups.collection.find({"_id": {"$gt": after}})
            found = await records_of(Setup, page.sort("_id", ASCENDING).limit(_AT_ONCE))
            failed = await self._setups.may_have_failed([record.id for record in found])
            for record in found:
                yield record, record.id in failed
            if len(found) < _AT_ONCE:
                return
            after = found[-1].id

    async def _tell(self, record: Setup, names: tuple[str, ...], now: datetime) -> None:
        """Tell the owner's pages, unless another replica was faster."""
        as_read: Document = {"told": list(record.told) if record.told else {"$exists": False}}
        new: Document = {"$set": {"told": list(names)}} if names else {"$unset": {"told": 1}}
        which = {**of_id(record.account, record.id), **as_read}
        if (await self._setups.collection.update_one(which, new)).modified_count:
            audience = setup_of(record.owner)
            hint = Hint(account=record.account, audience=audience, conversation_id="", at=now)
            await self._hints.insert_one(to_document(hint))


def _may(record: Setup, now: datetime) -> bool:
    """Return whether there may be a notice, by the record alone: of most set-ups there is none."""
    if record.leaks or (record.asked and now >= record.asked.at + CONFIRMATION_COUNTS):
        return True
    return any(
        is_silent([*map(date.fromisoformat, seen.days)], now.date())
        for seen in (record.sent, record.received)
        if seen is not None
    )
