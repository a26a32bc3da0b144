"""The HTTP door: `POST /v1/mail?recipient=<capture address>` with the raw mail as its body.

It signs in, checks the type and the size, and calls the same function as the SMTP door.
"""

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from services.ingest.metrics import RECEIVED
from services.ingest.rates import Rates
from services.ingest.receive import NotAccepted, Receiver
from shared import tracing
from shared.auth import Caller
from shared.capture_address import CaptureAddress, account_tag
from shared.in_flight import InFlight
from shared.raw_body import MAIL_BODY, read_mail
from shared.tracing import Trace
from shared.web import Code, Problem, allowed, invalid_field


class Accepted(BaseModel):
    """The mail is ours now."""

    capture_id: UUID


def mail_routes(
    receiver: Receiver,
    verify: Callable[[str], CaptureAddress | None],
    max_bytes: int,
    in_flight: InFlight,
    rates: Rates,
) -> APIRouter:
    """Return the routes of the HTTP door."""
    router = APIRouter()

    @router.post(
        "/v1/mail",
        status_code=202,
        openapi_extra=MAIL_BODY,
        responses={
            413: {"description": "The mail is over the size limit"},
            415: {"description": "The body is not message/rfc822"},
            422: {"description": "`recipient` is no capture address of the account"},
            429: {"description": "Too many mails for the account; see Retry-After"},
            503: {"description": "The mail cannot be taken right now; try again"},
        },
    )
    async def upload_mail(
        request: Request,
        recipient: Annotated[str, Query(description="The capture address", max_length=320)],
        caller: Annotated[Caller, allowed("mail:write")],
    ) -> Accepted:
        """Take one raw mail for one capture address of the token's account.

        202 once the mail is durable. Sending the same mail again is harmless.
        """
        address = verify(recipient)
        if address is None or address.account_tag != account_tag(caller.account):
            raise invalid_field("recipient", "not a capture address of this account")
        tag = address.account_tag
        if seconds := rates.wait(tag):
            RECEIVED.labels("http", "account_rate").inc()
            raise Problem(Code.RATE_LIMITED, "too many mails for the account", retry_after=seconds)
        reservation = in_flight.reserve([tag])
        try:
            raw = await read_mail(request, max_bytes, reservation.grow)
            captures = await receiver.receive(
                raw, [address], mail_from=None, door="http", trace=_trace_of(request)
            )
            rates.took(tag, len(raw))
        except NotAccepted as error:
            detail = "the mail cannot be taken right now, try again"
            raise Problem(Code.MAIL_NOT_ACCEPTED, detail) from error
        finally:
            reservation.release()
        return Accepted(capture_id=captures[0])

    return router


def _trace_of(request: Request) -> Trace | None:
    """Return the caller's trace. Section 3.2: of two parents none counts."""
    parents = request.headers.getlist(tracing.PARENT)
    states = request.headers.getlist(tracing.STATE)
    return tracing.read(parents[0], ",".join(states)) if len(parents) == 1 else None
