"""`GET /v1/setup`: what a user needs to finish the set-up of their capture address."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.timeline.query.confirmations import Confirmations
from services.timeline.query.people import Directory
from services.timeline.query.round_trips import RoundTrip, RoundTrips
from shared.auth import Caller
from shared.web import allowed


class CaptureAddressOut(BaseModel):
    """One of the caller's capture addresses that still counts."""

    address: str
    state: Literal["active", "grace"]
    valid_until: datetime | None = Field(description="The end of a rotated address's grace")


class ConfirmationOut(BaseModel):
    """A mail provider's question whether it may forward to the capture address."""

    provider: str
    requested_by: str | None = Field(description="The address whose mail is to be forwarded")
    code: str | None = Field(description="To type in at the provider")
    link: str | None = Field(description="Confirms when it is opened")
    capture_address: str
    at: datetime


class RoundTripOut(BaseModel):
    """The latest challenge to one of the caller's mailboxes (`POST /v1/setup:prove`)."""

    state: Literal["sent", "returned", "bounced", "failed", "lost"] = Field(
        description="`sent`: on its way. `returned`: the mailbox forwards. `bounced`: a mail "
        "server refused it. `failed`: the relay did not take it, which says nothing of the "
        "mailbox. `lost`: it did not come back in time"
    )
    address: str
    sent_at: datetime
    expires_at: datetime
    at: datetime = Field(description="When it came to this state")
    repeated: bool = Field(description="It was sent by the account's weekly check")
    status: str | None = Field(description="The enhanced status code of a bounce (RFC 3463)")
    reason: str | None = Field(description="Why it bounced, in words")
    advice: str | None = Field(description="What to do about it")


class SetupOut(BaseModel):
    """The caller's set-up."""

    capture_addresses: list[CaptureAddressOut]
    confirmations: list[ConfirmationOut] = Field(description="Newest first, of the last 30 days")
    round_trip: RoundTripOut | None = Field(description="null: there was none")


def setup_routes(
    directory: Directory, confirmations: Confirmations, round_trips: RoundTrips
) -> APIRouter:
    """Return the route of the set-up."""
    router = APIRouter(tags=["set-up"])

    @router.get("/v1/setup")
    async def setup(caller: Annotated[Caller, allowed("timeline:read")]) -> SetupOut:
        """Return the caller's own capture addresses, forwarding confirmations and round trip."""
        addresses = await directory.capture_addresses(caller.account, caller.person_id)
        asked = await confirmations.of(caller.account, caller.person_id)
        round_trip = await round_trips.of(caller.account, caller.person_id)
        return SetupOut(
            capture_addresses=[
                CaptureAddressOut(
                    address=found.address, state=found.state, valid_until=found.valid_until
                )
                for found in addresses
            ],
            confirmations=[
                ConfirmationOut(
                    provider=question.provider,
                    requested_by=question.requested_by,
                    code=question.code,
                    link=question.link,
                    capture_address=question.capture_address,
                    at=question.at,
                )
                for question in asked
            ],
            round_trip=_round_trip(round_trip, datetime.now(UTC)) if round_trip else None,
        )

    return router


def _round_trip(latest: RoundTrip, now: datetime) -> RoundTripOut:
    return RoundTripOut.model_validate(
        {
            **{field: getattr(latest, field) for field in RoundTripOut.model_fields},
            **({"state": "lost", "at": latest.expires_at} if latest.is_lost(now) else {}),
        }
    )
