"""The only way in: SMTP, HTTP and backfill call `Receiver.receive`; its return means "accepted".

* Each capture address of the envelope gets its own event with its own capture id (UUIDv7).
* A mail above CLAIM_CHECK_BYTES is first written to the blob store, once per capture. A claim is
  never shared, so the service that settles a capture may delete its claim.
* Accepted means that the broker confirmed every event. Otherwise the sender is told to try again.
  Captures that were published by then do no harm: the same mail twice is one mail.
* The body is not read, and no database is queried.
* Backfill uses a queue of its own. Its capture ids are derived from the mail's bytes, so a mail
  that is imported again is counted once.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

import structlog

from services.ingest.metrics import RECEIVE_SECONDS, RECEIVED, RECEIVED_BYTES
from services.ingest.receipts import Receipts
from shared.broker import Publisher, PublishFailed
from shared.contracts.capture_address import CaptureAddress
from shared.contracts.capture_id import capture_id
from shared.contracts.events import MailReceived
from shared.runtime import tracing
from shared.runtime.tracing import Trace
from shared.storage.blob_keys import CLAIM_CHECK_BYTES, claim_key
from shared.storage.blobs import Blobs, BlobStoreAway

Door = Literal["smtp", "http"]
log = structlog.get_logger()


class NotAccepted(Exception):
    """The mail was not accepted. The sender keeps it and tries again."""


class Receiver:
    """Accepts mail and publishes it."""

    def __init__(
        self,
        publisher: Publisher,
        blobs: Blobs,
        *,
        receipts: Receipts | None = None,
        backfill_id: Callable[[CaptureAddress, bytes], UUID] | None = None,
    ) -> None:
        """With `backfill_id`, which makes capture ids, all that is received is old mail."""
        self._publisher, self._blobs, self._receipts = publisher, blobs, receipts
        self._backfill_id = backfill_id

    async def receive(
        self,
        raw: bytes,
        recipients: Sequence[CaptureAddress],
        *,
        mail_from: str | None,
        door: Door,
        account: str | None = None,
        trace: Trace | None = None,
        capture_id: UUID | None = None,
    ) -> list[UUID]:
        """Return the capture ids, in the order of the recipients, once all are durable.

        `raw` is the mail as it came (RFC 5322), `mail_from` the envelope's sender, None when empty,
        `account` the one that the recipients have to be of, where that is known, `trace` the
        caller's, which is gone on with. A `capture_id` is that of the one recipient of an upload
        that may have come before.
        Raises NotAccepted when the broker or the blob store cannot take it now.
        """
        with tracing.step("receive mail", "server", trace, door=door, size=len(raw)):
            events = [
                self._event(raw, recipient, mail_from, door, account, capture_id)
                for recipient in recipients
            ]
            await self._take_all(events, raw, door)
        return [event.capture_id for event in events]

    async def _take_all(self, events: Sequence[MailReceived], raw: bytes, door: Door) -> None:
        started = time.monotonic()
        results = await asyncio.gather(
            *(self._take(event, raw) for event in events), return_exceptions=True
        )
        failures = [result for result in results if isinstance(result, BaseException)]
        for failure in failures:
            if not isinstance(failure, PublishFailed | BlobStoreAway):
                raise failure
        if failures:
            RECEIVED.labels(door, "not_accepted").inc()
            for event, result in zip(events, results, strict=True):
                why = str(result) if isinstance(result, BaseException) else "another failed"
                log.warning("not accepted", capture_id=str(event.capture_id), door=door, why=why)
            raise NotAccepted(str(failures[0])) from failures[0]
        for event in events:
            if self._receipts is not None:
                self._receipts.note(event)
            log.info("received", capture_id=str(event.capture_id), door=door, size=event.size)
        RECEIVED.labels(door, "accepted").inc()
        RECEIVED_BYTES.labels(door).observe(len(raw))
        RECEIVE_SECONDS.labels(door).observe(time.monotonic() - started)

    def _event(
        self,
        raw: bytes,
        recipient: CaptureAddress,
        mail_from: str | None,
        door: Door,
        account: str | None,
        known_id: UUID | None,
    ) -> MailReceived:
        id_ = known_id or capture_id(recipient.account_tag)
        return MailReceived(
            capture_id=self._backfill_id(recipient, raw) if self._backfill_id else id_,
            backfill=self._backfill_id is not None,
            capture_address=recipient.address,
            account_tag=recipient.account_tag,
            received_at=datetime.now(UTC),
            door=door,
            mail_from=mail_from,
            account=account,
            size=len(raw),
            blob_key=claim_key(id_) if len(raw) > CLAIM_CHECK_BYTES else None,
        )

    async def _take(self, event: MailReceived, raw: bytes) -> None:
        if event.blob_key is None:
            await self._publisher.publish(event, raw)
            return
        await self._blobs.put(event.blob_key, raw)
        log.debug("claim written", capture_id=str(event.capture_id))
        try:
            await self._publisher.publish(event)
        except PublishFailed as failure:
            if failure.definite:  # else the event may be there, and needs its claim
                with contextlib.suppress(BlobStoreAway):  # the sweep takes it later
                    await self._blobs.delete(event.blob_key)
            raise
