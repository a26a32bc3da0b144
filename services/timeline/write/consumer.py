"""Handles an outcome, from its event to what can be read.

    raw mail -> read -> has it failed, and does the account quarantine that (`quarantine.py`)?
    -> its own blob -> one transaction -> the claim is removed

The order matters: the bytes are durable before the database names them, and the claim of a large
mail is removed only when nothing needs it any more.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog

from services.timeline.content.reader import read
from services.timeline.metrics import PROJECTED, VISIBLE_SECONDS
from services.timeline.write import quarantine
from services.timeline.write.account_settings import AccountSettings
from services.timeline.write.authentication import has_failed
from services.timeline.write.projection import Projection, project
from services.timeline.write.store import Store
from shared import tracing
from shared.blobs import CLAIM_CHECK_BYTES, BlobMissing, Blobs, BlobStoreAway
from shared.broker import Delivery
from shared.database import DatabaseAway, database_errors
from shared.events import MailAttached, MailConfirmation, MailDismissed
from shared.outcomes import Done, Outcome, Reject, Retry

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of an attached event."""

    outcome: str
    complete: bool
    """Whether all parts of the event have been seen."""
    again: bool
    """Whether an earlier delivery had settled it so already."""
    mail_id: str | None = None
    """The mail, once it can be read."""
    conversation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Projector:
    """Writes outcomes; its fields are what it depends on."""

    store: Store
    blobs: Blobs
    settings: AccountSettings
    large_mails: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    """How many large mails may be in memory at a time."""

    async def handle(self, delivery: Delivery) -> Outcome:
        """Handle one `mail.attached`, `mail.dismissed` or `mail.confirmation`.

        Done                     it is written, now or by an earlier delivery
        Retry                    the database or the blob store is away
        Reject claim_missing     a large mail's bytes are gone, and no outcome is recorded
        Reject unexpected_event  the queue holds something else
        """
        event = delivery.event
        if not isinstance(event, MailAttached | MailDismissed | MailConfirmation):
            return Reject("unexpected_event", event.tag)
        with structlog.contextvars.bound_contextvars(capture_id=str(event.capture_id)):
            try:
                with database_errors():
                    if isinstance(event, MailAttached):
                        return await self._attach(event, delivery.body)
                    return await self._record(event)
            except (DatabaseAway, BlobStoreAway) as away:
                return Retry(f"{type(away).__name__}: {away}")

    async def _attach(self, event: MailAttached, body: bytes) -> Outcome:
        if event.blob_key is None:
            settled = await self._settle(event, body)
        else:
            async with self.large_mails:
                try:
                    raw = await self.blobs.get(event.blob_key)
                except BlobMissing:
                    if await self.store.outcomes.has_seen(event):
                        return Done()
                    return Reject("claim_missing")
                settled = await self._settle(event, raw)
                if settled.complete:
                    await self.blobs.delete(event.blob_key)
                    log.debug("claim removed")
        self._visible(event, settled)
        return Done()

    async def _settle(self, event: MailAttached, raw: bytes) -> Settled:
        """Show a mail, or let it wait for a user's yes."""
        if await self._has_to_wait(event):
            projection = await self._project(event, raw)
            key = quarantine.raw_key(event)
            await self.blobs.put(key, raw)
            held = await self.store.hold(event, projection)
            if held is not None:
                return Settled("quarantined", held.complete, held.again)
            await self.blobs.delete(key)  # it was decided meanwhile
        return await self.show(event, raw)

    async def _has_to_wait(self, event: MailAttached) -> bool:
        if not has_failed(event):
            return False
        decided = await self.store.outcomes.of(event)
        if decided is not None:
            return decided == "quarantined"
        return await self.settings.quarantine(event.account) == "failed"

    async def _project(self, event: MailAttached, raw: bytes) -> Projection:
        forward = event.forwarded is not None
        if len(raw) > CLAIM_CHECK_BYTES:
            mail = await asyncio.to_thread(read, raw, forward=forward)
        else:
            mail = read(raw, forward=forward)
        return project(event, mail, raw)

    async def show(self, event: MailAttached, raw: bytes) -> Settled:
        """Write the mail and its bytes."""
        projection = await self._project(event, raw)
        own_key = projection.content["raw_key"]
        # The bytes that came first stay: then there is nothing to store.
        kept_key = await self.store.raw_key(projection.content)
        if kept_key in (None, own_key):
            await self.blobs.put(own_key, raw)
        attached = await self.store.attach(event, projection)
        stored_key = attached.raw_key if attached else None
        if kept_key is None and stored_key != own_key:  # another was faster, or it is refused
            await self.blobs.delete(own_key)
        if attached is None:  # what a user has refused stays forgotten, its id too
            return Settled("dismissed", complete=True, again=True)
        return Settled(
            "attached",
            attached.recorded.complete,
            attached.recorded.again,
            projection.mail_id,
            attached.conversation,
        )

    async def _record(self, event: MailDismissed | MailConfirmation) -> Outcome:
        if isinstance(event, MailDismissed):
            is_new = await self.store.dismiss(event)
            self._visible(event, Settled("dismissed", complete=True, again=not is_new))
        else:
            is_new = await self.store.confirm(event)
            self._visible(event, Settled("confirmation", complete=True, again=not is_new))
        return Done()

    def _visible(
        self,
        event: MailAttached | MailDismissed | MailConfirmation,
        settled: Settled,
    ) -> None:
        PROJECTED.labels(settled.outcome).inc()
        seconds = (datetime.now(UTC) - event.received_at).total_seconds()
        # Backfill waits on purpose; a redelivered mail has been visible since its first delivery.
        if not event.backfill and not settled.again:
            VISIBLE_SECONDS.observe(seconds)
        tracing.note("satchel.outcome", settled.outcome)
        log.info(
            "projected",
            outcome=settled.outcome,
            seconds=round(seconds, 3),
            mail_id=settled.mail_id,
            conversation_id=settled.conversation_id,
        )
