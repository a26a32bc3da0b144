"""What becomes of one capture: the events that tell its outcome.

    header -> participants -> knowledge -> decide (`judge.py`) -> authenticate the sender of an
    attached mail or a provider's confirmation (`authentication/`) -> events (`announce.py`)

Nothing is stored or published here. A journal report is unwrapped first, and what comes back from
a round trip is recognised before the rules apply.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from services.matcher.announce import announce_dismissal, announce_verdict, with_forwarder
from services.matcher.authentication import Authenticator, not_asked
from services.matcher.captured import CapturedMail
from services.matcher.confirmations import signs_itself
from services.matcher.decision.decide import Dismiss
from services.matcher.decision.halves import traces
from services.matcher.decision.judge import Considered, Verdict, judge, judge_journal
from services.matcher.decision.shares import refused_by, users_in
from services.matcher.directory.capture_addresses import AddressRecord
from services.matcher.directory.knowledge import Knowledge
from services.matcher.metrics import DECIDE_SECONDS
from services.matcher.reading.journal import Journal, may_be_journal, read_journal
from services.matcher.round_trip.returning import Returning
from shared.contracts.capture_address import KeyRing, return_path_id
from shared.contracts.events import (
    Authentication,
    DismissalReason,
    Event,
    Kind,
    MailReceived,
)
from shared.contracts.outcomes import Reject
from shared.mail.headers import HeaderBlock, read_header_block


@dataclass(frozen=True, slots=True)
class Decider:
    """Decides about captures; its fields are what it depends on."""

    knowledge: Knowledge
    authenticator: Authenticator
    returning: Returning
    ring: KeyRing
    capture_domain: str
    is_rematch: bool = False
    """Captures were sealed since they came: who sent them can no longer be found out."""

    async def decide(self, received: MailReceived, mail: CapturedMail) -> Sequence[Event] | Reject:
        """Return the events that tell the outcome, or why there can be none."""
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
            if self.is_rematch:
                verdicts = not_asked(captured, verdict.attached, "rematched")
            else:
                verdicts = await self.authenticator.of_capture(
                    received, captured, verdict.attached, whole
                )
            found, forwarder = verdicts, verdicts.forwarder
        mail.keep(verdict.mails)
        mail.outsiders = _outsiders(verdict)
        events = announce_verdict(received, address, verdict, self.ring, found)
        return [with_forwarder(event, forwarder) for event in events]

    async def _is_foreign(self, received: MailReceived) -> bool:
        """Return whether a token of another account, with the same tag, uploaded it."""
        if received.account is None:
            return False
        address = await self.address_of(received)
        return address is not None and address.account != received.account

    async def _read_journal(
        self, received: MailReceived, header: HeaderBlock, mail: CapturedMail
    ) -> Journal | Reject | None:
        """Return what a journal report says; None for any other mail.

        Reports count at an address of the account alone.
        """
        if not may_be_journal(header):
            return None
        address = await self.address_of(received)
        if address is None or not address.is_of_account:
            return None
        if not address.counts_at(_moment_of(received)):
            return None
        journal = await asyncio.to_thread(read_journal, await mail.whole(), header)
        return journal or Reject("unreadable_journal_report")

    async def _read_round_trip(
        self, received: MailReceived, header: HeaderBlock, mail: CapturedMail
    ) -> Sequence[Event] | Reject | None:
        """Return what a capture says about a round trip; None if the rules decide about it.

        A challenge at an address that is no longer valid is dismissed by rule 2, like other mail.
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

    async def address_of(self, received: MailReceived) -> AddressRecord | None:
        """Return the record of the capture address, if there is one."""
        known = await self.knowledge.consult(received.capture_address, frozenset())
        return known.address if known else None


def _outsiders(verdict: Verdict) -> tuple[str, ...]:
    """Return the addresses that take part in any of the mails and are no user's, each once."""
    users = frozenset[str]().union(
        *(p.keys for mail in verdict.mails for p in mail.people if p.kind is Kind.USER)
    )
    taking_part = {p.address: None for mail in verdict.mails for p in mail.participants}
    return tuple(address for address in taking_part if address not in users)


def _moment_of(received: MailReceived) -> datetime:
    """Return when a capture was received, now at the latest.

    If ingest's clock is ahead of this one, mail to an address that is valid now is not dismissed.
    """
    return min(received.received_at, datetime.now(UTC))
