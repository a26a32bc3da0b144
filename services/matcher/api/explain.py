"""`POST /v1/explain`: what would become of a mail, and why. Nothing is stored.

It runs the functions that decide about real mail.
"""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from services.matcher.api.explain_rate import ExplainRate
from services.matcher.decision.decide import Attach, Dismiss, verdicts
from services.matcher.decision.judge import Considered, Judgement, Verdict, judge, judge_journal
from services.matcher.directory.capture_addresses import CaptureAddresses
from services.matcher.directory.knowledge import Knowledge
from services.matcher.reading.journal import may_be_journal, read_journal
from shared.contracts.events import Direction, DismissalReason, Match, Role, Source
from shared.http.auth import Caller
from shared.http.raw_body import MAIL_BODY, read_mail, reserved, too_much_mail
from shared.http.web import allowed, invalid_field
from shared.mail.headers import decode_text, read_header_block
from shared.runtime.in_flight import InFlight

_MIB = 1024 * 1024
_MAX_BYTES = 30 * _MIB
MAX_IN_FLIGHT, MAX_IN_FLIGHT_OF_ACCOUNT = 96 * _MIB, 32 * _MIB
"""Bytes of mails in flight: one process explains at most this much at a time."""


_Decision = Literal["attach", "dismiss", "dead_letter", "confirmation"]


class ParticipantVerdict(BaseModel):
    """An address of the mail, and what it meant to the decision."""

    address: str
    role: Role
    source: Source = Field(
        description="Where the address was found: in the header, in the header block of a "
        "forwarded mail, or as a failed recipient in a delivery report"
    )
    verdict: str = Field(
        description="`match`, `blocked`, `never_capture` (on a list), the kind of the person with "
        "this address (`user`, `guest`, `vendor`), or `unknown`"
    )


class MailExplanation(BaseModel):
    """What would be decided about one mail."""

    decision: _Decision
    reason: str | None = Field(description="Reason of a dismissal or dead letter")
    direction: Direction | None
    participants: list[ParticipantVerdict]
    matches: list[Match]


class EnclosedExplanation(MailExplanation):
    """What would be decided about a mail that was forwarded as an attachment."""

    place: str = Field(
        description="Position: `2` is the second enclosed mail, `2.1` the first mail inside it"
    )
    subject: str


class Explanation(MailExplanation):
    """What would be decided about the capture."""

    matches: list[Match] = Field(description="Matches of the mail and of its enclosed mails")
    enclosed: list[EnclosedExplanation] = Field(
        description="Mails that a user forwarded as attachments, each with its own decision"
    )


def explain_routes(
    knowledge: Knowledge,
    capture_addresses: CaptureAddresses,
    capture_domain: str,
    in_flight: InFlight | None = None,
    rate: ExplainRate | None = None,
) -> APIRouter:
    """Return the route that explains; without a `rate` as many bytes as come."""
    router = APIRouter(tags=["directory"])
    explain_rate = rate or ExplainRate(0)
    held = in_flight or InFlight(MAX_IN_FLIGHT, MAX_IN_FLIGHT_OF_ACCOUNT)

    @router.post(
        "/v1/explain",
        openapi_extra=MAIL_BODY,
        responses={
            429: {"description": "The account explains too many bytes. Retry after `Retry-After`"},
            503: {"description": "Too much mail is being explained. Retry after `Retry-After`"},
        },
    )
    async def explain_mail(
        request: Request,
        caller: Annotated[Caller, allowed("directory:read")],
        recipient: Annotated[
            str | None,
            Query(max_length=320, description="Capture address that the mail would arrive at"),
        ] = None,
    ) -> Explanation:
        """Explain how a raw mail would be decided, and what each of its addresses meant.

        Nothing is stored. A match names whose address it is, also where that profile is merged into
        another. With `recipient`, its owner's *never capture* list counts as well as the
        account's.
        """
        explain_rate.check(caller.account)
        # Its room is there before it is read: else many that come at once are read for nothing.
        declared, read = int(request.headers.get("content-length", 0)), 0
        async with reserved(held, caller.account) as reservation:

            def grow(size: int) -> bool:
                nonlocal read
                read = size
                return reservation.grow(max(size, declared), arrived=size)

            if 0 < declared <= _MAX_BYTES and not reservation.grow(declared, arrived=0):
                raise too_much_mail()
            try:
                raw = await read_mail(request, _MAX_BYTES, grow)
            finally:
                explain_rate.charge(caller.account, read)
            reservation.complete()
            return await explained(raw, caller, recipient)

    async def explained(raw: bytes, caller: Caller, recipient: str | None) -> Explanation:
        counts, is_of_account, owner = True, False, None
        if recipient is not None:
            record = await capture_addresses.find(recipient.lower())
            if record is None or record.account != caller.account:
                raise invalid_field("recipient", "is not a capture address of this account")
            counts, owner = record.counts_at(datetime.now(UTC)), record.person_id
            is_of_account = record.is_of_account
        never = await knowledge.never(caller.account, owner)

        async def ask(keys: frozenset[str]) -> Considered:
            return Considered(await knowledge.people(caller.account, keys), never)

        async def body() -> bytes:
            return raw

        header = read_header_block(raw)
        address = recipient.lower() if recipient is not None else None
        if is_of_account and may_be_journal(header):
            journal = await asyncio.to_thread(read_journal, raw, header)
            if journal is None:
                raise invalid_field(
                    "body", "is a journal report without its mail, which would be a dead letter"
                )
            verdict = await judge_journal(journal, ask, capture_domain)
        else:
            verdict = await judge(header, ask, body, body, capture_domain, address)
        return _explanation(verdict, counts)

    return router


def _explanation(verdict: Verdict, counts: bool) -> Explanation:
    mail, *enclosed = verdict.mails
    attached = [mail.decision for mail in verdict.attached if isinstance(mail.decision, Attach)]
    decision: _Decision = "attach"
    reason: str | None = None
    if not counts:
        decision, reason, attached = "dismiss", DismissalReason.REVOKED_ADDRESS.value, []
    elif verdict.confirmation:
        decision, attached = "confirmation", []
    elif not attached and verdict.unread:
        decision, reason = "dead_letter", verdict.unread
    elif not attached:
        decision, reason = "dismiss", verdict.dismissal.reason.value
    return Explanation(
        decision=decision,
        reason=reason,
        direction=attached[0].direction if attached else None,
        participants=_mail_explanation(mail).participants,
        matches=[match for decision in attached for match in decision.matches],
        enclosed=[
            EnclosedExplanation(
                **dict(_mail_explanation(inner)),
                place=inner.place,
                subject=decode_text(inner.header.first("Subject") or ""),
            )
            for inner in enclosed
        ],
    )


def _mail_explanation(mail: Judgement) -> MailExplanation:
    meaning = verdicts(mail.participants, mail.people, mail.never)
    attach = mail.decision if isinstance(mail.decision, Attach) else None
    return MailExplanation(
        decision="attach" if attach else "dismiss",
        reason=mail.decision.reason.value if isinstance(mail.decision, Dismiss) else None,
        direction=attach.direction if attach else None,
        participants=[
            ParticipantVerdict(
                address=p.address, role=p.role, source=p.source, verdict=meaning[p.address]
            )
            for p in mail.participants
        ],
        matches=list(attach.matches) if attach else [],
    )
