"""A capture, from `mail.received` to its outcome.

    header -> participants -> knowledge -> decide (`judge.py`) -> is an attached mail, or a
    provider's question, from whom it says (`authentication/`) -> outcome, confirmed by the broker

`Matcher.match` is the handler; the consumer acknowledges after it, so an outcome is always
published before a capture leaves the queue.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from services.matcher.announce import announce_dismissal, announce_verdict
from services.matcher.authentication import Authenticator
from services.matcher.capture_addresses import AddressRecord
from services.matcher.captured import CapturedMail
from services.matcher.decide import Dismiss
from services.matcher.decisions import Decisions
from services.matcher.judge import Considered, judge
from services.matcher.knowledge import Knowledge
from services.matcher.metrics import DECIDE_SECONDS, DECISIONS
from shared import tracing
from shared.blobs import BlobMissing, Blobs, BlobStoreAway, enclosed_key
from shared.broker import Delivery, Publisher
from shared.capture_address import KeyRing
from shared.database import DatabaseAway, database_errors
from shared.events import (
    Authentication,
    DismissalReason,
    Event,
    MailAttached,
    MailConfirmation,
    MailDismissed,
    MailReceived,
)
from shared.mail.headers import read_header_block
from shared.outcomes import Done, Outcome, Reject, Retry

log = structlog.get_logger()
_Decided = Sequence[tuple[Event, bytes]]
"""The events that tell an outcome, each with the mail that it carries."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """Decides about captures; its fields are what it depends on."""

    knowledge: Knowledge
    decisions: Decisions
    blobs: Blobs
    publisher: Publisher
    authenticator: Authenticator
    ring: KeyRing
    capture_domain: str
    large_mails: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    """How many large mails may be in memory at a time."""

    async def match(self, delivery: Delivery) -> Outcome:
        """Handle one `mail.received`.

        Done                             its outcome is published
        Retry                            the database or the blob store is away
        Reject unknown_capture_address   a valid key without a record, after a restore say
        Reject header_too_long           no match in the part of the header that is read
        Reject too_many_enclosed         no match in the mails that are judged of those it encloses
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
        started = time.monotonic()
        if received.blob_key is None:
            outcome = await self._decide_small(received, body)
        else:
            async with self.large_mails:
                outcome = await self._decide_claimed(received, received.blob_key)
        if isinstance(outcome, Reject):
            return outcome
        for event, mail in outcome:
            await self.publisher.publish(event, mail)
        events = [event for event, _ in outcome]
        word = _word(events[0])
        DECISIONS.labels(word).inc()
        tracing.note("satchel.decision", word)
        seconds = round(time.monotonic() - started, 3)
        log.info("decided", decision=word, profiles=_profiles(events), seconds=seconds)
        claim = received.blob_key
        if claim is not None and all(_claim_of(event) != claim for event in events):
            await self.blobs.delete(claim)
            log.debug("claim removed")
        return Done()

    async def _decide_small(self, received: MailReceived, body: bytes) -> _Decided | Reject:
        """Decide about a mail that travels with its event; what is attached travels so, too."""
        mail = CapturedMail(received, body, self.blobs)
        events = await self._decide(received, mail)
        if isinstance(events, Reject):
            return events
        enclosed = await mail.enclosed(_places(events))
        return [(event, _mail_of(event, body, enclosed)) for event in events]

    async def _decide_claimed(self, received: MailReceived, claim: str) -> _Decided | Reject:
        """Decide about a large mail once: a redelivery repeats what was decided.

        The mails that it encloses get claims of their own. Each is written after the decision is
        recorded and before it is published, so whatever is written is consumed.
        """
        mail = CapturedMail(received, b"", self.blobs)
        events = await self.decisions.recall(claim)
        if not events:
            try:
                decided = await self._decide(received, mail)
                if isinstance(decided, Reject):
                    return decided
                events = await self.decisions.record(claim, decided)
            except BlobMissing:
                # Or another, who had the capture too, was done with it in this very moment.
                events = await self.decisions.recall(claim)
                if not events:
                    return Reject("claim_missing")
        if places := _places(events):
            with suppress(BlobMissing):  # it is removed when all is published
                enclosed = await mail.enclosed(places)
                for place in places:
                    await self.blobs.put(enclosed_key(claim, place), enclosed[place])
        return [(event, b"") for event in events]

    async def _decide(self, received: MailReceived, mail: CapturedMail) -> Sequence[Event] | Reject:
        address: AddressRecord | None = None

        async def ask(keys: frozenset[str]) -> Considered:
            nonlocal address
            known = await self.knowledge.consult(received.capture_address, keys)
            address = known.address if known else None
            return Considered(known.people, known.never) if known else Considered(())

        with DECIDE_SECONDS.time():
            header = read_header_block(await mail.header())
            verdict = await judge(
                header,
                ask,
                mail.text,
                mail.whole,
                self.capture_domain,
                received.capture_address,
            )
        if address is None:
            return Reject("unknown_capture_address")
        if not address.counts_at(received.received_at):
            revoked = Dismiss(DismissalReason.REVOKED_ADDRESS)
            return [announce_dismissal(received, address, revoked, verdict.mails[0], self.ring)]
        if verdict.unread and not verdict.attached and not verdict.confirmation:
            return Reject(verdict.unread)
        found: Mapping[str, Authentication] = {}
        captured = verdict.mails[0]
        if verdict.confirmation:
            found = await self.authenticator.of_question(received, captured, mail.whole)
        elif verdict.attached:
            found = await self.authenticator.of_capture(
                received, captured, verdict.attached, mail.whole
            )
        mail.keep(verdict.mails)
        return announce_verdict(received, address, verdict, self.ring, found)


def _places(events: Sequence[Event]) -> dict[str, None]:
    """Return the places of the enclosed mails that are attached, each once, in order."""
    return {e.place: None for e in events if isinstance(e, MailAttached) and e.place}


def _mail_of(event: Event, raw: bytes, enclosed: Mapping[str, bytes]) -> bytes:
    """Return the mail that an event about a small mail, or about one that it encloses, carries."""
    if not isinstance(event, MailAttached):
        return b""
    return enclosed[event.place] if event.place else raw


def _claim_of(event: Event) -> str | None:
    return event.blob_key if isinstance(event, MailAttached) else None


def _profiles(events: Sequence[Event]) -> int:
    """Return how many profiles the capture's mails are attached to."""
    attached = [event for event in events if isinstance(event, MailAttached)]
    return len({match.person_id for event in attached for match in event.matches})


def _word(event: Event) -> str:
    """Return what was decided, for people and metrics."""
    if isinstance(event, MailDismissed):
        return event.reason.value
    return "confirmation" if isinstance(event, MailConfirmation) else "attached"
