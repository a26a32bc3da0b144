"""The HTTP door: `POST /v1/mail?recipient=<capture address>` with the raw mail as its body.

It signs in, checks the type and the size, and calls the same function as the SMTP door.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request
from pydantic import BaseModel, Field

from services.ingest.idempotency import MAX_LENGTH, IdempotencyKeys, KeyReused
from services.ingest.metrics import RECEIVED
from services.ingest.rates import Rates
from services.ingest.receive import NotAccepted, Receiver
from shared.contracts.capture_address import CaptureAddress, account_tag
from shared.http.auth import Caller
from shared.http.raw_body import MAIL_BODY, read_mail, reserved
from shared.http.web import Code, Problem, allowed, invalid_field
from shared.runtime import tracing
from shared.runtime.in_flight import InFlight
from shared.runtime.tracing import Trace
from shared.storage.blobs import BlobStoreAway

EXAMPLES = {"Accepted": {"capture_id": "019bc0a4-7d1e-7c3a-9a55-0b8f3c2d1e4f"}}
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=MAX_LENGTH,
        description="A new one for each mail, such as a UUID. The same key again within 24 hours "
        "is answered as the first was, and the mail is captured once; with another mail or "
        "recipient it is refused: 422",
    ),
]


class Accepted(BaseModel):
    """The mail is ours now."""

    capture_id: UUID = Field(description="`GET /v1/captures/{capture_id}` tells what becomes of it")


def mail_routes(
    receiver: Receiver,
    verify: Callable[[str], CaptureAddress | None],
    max_bytes: int,
    in_flight: InFlight,
    rates: Rates,
    keys: IdempotencyKeys,
) -> APIRouter:
    """Return the routes of the HTTP door."""
    router = APIRouter(tags=["upload"])

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
        idempotency_key: IdempotencyKey = None,
    ) -> Accepted:
        """Take one raw mail for one capture address of the token's account.

        202 once the mail is durable. Sending the same mail again is harmless: it is shown once.
        With an `Idempotency-Key` it is the same capture as well, for 24 hours.
        `GET /v1/captures/{capture_id}` tells what becomes of it.
        """
        address = verify(recipient)
        if address is None or address.account_tag != account_tag(caller.account):
            raise invalid_field("recipient", "not a capture address of this account")
        tag = address.account_tag
        if seconds := rates.wait(tag):
            RECEIVED.labels("http", "account_rate").inc()
            raise Problem(Code.RATE_LIMITED, "too many mails for the account", retry_after=seconds)
        try:
            async with reserved(in_flight, tag) as reservation:
                raw = await read_mail(request, max_bytes, reservation.grow)
                reservation.complete()
                known, is_new = None, False
                if idempotency_key is not None:
                    known, is_new = await keys.begin(caller, idempotency_key, address, raw)
                    if known.accepted:
                        return Accepted(capture_id=known.capture_id)
                    if is_new:  # its record stays, whatever becomes of the mail
                        rates.took(tag, 0)
                [taken] = await receiver.receive(
                    raw,
                    [address],
                    mail_from=None,
                    door="http",
                    account=caller.account,
                    trace=_trace_of(request),
                    capture_id=known.capture_id if known else None,
                )
                rates.took(tag, len(raw), is_counted=known is not None)
                if known is not None and idempotency_key is not None:
                    # Where this fails a repetition is published as the same capture.
                    with suppress(BlobStoreAway):
                        await keys.accepted(caller, idempotency_key, known)
        except KeyReused as error:
            detail = "the Idempotency-Key came with another mail or recipient before"
            raise Problem(Code.IDEMPOTENCY_KEY_REUSED, detail) from error
        except (NotAccepted, BlobStoreAway) as error:
            detail = "the mail cannot be taken right now, try again"
            raise Problem(Code.MAIL_NOT_ACCEPTED, detail) from error
        return Accepted(capture_id=taken)

    return router


def _trace_of(request: Request) -> Trace | None:
    """Return the caller's trace. Section 3.2: of two parents none counts."""
    parents = request.headers.getlist(tracing.PARENT)
    states = request.headers.getlist(tracing.STATE)
    return tracing.read(parents[0], ",".join(states)) if len(parents) == 1 else None
