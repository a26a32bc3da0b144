"""Handles an outcome, from its event to what can be read.

    raw mail -> read -> projected -> the writer (`writer.py`) -> the claim is removed

The claim of a large mail is removed only after the commit that makes it needless.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog

from services.timeline.content.reader import read
from services.timeline.metrics import ACCOUNT_ERASED, PROJECTED, VISIBLE_SECONDS
from services.timeline.write.account_settings import AccountSettings
from services.timeline.write.attaching import TooManyContents
from services.timeline.write.authentication import can_wait, has_to_wait
from services.timeline.write.erased_accounts import ErasedAccounts
from services.timeline.write.identity import without_bcc
from services.timeline.write.projection import Projection, project
from services.timeline.write.requests import Answer, Attach, Confirm, Dismiss, Return, Watch
from services.timeline.write.writer import Writer
from shared.broker import Delivery
from shared.contracts.events import (
    MailAttached,
    MailAttachedToShares,
    MailConfirmation,
    MailDismissed,
    MailDismissedWithShares,
    MailRoundTrip,
    MailWatched,
    Share,
)
from shared.contracts.outcomes import Done, Outcome, Reject, Retry
from shared.runtime import tracing
from shared.storage.blob_keys import CLAIM_CHECK_BYTES
from shared.storage.blobs import BlobMissing, Blobs, BlobStoreAway
from shared.storage.database import DatabaseAway, database_errors

log = structlog.get_logger()
_Recorded = MailDismissed | MailDismissedWithShares | MailConfirmation | MailRoundTrip | MailWatched
"""What carries no mail."""


@dataclass(frozen=True, slots=True)
class Projector:
    """Writes outcomes; its fields are what it depends on."""

    writer: Writer
    blobs: Blobs
    settings: AccountSettings
    erased: ErasedAccounts
    large_mails: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    """How many large mails may be in memory at a time."""

    async def handle(self, delivery: Delivery) -> Outcome:
        """Handle one `mail.attached`, `.dismissed`, `.confirmation`, `.round_trip` or `.watched`.

        Done                     it is written, now or by an earlier delivery; or the account was
                                 erased since, and it is dropped
        Retry                    the database or the blob store is unavailable
        Reject claim_missing     a large mail's bytes are gone, and no outcome is recorded
        Reject too_many_contents the owner has MAX_CONTENTS different copies of this mail
        Reject unexpected_event  the queue holds something else
        """
        event = delivery.event
        if not isinstance(event, MailAttached | MailAttachedToShares | _Recorded):
            return Reject("unexpected_event", event.tag)
        with structlog.contextvars.bound_contextvars(capture_id=str(event.capture_id)):
            try:
                with database_errors():
                    if await self.erased.drops(event.account, event.received_at):
                        return await self._drop(event)
                    if isinstance(event, MailAttached | MailAttachedToShares):
                        return await self._attach(event, delivery.body)
                    return await self._record(event)
            except TooManyContents:
                return Reject("too_many_contents")
            except (DatabaseAway, BlobStoreAway) as away:
                return Retry(f"{type(away).__name__}: {away}")

    async def _drop(self, event: MailAttached | MailAttachedToShares | _Recorded) -> Outcome:
        """Drop what comes of an account that was erased."""
        if isinstance(event, MailAttached | MailAttachedToShares) and event.blob_key is not None:
            await self.blobs.delete(event.blob_key)
        PROJECTED.labels(ACCOUNT_ERASED).inc()
        log.info("mail of an erased account")
        return Done()

    async def _attach(self, event: MailAttached | MailAttachedToShares, body: bytes) -> Outcome:
        if event.blob_key is None:
            answer = await self._show(event, body)
        else:
            async with self.large_mails:
                try:
                    raw = await self.blobs.get(event.blob_key)
                except BlobMissing:
                    first = event if isinstance(event, MailAttached) else event.of_shares()[0][1]
                    return Done() if await self.writer.has_seen(first) else Reject("claim_missing")
                answer = await self._show(event, raw)
                if answer.complete:
                    await self.blobs.delete(event.blob_key)
                    log.debug("claim removed")
        _note(event, answer)
        return Done()

    async def _show(self, event: MailAttached | MailAttachedToShares, raw: bytes) -> Answer:
        """Show a mail to its owner, or to everyone who has a share in it.

        The first has seen the whole mail: the event is complete when it is complete for them.
        """
        if isinstance(event, MailAttached):
            return await self.show(event, raw)
        shares = event.of_shares()
        proves = tuple(share for share in event.shares if not share.matched)
        answers: list[Answer] = []
        for share, own in shares:
            copy = raw if share.sees_bcc else without_bcc(raw)
            answers.append(await self.show(own, copy, proves=() if answers else proves))
        return answers[0]

    async def show(
        self,
        event: MailAttached,
        raw: bytes,
        *,
        is_released: bool = False,
        proves: tuple[Share, ...] = (),
    ) -> Answer:
        """Show a mail, or quarantine it unless a user has released it (`is_released`)."""
        may_wait = False
        if can_wait(event) and not is_released:
            may_wait = has_to_wait(event, await self.settings.quarantined(event.account))
        return await self.writer.submit(
            Attach(
                event=event,
                projection=await _projected(event, raw),
                raw=raw,
                may_wait=may_wait,
                is_released=is_released,
                proves=proves,
            )
        )

    async def _record(self, event: _Recorded) -> Outcome:
        match event:
            case MailDismissed():
                answer = await self.writer.submit(Dismiss(event=event))
            case MailDismissedWithShares():
                answer = await self.writer.submit(
                    Dismiss(event=event.without_shares(), proves=event.shares)
                )
            case MailConfirmation():
                answer = await self.writer.submit(Confirm(event=event))
            case MailRoundTrip():
                answer = await self.writer.submit(Return(event=event))
            case MailWatched():
                answer = await self.writer.submit(Watch(event=event))
        _note(event, answer)
        return Done()


async def _projected(event: MailAttached, raw: bytes) -> Projection:
    forward = event.forwarded is not None
    if len(raw) > CLAIM_CHECK_BYTES:
        mail = await asyncio.to_thread(read, raw, forward=forward)
    else:
        mail = read(raw, forward=forward)
    return project(event, mail, raw)


def _note(event: MailAttached | MailAttachedToShares | _Recorded, answer: Answer) -> None:
    PROJECTED.labels(answer.outcome).inc()
    # Where ingest's clock is ahead of this one, a sum of seconds must not go down.
    seconds = max(0.0, (datetime.now(UTC) - event.received_at).total_seconds())
    # Backfill and what was sealed waited on purpose; what is delivered again could be seen since it
    # came first. A mail that is watched has been counted as dismissed.
    is_counted = not isinstance(event, MailWatched) and not event.backfill
    if isinstance(event, MailAttached | MailAttachedToShares):
        is_counted = is_counted and not event.rematched
    if is_counted and not answer.again:
        VISIBLE_SECONDS.observe(seconds)
    tracing.note("satchel.outcome", answer.outcome)
    log.info(
        "projected",
        outcome=answer.outcome,
        seconds=round(seconds, 3),
        mail_id=answer.mail_id,
        conversation_id=answer.conversation_id,
    )
