"""`GET /v1/setup`: what a user needs to finish the set-up of their capture address."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.timeline.api.shapes import AuthenticationOut
from services.timeline.query.confirmations import Confirmations
from services.timeline.query.people import Directory
from services.timeline.write.indexes import CONFIRMATIONS_KEPT
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
    expires_at: datetime = Field(description="When it is shown no more; ask the provider again")
    authentication: AuthenticationOut | None = Field(
        description="Whether it is from the provider; null where that is not looked at. Show it of "
        "one that has `failed`: somebody else wrote it, though its link leads to the provider"
    )


class SetupOut(BaseModel):
    """The caller's set-up."""

    capture_addresses: list[CaptureAddressOut]
    confirmations: list[ConfirmationOut] = Field(description="Newest first, of the last 24 hours")


def setup_routes(directory: Directory, confirmations: Confirmations) -> APIRouter:
    """Return the route of the set-up."""
    router = APIRouter(tags=["set-up"])

    @router.get("/v1/setup")
    async def setup(caller: Annotated[Caller, allowed("timeline:read")]) -> SetupOut:
        """Return the caller's own capture addresses and forwarding confirmations."""
        addresses = await directory.capture_addresses(caller.account, caller.person_id)
        asked = await confirmations.of(caller.account, caller.person_id)
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
                    expires_at=question.at + CONFIRMATIONS_KEPT,
                    authentication=AuthenticationOut.model_validate(question.authentication)
                    if question.authentication
                    else None,
                )
                for question in asked
            ],
        )

    return router
