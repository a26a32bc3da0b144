"""Request bodies that are bytes: a raw mail, read in pieces and in bounds."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Request

from shared.http.codes import Code
from shared.http.problems import Problem, invalid_field
from shared.runtime.in_flight import InFlight, Reservation

BYTES = {"schema": {"type": "string", "format": "binary"}}
"""What OpenAPI says about a body that is bytes to it."""
SOME_BYTES = {"schema": {"type": "string", "format": "binary", "minLength": 1}}
MAIL_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"message/rfc822": SOME_BYTES}}
}
"""What OpenAPI says about a route that uses `read_mail`."""


async def read_mail(
    request: Request, limit: int, may_hold: Callable[[int], bool] = lambda _: True
) -> bytes:
    """Return the raw mail in a request's body, read in pieces and never beyond the limit.

    `may_hold` is called with its size so far. Raises the problems 415 (not message/rfc822), 413
    (over the limit), 422 (empty) and 503 (it may not be held).
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "message/rfc822":
        raise Problem(Code.UNSUPPORTED_MEDIA_TYPE, "send the raw mail as message/rfc822")
    too_large = Problem(Code.MAIL_TOO_LARGE, f"the mail is larger than {limit} bytes")
    if int(request.headers.get("content-length", 0)) > limit:
        raise too_large
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise too_large
        if not may_hold(len(body)):
            raise too_much_mail()
    if not body:
        raise invalid_field("body", "contains no mail")
    if not may_hold(len(body)):  # evicted at the very end
        raise too_much_mail()
    return bytes(body)


@asynccontextmanager
async def reserved(in_flight: InFlight, account: str) -> AsyncIterator[Reservation]:
    """Reserve room for the mail that is read in the block; a slow one makes room for others.

    Raises the problem 503 when this one is evicted. The reader calls `complete` at its end.
    """
    loop = asyncio.get_running_loop()
    patience = asyncio.timeout(None)
    reservation = in_flight.reserve([account], lambda: patience.reschedule(loop.time()))
    try:
        async with patience:
            yield reservation
    except TimeoutError as error:
        if not patience.expired():
            raise
        raise too_much_mail() from error
    finally:
        reservation.release()


def too_much_mail() -> Problem:
    """Return the problem of a mail that does not fit into memory right now."""
    return Problem(Code.BUSY, "too much mail at a time, try again")
