"""Stores what lies in the dead-letter queue: the bytes, then the document, then the ack."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from services.timeline.admin.dead_letters.content import Content
from services.timeline.admin.dead_letters.letter import StoredLetter, moment_in, stored_letter
from services.timeline.admin.dead_letters.reasons import label
from services.timeline.admin.dead_letters.records import Records
from services.timeline.metrics import DEAD_LETTERS_STORED
from services.timeline.write.erased_accounts import ErasedAccounts
from shared.broker import DeadLetter
from shared.contracts.events import FLEETING
from shared.contracts.outcomes import Done, Retry
from shared.storage.blobs import BlobStoreAway
from shared.storage.database import DatabaseAway, database_errors

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Keeper:
    """Stores dead letters; its fields are what it depends on."""

    records: Records
    content: Content
    kept: timedelta
    """How long."""
    erased: ErasedAccounts

    async def handle(self, letter: DeadLetter) -> Done | Retry:
        """Handle one dead letter.

        Done   it is stored, now or by an earlier delivery; or it is of what is forgotten after a
               day (`FLEETING`), and so is this; or its account was erased since
        Retry  the database or the blob store is unavailable
        """
        if letter.tag in FLEETING:
            log.warning("dead letter not kept", reason=label(letter.reason))
            return Done()
        stored = stored_letter(letter, datetime.now(UTC), self.kept)
        try:
            with database_errors():
                tag = stored.account_tag
                if tag and await self.erased.drops_tagged(tag, moment_in(letter)):
                    await self.content.remove(stored, claim=True)
                    log.info("dead letter of an erased account", reason=label(letter.reason))
                elif await self.records.one(stored.id) is None:
                    await self._keep(stored, letter)
        except (DatabaseAway, BlobStoreAway) as away:
            return Retry(f"{type(away).__name__}: {away}")
        return Done()

    async def _keep(self, stored: StoredLetter, letter: DeadLetter) -> None:
        await self.content.keep(stored, letter.body)
        if await self.records.add(stored):
            reason = label(letter.reason)
            DEAD_LETTERS_STORED.labels(reason).inc()
            log.warning(
                "dead letter stored",
                capture_id=stored.capture_id,
                dead_letter=stored.id,
                reason=reason,
            )
            return
        known = await self.records.one(stored.id)
        if known is None or known.state != "waiting":  # another was faster, and is done with it
            await self.content.remove(stored, claim=False)
