"""`/v1/capture-addresses`: every user's private address."""

from datetime import datetime

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict

from services.matcher.capture_addresses import CaptureAddresses
from services.matcher.directory import Directory
from shared.events import Kind, PersonId
from shared.web import SignedIn, demand, invalid_field


class MintRequest(BaseModel):
    """Whose address is wanted."""

    model_config = ConfigDict(extra="forbid")

    person_id: PersonId


class CaptureAddressOut(BaseModel):
    """A capture address."""

    address: str
    person_id: str
    created_at: datetime


def capture_address_routes(directory: Directory, capture_addresses: CaptureAddresses) -> APIRouter:
    """Return the routes of capture addresses."""
    router = APIRouter(tags=["capture addresses"])

    @router.post(
        "/v1/capture-addresses",
        status_code=201,
        responses={200: {"model": CaptureAddressOut, "description": "The address they have"}},
    )
    async def mint_capture_address(
        body: MintRequest, response: Response, caller: SignedIn
    ) -> CaptureAddressOut:
        """Return the user's capture address, made when they have none yet (201).

        Needs the scope directory:write, or a token of that very user.
        """
        if body.person_id != caller.person_id:
            demand(caller, "directory:write")
        person = await directory.get(caller.account, body.person_id)
        if person is None or person.kind is not Kind.USER:
            raise invalid_field("person_id", "is no user of this account")
        record, new = await capture_addresses.mint(caller.account, person.person_id, person.name)
        response.status_code = 201 if new else 200
        return CaptureAddressOut(
            address=record.address, person_id=record.person_id, created_at=record.created_at
        )

    return router
