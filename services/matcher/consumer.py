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
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import structlog

from services.matcher.announce import announce_dismissal, announce_verdict, with_forwarder
from services.matcher.authentication import Authenticator
from services.matcher.captured import CapturedMail
from services.matcher.carried import (
    Attached,
    claim_of,
    mail_of,
    places_of,
    publish,
    with_mail,
)
from services.matcher.confirmations import signs_itself
from services.matcher.decision.decide import Dismiss
from services.matcher.decision.halves import traces
from services.matcher.decision.judge import Considered, Verdict, judge, judge_journal
from services.matcher.decision.shares import refused_by, users_in
from services.matcher.decisions import Decisions
from services.matcher.directory.capture_addresses import AddressRecord
from services.matcher.directory.knowledge import Knowledge
from services.matcher.directory.windows import Windows
from services.matcher.metrics import DECIDE_SECONDS, DECISIONS, WATCHED
from services.matcher.reading.journal import Journal, may_be_journal, read_journal
from services.matcher.round_trip.returning import Returning
from services.matcher.watched import watched
from shared.broker import Delivery, Publisher
from shared.contracts.capture_address import KeyRing, return_path_id
from shared.contracts.events import (
    Authentication,
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
from shared.mail.headers import HeaderBlock, read_header_block
from shared.runtime import tracing
from shared.storage.blob_keys import CLAIM_CHECK_BYTES, enclosed_key
from shared.storage.blobs import BlobMissing, Blobs, BlobStoreAway
from shared.storage.database import DatabaseAway, database_errors

log = structlog.get_logger()
_Decided = Sequence[tuple[Event, bytes]]
"""The events that tell an outcome, each with the mail that it carries."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """Decides about captures; its fields are what it depends on."""

    knowledge: Knowledge
    decisions: Decisions
    windows: Windows
    blobs: Blobs
    publisher: Publisher
    authenticator: Authenticator
    returning: Returning
    ring: KeyRing
    capture_domain: str
    large_mails: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    """How many large mails may be in memory at a time."""

    async def match(self, delivery: Delivery) -> Outcome:
        """Handle one `mail.received`.

        Done                             its outcome is published
        Retry                            the database or the blob store is away
        Reject unknown_capture_address   a valid key without a record, after a restore say
        Reject foreign_capture_address   uploaded with a token of another account
        Reject header_too_long           no match in the part of the header that is read
        Reject too_many_enclosed         no match in the mails that are judged of those it encloses
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
            return outcome
        for number, (event, mail) in enumerate(outcome):
            await publish(self.publisher, number, event, mail)
            if isinstance(event, MailWatched):
                WATCHED.inc()
        events = [event for event, _ in outcome]
        if not events:  # another has published them, and is done with the capture
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

    async def _decide_small(self, received: MailReceived, body: bytes) -> _Decided | Reject:
        """Decide about a mail that travels with its event; what is attached travels so, too."""
        mail = CapturedMail(received, body, self.blobs)
        events = await self._decide(received, mail)
        if isinstance(events, Reject):
            return events
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
                decided = await self._decide(received, mail)
                if isinstance(decided, Reject):
                    return decided
                events = await self.decisions.record(claim, decided)
            except BlobMissing:
                # Or another, who had the capture too, was done with it in this very moment.
                events = await self.decisions.recall(claim)
                if not events:
                    return Reject("claim_missing")
        small: dict[str, bytes] = {}
        if places := places_of(events):
            is_ours = all(claim_of(event) != claim for event in events)
            try:
                enclosed = await mail.enclosed(places)
            except BlobMissing:  # it is removed when all is published
                return [(event, b"") for event in events if not is_ours]
            for place in places:
                if is_ours and len(enclosed[place]) <= CLAIM_CHECK_BYTES:
                    small[place] = enclosed[place]
                else:
                    await self.blobs.put(enclosed_key(claim, place), enclosed[place])
        with suppress(BlobMissing):  # it has been published, then
            events = [*events, *await self._watched(received, mail, events)]
        return [with_mail(event, small) for event in events]

    async def _watched(
        self, received: MailReceived, mail: CapturedMail, events: Sequence[Event]
    ) -> Sequence[Event]:
        """Return what the owner of a dismissed mail asked to see of it. Recorded nowhere here."""
        event = events[0]
        if not isinstance(event, MailDismissed) or event.reason is not DismissalReason.NO_MATCH:
            return []
        if received.backfill or not (address := mail.address or await self._address(received)):
            return []
        if not address.is_watched_at(received.received_at) or not await self.windows.admit(
            address.account, address.person_id, received.capture_id, received.received_at
        ):
            return []
        raw = await mail.text()
        return [await asyncio.to_thread(watched, received, address, read_header_block(raw), raw)]

    async def _address(self, received: MailReceived) -> AddressRecord | None:
        known = await self.knowledge.consult(received.capture_address, frozenset())
        return known.address if known else None

    async def _decide(self, received: MailReceived, mail: CapturedMail) -> Sequence[Event] | Reject:
        address: AddressRecord | None = None
        came_by: frozenset[str] = frozenset()

        async def ask(keys: frozenset[str]) -> Considered:
            nonlocal address
            known = await self.knowledge.consult(received.capture_address, keys | came_by)
            address = known.address if known else None
            return Considered(known.people, known.never) if known else Considered(())

        if await self._is_foreign(received):
            return Reject("foreign_capture_address")
        header = read_header_block(await mail.header())
        journal = await self._read_journal(received, header, mail)
        if isinstance(journal, Reject):
            return journal
        challenge = read_header_block(journal.mail) if journal else header
        of_round_trip = await self._read_round_trip(received, challenge, mail)
        if of_round_trip is not None:
            return of_round_trip
        with DECIDE_SECONDS.time():
            if journal is not None:
                verdict = await judge_journal(journal, ask, self.capture_domain)
            else:
                came_by = traces(header)
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
        mail.address = address
        if not address.counts_at(_moment_of(received)):
            revoked = Dismiss(DismissalReason.REVOKED_ADDRESS)
            return [announce_dismissal(received, address, revoked, verdict.mails[0], self.ring)]
        if verdict.unread and not verdict.attached and not verdict.confirmation:
            return Reject(verdict.unread)
        if address.is_of_account:
            verdict = await self._with_refusals(address.account, verdict)
        found: Mapping[str, Authentication] = {}
        forwarder: Authentication | None = None
        captured = verdict.mails[0]

        async def whole() -> bytes:
            return captured.raw if captured.place else await mail.whole()

        if verdict.confirmation:
            found = await self.authenticator.of_question(
                received,
                captured,
                whole,
                is_from_provider=signs_itself(verdict.confirmation.provider),
            )
        elif verdict.attached:
            verdicts = await self.authenticator.of_capture(
                received, captured, verdict.attached, whole
            )
            found, forwarder = verdicts, verdicts.forwarder
        mail.keep(verdict.mails)
        events = announce_verdict(received, address, verdict, self.ring, found)
        return [with_forwarder(event, forwarder) for event in events]

    async def _is_foreign(self, received: MailReceived) -> bool:
        """Return whether a token of another account uploaded it, whose tag is the same."""
        if received.account is None:
            return False
        address = await self._address(received)
        return address is not None and address.account != received.account

    async def _read_journal(
        self, received: MailReceived, header: HeaderBlock, mail: CapturedMail
    ) -> Journal | Reject | None:
        """Return what a journal report says; None for any other mail.

        Reports count at an address of the account alone.
        """
        if not may_be_journal(header):
            return None
        address = await self._address(received)
        if address is None or not address.is_of_account:
            return None
        if not address.counts_at(_moment_of(received)):
            return None
        journal = await asyncio.to_thread(read_journal, await mail.whole(), header)
        return journal or Reject("unreadable_journal_report")

    async def _read_round_trip(
        self, received: MailReceived, header: HeaderBlock, mail: CapturedMail
    ) -> Sequence[Event] | Reject | None:
        """Return what a capture says about a round trip; None for what is decided by the rules.

        A challenge at an address that counts no more is dismissed by rule 2, as any other mail.
        """
        if id_ := return_path_id(received.capture_address):
            event = await self.returning.at_return_path(received, id_, header, mail)
            return [event] if event else Reject("unknown_capture_address")
        if id_ := self.returning.id_in(header):
            known = await self.knowledge.consult(received.capture_address, frozenset())
            if known is not None and known.address.counts_at(_moment_of(received)):
                return [await self.returning.came_back(received, id_, known.address)]
        return None

    async def _with_refusals(self, account: str, verdict: Verdict) -> Verdict:
        """Return the verdict with the users who have no share in its mails."""
        captured = verdict.mails[0]
        users = users_in(captured.people, {p.address for p in captured.participants})
        lists = await self.knowledge.lists_of(account, [user.person_id for user in users])
        mails = (replace(mail, refused_by=refused_by(mail, lists)) for mail in verdict.mails)
        return replace(verdict, mails=tuple(mails))


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


def _moment_of(received: MailReceived) -> datetime:
    """Return when a capture was received, now at the latest.

    Where ingest's clock is ahead of this one, an address that counts now is not dismissed.
    """
    return min(received.received_at, datetime.now(UTC))
