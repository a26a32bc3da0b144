"""A capture, from `mail.received` to its outcome.

    header -> participants -> knowledge -> decide (`judge.py`) -> attached or dismissed, confirmed

`Matcher.match` is the handler; the consumer acknowledges after it, so an outcome is always
published before a capture leaves the queue.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import structlog

from services.matcher.announce import announce
from services.matcher.capture_addresses import AddressRecord
from services.matcher.decide import Dismiss, Person
from services.matcher.decisions import Decisions
from services.matcher.judge import judge
from services.matcher.knowledge import Knowledge
from services.matcher.metrics import DECIDE_SECONDS, DECISIONS
from shared.blobs import BlobMissing, Blobs, BlobStoreAway
from shared.broker import Delivery, Publisher
from shared.capture_address import KeyRing
from shared.database import DatabaseAway, database_errors
from shared.events import DismissalReason, Event, MailDismissed, MailReceived
from shared.headers import message_id, read_header_block
from shared.outcomes import Done, Outcome, Reject, Retry

_HEADER_BYTES = 128 * 1024
"""Enough of a claimed mail for the largest header block that is read."""
_BODY_BYTES = 1024 * 1024
"""Enough of it for the text of a forward: attachments come after the text."""
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Matcher:
    """Decides about captures; its fields are what it depends on."""

    knowledge: Knowledge
    decisions: Decisions
    blobs: Blobs
    publisher: Publisher
    ring: KeyRing
    capture_domain: str

    async def match(self, delivery: Delivery) -> Outcome:
        """Handle one `mail.received`.

        Done                             its outcome is published
        Retry                            the database or the blob store is away
        Reject unknown_capture_address   a valid key without a record, after a restore say
        Reject header_too_long           no match in the part of the header that is read
        Reject claim_missing             a large mail's bytes are gone, and it was never decided
        Reject unexpected_event          the queue holds something else
        """
        received = delivery.event
        if not isinstance(received, MailReceived):
            return Reject("unexpected_event", received.tag)
        with structlog.contextvars.bound_contextvars(capture_id=str(received.capture_id)):
            try:
                with database_errors():
                    return await self._match(received, delivery.body)
            except (DatabaseAway, BlobStoreAway) as away:
                return Retry(f"{type(away).__name__}: {away}")

    async def _match(self, received: MailReceived, body: bytes) -> Outcome:
        if received.blob_key is None:
            events = await self._decide(received, body)
        else:
            events = await self._decide_claimed(received, received.blob_key)
        if isinstance(events, Reject):
            return events
        for event in events:
            await self.publisher.publish(event, body if event.carries_mail else b"")
        outcome = events[0]
        word = outcome.reason.value if isinstance(outcome, MailDismissed) else "attached"
        DECISIONS.labels(word).inc()
        log.info("decided", decision=word)
        if received.blob_key is not None and isinstance(outcome, MailDismissed):
            await self.blobs.delete(received.blob_key)
        return Done()

    async def _decide_claimed(self, received: MailReceived, claim: str) -> Sequence[Event] | Reject:
        """Decide about a large mail once: a redelivery repeats what was decided."""
        if recalled := await self.decisions.recall(received.capture_id):
            return recalled
        try:
            start = await self.blobs.get_start(claim, _HEADER_BYTES)
        except BlobMissing:
            return Reject("claim_missing")
        events = await self._decide(received, start)
        if isinstance(events, Reject):
            return events
        return await self.decisions.record(received.capture_id, events)

    async def _decide(self, received: MailReceived, start: bytes) -> Sequence[Event] | Reject:
        header = read_header_block(start)
        address: AddressRecord | None = None

        async def ask(keys: frozenset[str]) -> Collection[Person]:
            nonlocal address
            known = await self.knowledge.consult(received.capture_address, keys)
            address = known.address if known else None
            return known.people if known else ()

        async def body() -> bytes:
            if received.blob_key is None:
                return start
            return await self.blobs.get_start(received.blob_key, _BODY_BYTES)

        with DECIDE_SECONDS.time():
            judgement = await judge(header, ask, body, self.capture_domain)
        if address is None:
            return Reject("unknown_capture_address")
        decision = judgement.decision
        if not address.counts_at(received.received_at):
            decision = Dismiss(DismissalReason.REVOKED_ADDRESS)
        elif isinstance(decision, Dismiss) and header.truncated:
            return Reject("header_too_long")
        return announce(
            received, address, decision, message_id(header), self.ring, judgement.forwarded
        )
