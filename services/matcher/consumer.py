"""A capture, from `mail.received` to its published outcome.

    the mail's bytes -> decide (`deciding.py`) -> seal what matched nobody, where the account wants
    that (`rematch/`) -> record the decision about a large mail -> publish

`Matcher.match` is the handler; the consumer acknowledges after it, so an outcome is always
published before a capture leaves the queue.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from services.matcher.captured import CapturedMail
from services.matcher.carried import (
    Attached,
    claim_of,
    mail_of,
    places_of,
    publish,
    with_mail,
)
from services.matcher.deciding import Decider
from services.matcher.decisions import Decisions
from services.matcher.directory.erased_addresses import ErasedAddresses
from services.matcher.directory.windows import Windows
from services.matcher.metrics import ACCOUNT_ERASED, DECISIONS, WATCHED
from services.matcher.rematch.sealed import SealedCaptures
from services.matcher.watched import watched
from shared.broker import Delivery, Publisher
from shared.contracts.events import (
    DismissalReason,
    Event,
    MailConfirmation,
    MailDismissed,
    MailDismissedWithShares,
    MailReceived,
    MailRoundTrip,
    MailWatched,
)
from shared.contracts.outcomes import Done, Outcome, Reject, Retry
from shared.mail.headers import read_header_block
from shared.runtime import tracing
from shared.storage.blob_keys import CLAIM_CHECK_BYTES, enclosed_key
from shared.storage.blobs import BlobMissing, Blobs, BlobStoreAway
from shared.storage.database import DatabaseAway, database_errors

log = structlog.get_logger()
_Decided = Sequence[tuple[Event, bytes]]
"""The events that tell an outcome, each with the mail that it carries."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """Handles captures; its fields are what it depends on."""

    decider: Decider
    decisions: Decisions
    windows: Windows
    blobs: Blobs
    publisher: Publisher
    sealed: SealedCaptures | None = None
    """None where no account has a rematch window."""
    erased: ErasedAddresses | None = None
    """None where no account was erased."""
    large_mails: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    """How many large mails may be in memory at a time."""

    async def match(self, delivery: Delivery) -> Outcome:
        """Handle one `mail.received`.

        Done                             its outcome is published; or its account was erased, and it
                                         is forgotten
        Retry                            the database or the blob store is unavailable
        Reject unknown_capture_address   the key is valid but has no record, as after a restore
        Reject foreign_capture_address   uploaded with a token of another account
        Reject header_too_long           no match in the part of the header that is read
        Reject too_many_enclosed         no match in the enclosed mails that are judged
        Reject unreadable_journal_report a journal report without the mail that it is about
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
            if self.erased is not None and await self.erased.has(received):
                return await self._forget(received)
            return outcome
        for number, (event, mail) in enumerate(outcome):
            await publish(self.publisher, number, event, mail)
            if isinstance(event, MailWatched):
                WATCHED.inc()
        events = [event for event, _ in outcome]
        if not events:  # a concurrent consumer has published them and deleted the claim
            return Done()
        word = _word(events[0])
        DECISIONS.labels(word).inc()
        tracing.note("satchel.decision", word)
        seconds = round(time.monotonic() - started, 3)
        log.info("decided", decision=word, profiles=_profiles(events), seconds=seconds)
        claim = received.blob_key
        if claim is not None and all(claim_of(event) != claim for event in events):
            await self.blobs.delete(claim)
            log.debug("claim removed")
        return Done()

    async def _forget(self, received: MailReceived) -> Done:
        """Forget a mail to an account that was erased."""
        if received.blob_key is not None:
            await self.blobs.delete(received.blob_key)
        DECISIONS.labels(ACCOUNT_ERASED).inc()
        log.info("mail to an erased account")
        return Done()

    async def _decide_small(self, received: MailReceived, body: bytes) -> _Decided | Reject:
        """Decide about a mail that travels with its event, as its outcome will."""
        mail = CapturedMail(received, body, self.blobs)
        events = await self.decider.decide(received, mail)
        if isinstance(events, Reject):
            return events
        await self._seal(received, mail, events)
        enclosed = await mail.enclosed(places_of(events))
        events = [*events, *await self._watched(received, mail, events)]
        return [(event, mail_of(event, body, enclosed)) for event in events]

    async def _decide_claimed(self, received: MailReceived, claim: str) -> _Decided | Reject:
        """Decide about a large mail once: a redelivery repeats what was decided.

        A large mail that it encloses gets a claim of its own. Each is written after the decision is
        recorded and before it is published, so whatever is written is consumed. The small ones
        travel with their events, unless the timeline may remove the claim before all are published.
        """
        mail = CapturedMail(received, b"", self.blobs)
        events = await self.decisions.recall(claim)
        if not events:
            try:
                decided = await self.decider.decide(received, mail)
                if isinstance(decided, Reject):
                    return decided
                await self._seal(received, mail, decided)  # a redelivery recalls, and seals no more
                events = await self.decisions.record(claim, decided)
            except BlobMissing:
                # Unless a concurrent consumer of the same capture has just deleted the claim.
                events = await self.decisions.recall(claim)
                if not events:
                    return Reject("claim_missing")
        small: dict[str, bytes] = {}
        if places := places_of(events):
            is_ours = all(claim_of(event) != claim for event in events)
            try:
                enclosed = await mail.enclosed(places)
            except BlobMissing:  # the claim is deleted when everything is published
                return [(event, b"") for event in events if not is_ours]
            for place in places:
                if is_ours and len(enclosed[place]) <= CLAIM_CHECK_BYTES:
                    small[place] = enclosed[place]
                else:
                    await self.blobs.put(enclosed_key(claim, place), enclosed[place])
        with suppress(BlobMissing):  # then it has been published
            events = [*events, *await self._watched(received, mail, events)]
        return [with_mail(event, small) for event in events]

    async def _seal(
        self, received: MailReceived, mail: CapturedMail, events: Sequence[Event]
    ) -> None:
        """Seal what matched nobody, before its dismissal is told. Backfill can be brought again."""
        event = events[0]
        if self.sealed is None or received.backfill:
            return
        if isinstance(event, MailDismissed | MailDismissedWithShares) and (
            event.reason is DismissalReason.NO_MATCH
        ):
            await self.sealed.keep(received, event.account, mail)

    async def _watched(
        self, received: MailReceived, mail: CapturedMail, events: Sequence[Event]
    ) -> Sequence[Event]:
        """Return what the owner asked to see of a dismissed mail. It is not recorded here."""
        event = events[0]
        if not isinstance(event, MailDismissed) or event.reason is not DismissalReason.NO_MATCH:
            return []
        if received.backfill or not (
            address := mail.address or await self.decider.address_of(received)
        ):
            return []
        if not address.is_watched_at(received.received_at) or not await self.windows.admit(
            address.account, address.person_id, received.capture_id, received.received_at
        ):
            return []
        raw = await mail.text()
        return [await asyncio.to_thread(watched, received, address, read_header_block(raw), raw)]


def _profiles(events: Sequence[Event]) -> int:
    """Return how many profiles the capture's mails are attached to."""
    attached = [event for event in events if isinstance(event, Attached)]
    return len({match.person_id for event in attached for match in event.matches})


def _word(event: Event) -> str:
    """Return what was decided, for people and metrics."""
    if isinstance(event, MailDismissed | MailDismissedWithShares):
        return event.reason.value
    if isinstance(event, MailRoundTrip):
        return "round_trip"
    return "confirmation" if isinstance(event, MailConfirmation) else "attached"
