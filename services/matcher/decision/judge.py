"""From a mail to what becomes of it: of the mail itself, and of those that it encloses.

A mail is judged by its header first, then, if its body may count, by its body. The header tells
when: a delivery report names the failed recipients in its body, a forward names the original's
author. A mail from users alone may also be a forward as attachment: each mail that it encloses is
judged in the same way.

The consumer uses this for real mail, `/v1/explain` for dry runs. The caller passes a function that
looks up people.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar

from services.matcher.confirmations import Confirmation, may_be_confirmation, read_confirmation
from services.matcher.decision.decide import NEVER, Attach, Decision, Dismiss, Person, decide
from services.matcher.decision.forward_condition import may_be_forward, written_by_users
from services.matcher.decision.never_capture import NOTHING, NeverCapture
from services.matcher.decision.reports import Bounce, read_bounce
from services.matcher.forwards import forwarded_participants, read_forward
from services.matcher.reading.enclosed import MAX_MAILS, MAX_NESTING, TooManyEnclosed, enclosed
from services.matcher.reading.journal import Journal
from services.matcher.reading.participants import MAX_PARTICIPANTS, Participant, participants
from shared.contracts.events import DismissalReason, Forwarded, Role
from shared.mail.delivery_reports import may_be_report
from shared.mail.headers import HeaderBlock, read_header_block
from shared.mail.mime import is_composite, is_opaque

_LARGE = 256 * 1024
"""Bytes; more than this is read in a thread."""
P = ParamSpec("P")
T = TypeVar("T")


class Considered(NamedTuple):
    """Everyone who must be considered in a decision about some addresses."""

    people: Collection[Person]
    never: NeverCapture = NOTHING
    """Whose mail is never captured, by the account's list and the owner's."""


Ask = Callable[[frozenset[str]], Awaitable[Considered]]
"""What has to be considered in a decision about these addresses?"""
Read = Callable[[], Awaitable[bytes]]
"""Bytes of the raw mail; asked for only when they may count."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The decision about one mail, and its basis."""

    place: str
    """Where it stands in the captured mail (`enclosed.py`); empty for the captured mail itself."""
    header: HeaderBlock
    decision: Decision
    participants: tuple[Participant, ...]
    people: Collection[Person]
    forwarded: Forwarded | None = None
    raw: bytes = field(default=b"", repr=False)
    """The bytes of an enclosed mail, cut out once and kept."""
    never: NeverCapture = field(default=NOTHING, repr=False)
    """Whose mail is never captured."""
    refused_by: frozenset[str] = frozenset()
    """The users who have no share in it: their own lists name a participant."""

    @property
    def is_cut(self) -> bool:
        """Return whether some participants may not have been read."""
        return self.header.truncated or len(self.participants) > MAX_PARTICIPANTS


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision about a capture whose address is accepted."""

    mails: tuple[Judgement, ...]
    """The captured mail, then those that it encloses."""
    confirmation: Confirmation | None = None
    """Set when the mail is for its owner's eyes alone: then nothing else of it counts."""
    too_many: bool = False
    """It encloses more mails than are judged."""

    @property
    def attached(self) -> tuple[Judgement, ...]:
        """Return the judgements about mails that are attached."""
        return tuple(mail for mail in self.mails if isinstance(mail.decision, Attach))

    @property
    def unread(self) -> str | None:
        """Return why nothing may be dismissed, although nothing matched; None when it may.

        Mail with a never-captured participant may be: a dead letter would keep it.
        """
        if any(mail.decision == NEVER for mail in self.mails):
            return None
        if self.too_many:
            return "too_many_enclosed"
        return "header_too_long" if any(mail.is_cut for mail in self.mails) else None

    @property
    def dismissal(self) -> Dismiss:
        """Return how a capture without a match is dismissed: by 3a and 7 over all of its mails."""
        decisions = [mail.decision for mail in self.mails]
        for reason in (
            DismissalReason.NEVER_CAPTURE,
            DismissalReason.BLOCKED,
            DismissalReason.NO_MATCH,
        ):
            if Dismiss(reason) in decisions:
                return Dismiss(reason)
        return Dismiss(DismissalReason.INTERNAL)


async def judge(
    header: HeaderBlock,
    ask: Ask,
    body: Read,
    whole: Read,
    capture_domain: str,
    capture_address: str | None = None,
) -> Verdict:
    """Judge a mail of a user whose capture address counts.

    `body` is the mail or enough of its beginning for its text, `whole` is all of it.
    `capture_address` is the one that it came to; None where any of the account may be meant.
    """
    text = whole if is_opaque(header) else body  # half a signature cannot be opened
    mail = await _judge_one("", header, ask, text, capture_domain)
    if may_be_confirmation(header, capture_domain, capture_address):
        confirmation = await _read_apart(
            _read_question, await body(), header, capture_domain, capture_address
        )
        if confirmation is not None:
            return Verdict((mail,), confirmation)
    mails = [mail]
    try:
        if written_by_users(header, mail.people) and is_composite(header):
            await _judge_enclosed(mail, await whole(), ask, capture_domain, mails)
    except TooManyEnclosed:
        return Verdict(tuple(mails), too_many=True)
    return Verdict(tuple(mails))


async def judge_journal(journal: Journal, ask: Ask, capture_domain: str) -> Verdict:
    """Judge the mail that a journal report is about; every recipient that it names takes part.

    Recipients that the mail's own header does not name were in Bcc, or in a list.
    """

    async def read() -> bytes:
        return journal.mail

    header = read_header_block(journal.mail)
    named = {p.address for p in participants(header, capture_domain)}
    hidden = tuple(
        Participant(address, Role.BCC)
        for address in journal.recipients
        if address not in named and not address.endswith(f"@{capture_domain}")
    )
    mail = await _judge_one("1", header, ask, read, capture_domain, hidden)
    return Verdict((replace(mail, raw=journal.mail),))


def _read_question(
    raw: bytes, header: HeaderBlock, capture_domain: str, capture_address: str | None
) -> Confirmation | None:
    return read_confirmation(header, raw, capture_domain, capture_address)


async def _judge_enclosed(
    outer: Judgement, raw: bytes, ask: Ask, capture_domain: str, mails: list[Judgement]
) -> None:
    """Add a judgement about each mail that `outer` encloses."""
    found = await _read_apart(enclosed, raw, outer.header)
    depth = outer.place.count(".") + bool(outer.place)
    if found and (depth >= MAX_NESTING or len(mails) + len(found) > MAX_MAILS):
        raise TooManyEnclosed
    for number, inner in enumerate(found, start=1):

        async def read(inner: bytes = inner) -> bytes:
            return inner

        place = f"{outer.place}.{number}".lstrip(".")
        mail = await _judge_one(place, read_header_block(inner), ask, read, capture_domain)
        mails.append(replace(mail, raw=inner))
        if written_by_users(mail.header, mail.people):
            await _judge_enclosed(mail, inner, ask, capture_domain, mails)


async def _judge_one(
    place: str,
    header: HeaderBlock,
    ask: Ask,
    body: Read,
    capture_domain: str,
    hidden: tuple[Participant, ...] = (),
) -> Judgement:
    taking_part = participants(header, capture_domain) + hidden
    bounce = await _bounce(header, body, capture_domain)
    people, never = await ask(_keys(taking_part) | (bounce.keys if bounce else frozenset()))
    if bounce:
        taking_part += bounce.participants(people)
    decision = decide(taking_part, people, never)
    shown: Forwarded | None = None
    if decision != NEVER and may_be_forward(header, decision, people, capture_domain):
        forwarded = await _read_apart(read_forward, await body(), header)
        if forwarded is not None:
            taking_part += forwarded_participants(forwarded, capture_domain)
            people, never = await ask(_keys(taking_part))
            decision = decide(taking_part, people, never)
            shown = forwarded.shown
    return Judgement(place, header, decision, taking_part, people, shown, never=never)


async def _bounce(header: HeaderBlock, body: Read, capture_domain: str) -> Bounce | None:
    """Return what a mail server reports; the body is read only where the header lets expect it."""
    if not may_be_report(header):
        return None
    return await _read_apart(read_bounce, await body(), capture_domain, header)


async def _read_apart(
    read: Callable[Concatenate[bytes, P], T], raw: bytes, *args: P.args, **kwargs: P.kwargs
) -> T:
    """Read a large mail in a thread, beside the event loop."""
    if len(raw) > _LARGE:
        return await asyncio.to_thread(read, raw, *args, **kwargs)
    return read(raw, *args, **kwargs)


def _keys(taking_part: Sequence[Participant]) -> frozenset[str]:
    return frozenset(participant.address for participant in taking_part)
