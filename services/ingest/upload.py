"""Mail over HTTP: `POST /v1/mail?recipient=<capture address>` with the raw mail as its body.

It authenticates the caller, checks type and size, and calls the same function as SMTP.
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
        description="A unique key per mail, such as a UUID. A repeated request with the same key "
        "within 24 hours gets the first answer, and the mail is captured once. The "
        "same key with another mail or recipient is refused with 422",
    ),
]


class Accepted(BaseModel):
    """A mail was accepted."""

    capture_id: UUID = Field(
        description="Id of the capture. `GET /v1/captures/{capture_id}` returns what became of it"
    )


def mail_routes(
    receiver: Receiver,
    verify: Callable[[str], CaptureAddress | None],
    max_bytes: int,
    in_flight: InFlight,
    rates: Rates,
    keys: IdempotencyKeys,
) -> APIRouter:
    """Return the routes for uploads."""
    router = APIRouter(tags=["upload"])

    @router.post(
        "/v1/mail",
        status_code=202,
        openapi_extra=MAIL_BODY,
        responses={
            413: {"description": "The mail is larger than the limit"},
            415: {"description": "The body is not message/rfc822"},
            422: {"description": "`recipient` is not a capture address of the account"},
            429: {"description": "The account's rate is used up. Retry after `Retry-After`"},
            503: {"description": "The mail cannot be accepted right now. Send it again"},
        },
    )
    async def upload_mail(
        request: Request,
        recipient: Annotated[
            str, Query(description="Capture address that receives the mail", max_length=320)
        ],
        caller: Annotated[Caller, allowed("mail:write")],
        idempotency_key: IdempotencyKey = None,
    ) -> Accepted:
        """Upload one raw mail to one capture address of the token's account.

        202 means that the mail is stored durably. Sending the same mail again is harmless: it is
        shown once. With an `Idempotency-Key` a repetition within 24 hours is also the same
        capture. `GET /v1/captures/{capture_id}` returns what became of it.
        """
        address = verify(recipient)
        if address is None or address.account_tag != account_tag(caller.account):
            raise invalid_field("recipient", "is not a capture address of this account")
        tag = address.account_tag
        if seconds := rates.wait(tag):
            RECEIVED.labels("http", "account_rate").inc()
            raise Problem(
                Code.RATE_LIMITED,
                "the account sends more mail than its rate allows",
                retry_after=seconds,
            )
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
            detail = "this Idempotency-Key was used before with another mail or recipient"
            raise Problem(Code.IDEMPOTENCY_KEY_REUSED, detail) from error
        except (NotAccepted, BlobStoreAway) as error:
            detail = "the mail cannot be accepted right now, send it again"
            raise Problem(Code.MAIL_NOT_ACCEPTED, detail) from error
        return Accepted(capture_id=taken)

    return router


def _trace_of(request: Request) -> Trace | None:
    """Return the caller's trace. Section 3.2: of two parents none counts."""
    parents = request.headers.getlist(tracing.PARENT)
    states = request.headers.getlist(tracing.STATE)
    return tracing.read(parents[0], ",".join(states)) if len(parents) == 1 else None
