"""`POST /v1/explain`: what would become of a mail, and why. Nothing is stored.

It runs the functions that decide about real mail.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from services.matcher.capture_addresses import CaptureAddresses
from services.matcher.decide import Attach, Dismiss, Person, verdicts
from services.matcher.judge import judge
from services.matcher.knowledge import Knowledge
from shared.auth import Caller
from shared.events import Direction, DismissalReason, Match, Role, Source
from shared.headers import read_header_block
from shared.web import MAIL_BODY, allowed, invalid_field, read_mail

_MAX_BYTES = 30 * 1024 * 1024


class ParticipantVerdict(BaseModel):
    """An address of the mail, and what it meant to the decision."""

    address: str
    role: Role
    source: Source
    verdict: str


class Explanation(BaseModel):
    """What would become of the mail."""

    decision: Literal["attach", "dismiss", "dead_letter"]
    reason: str | None = Field(description="Of a dismissal, or `header_too_long`")
    direction: Direction | None
    participants: list[ParticipantVerdict]
    matches: list[Match]


def explain_routes(
    knowledge: Knowledge, capture_addresses: CaptureAddresses, capture_domain: str
) -> APIRouter:
    """Return the route that explains."""
    router = APIRouter(tags=["directory"])

    @router.post("/v1/explain", openapi_extra=MAIL_BODY)
    async def explain(
        request: Request,
        caller: Annotated[Caller, allowed("directory:read")],
        recipient: Annotated[
            str | None, Query(max_length=320, description="The capture address it came to")
        ] = None,
    ) -> Explanation:
        """Tell what would become of a raw mail, and what each address in it meant."""
        raw = await read_mail(request, _MAX_BYTES)
        counts = True
        if recipient is not None:
            record = await capture_addresses.find(recipient.lower())
            if record is None or record.account != caller.account:
                raise invalid_field("recipient", "not a capture address of this account")
            counts = record.counts_at(datetime.now(UTC))

        async def ask(keys: frozenset[str]) -> Collection[Person]:
            return await knowledge.people(caller.account, keys)

        async def body() -> bytes:
            return raw

        header = read_header_block(raw)
        judgement = await judge(header, ask, body, capture_domain)
        decision = judgement.decision
        if not counts:
            decision = Dismiss(DismissalReason.REVOKED_ADDRESS)
        meaning = verdicts(judgement.participants, judgement.people)
        unread = header.truncated and counts and isinstance(decision, Dismiss)
        attach = decision if isinstance(decision, Attach) else None
        return Explanation(
            decision="attach" if attach else "dead_letter" if unread else "dismiss",
            reason=None if isinstance(decision, Attach) else _reason(decision, unread),
            direction=attach.direction if attach else None,
            participants=[
                ParticipantVerdict(
                    address=p.address, role=p.role, source=p.source, verdict=meaning[p.address]
                )
                for p in judgement.participants
            ],
            matches=list(attach.matches) if attach else [],
        )

    return router


def _reason(decision: Dismiss, unread: bool) -> str:
    return "header_too_long" if unread else decision.reason.value
