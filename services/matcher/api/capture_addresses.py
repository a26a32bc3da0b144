"""`/v1/capture-addresses`: every user's private address, and the account's own."""

from datetime import datetime, timedelta
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.matcher.api.contact_card import contact_card
from services.matcher.decision.decide import Person
from services.matcher.directory.capture_addresses import AddressRecord, CaptureAddresses
from services.matcher.directory.people import Directory
from shared.contracts.events import Kind, PersonId
from shared.http.auth import Caller
from shared.http.openapi import SCOPES_OF_ITSELF
from shared.http.web import Problem, SignedIn, demand, invalid_field, not_found

MAX_GRACE_HOURS = 24 * 90
_SCOPES = ["directory:write", "account:write"]
"""The first for addresses of users, where one's own need none; the second for the account's own."""
CARD_HEADERS = {
    "Content-Disposition": 'attachment; filename="satchel.vcf"',
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
AddressInPath = Annotated[str, Path(max_length=320, description="The capture address")]


Scope = Literal["user", "account"]


class MintRequest(BaseModel):
    """Whose capture address is wanted: `{"person_id": "u1"}` or `{"scope": "account"}`."""

    model_config = ConfigDict(extra="forbid")

    person_id: PersonId | None = None
    scope: Scope = Field(
        "user",
        description="`account` creates the account's own address, for a rule that copies a whole "
        "company's mail. Each of its mails belongs to every user who takes part",
    )

    @model_validator(mode="after")
    def _is_of_one(self) -> Self:
        if (self.scope == "user") != (self.person_id is not None):
            raise ValueError("needs a person_id for the scope `user`, and none for `account`")
        return self


class RotateRequest(BaseModel):
    """How long the old address stays valid, since providers need time to learn the new one."""

    model_config = ConfigDict(extra="forbid")

    grace_hours: Annotated[int, Field(ge=0, le=MAX_GRACE_HOURS)] = 72


class MintedAddress(BaseModel):
    """A capture address."""

    address: str
    scope: Scope
    person_id: str | None = Field(description="Id of the user; null for the account's own address")
    state: str = Field(description="`active`, `grace` (accepted until `valid_until`) or `revoked`")
    key_id: str = Field(description="Id of the key that signed it")
    created_at: datetime
    valid_until: datetime | None


class MintedAddressList(BaseModel):
    """A page of capture addresses."""

    items: list[MintedAddress]
    next_cursor: str | None


def capture_address_routes(
    directory: Directory, capture_addresses: CaptureAddresses, contact_name: str
) -> APIRouter:
    """Return the routes of capture addresses.

    All need the scope directory:write, or the token of the very user whose address it is; those of
    the account's own address need account:write.
    """
    router = APIRouter(tags=["capture addresses"])

    async def user(caller: Caller, person_id: str) -> Person:
        person = await directory.get(caller.account, person_id)
        if person is None or person.kind is not Kind.USER:
            raise invalid_field("person_id", "is not a user of this account")
        return person

    async def still_user(caller: Caller, record: AddressRecord) -> None:
        """Take an address back that was made while its user was deleted."""
        try:
            await user(caller, record.person_id)
        except Problem:
            await capture_addresses.revoke(caller.account, person_ids=[record.person_id])
            raise

    async def find(caller: Caller, address: str) -> AddressRecord:
        record = await capture_addresses.find(address.lower())
        if record is None or record.account != caller.account:
            if not caller.may("account:write"):
                demand(caller, "directory:write")
            raise not_found("capture address")
        if record.is_of_account:
            demand(caller, "account:write")
        else:
            _demand(caller, record.person_id)
        return record

    @router.post(
        "/v1/capture-addresses",
        status_code=201,
        openapi_extra={SCOPES_OF_ITSELF: _SCOPES},
        responses={200: {"model": MintedAddress, "description": "The existing address"}},
    )
    async def create_capture_address(
        body: MintRequest, response: Response, caller: SignedIn
    ) -> MintedAddress:
        """Return the capture address of a user or the account, created if there is none (201).

        The account's own address needs the scope account:write.
        """
        if body.person_id is None:
            demand(caller, "account:write")
            record, new = await capture_addresses.mint_for_account(caller.account, caller.person_id)
            response.status_code = 201 if new else 200
            return _shown(record)
        _demand(caller, body.person_id)
        person = await user(caller, body.person_id)
        record, new = await capture_addresses.mint(caller.account, person.person_id, person.name)
        await still_user(caller, record)
        response.status_code = 201 if new else 200
        return _shown(record)

    @router.get(
        "/v1/capture-addresses",
        openapi_extra={SCOPES_OF_ITSELF: _SCOPES},
    )
    async def list_capture_addresses(
        caller: SignedIn,
        person_id: Annotated[
            PersonId | None, Query(description="Only addresses of this user")
        ] = None,
        scope: Annotated[
            Literal["account"] | None,
            Query(description="`account`: only the account's own addresses"),
        ] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: Annotated[str | None, Query(max_length=320)] = None,
    ) -> MintedAddressList:
        """List capture addresses, revoked ones included, the account's own first.

        `scope=account` needs the scope account:write or directory:write.
        """
        owner: str | None = person_id
        if scope == "account" and person_id is None:
            owner = ""
            if not caller.may("account:write"):
                demand(caller, "directory:write")
        else:
            _demand(caller, person_id)
        try:
            found = await capture_addresses.list(caller.account, owner, limit + 1, cursor)
        except KeyError as error:
            raise invalid_field("cursor", "is not a cursor of this list") from error
        page = found[:limit]
        return MintedAddressList(
            items=[_shown(record) for record in page],
            next_cursor=page[-1].address if len(found) > limit else None,
        )

    @router.post(
        "/v1/capture-addresses/{address}:rotate",
        openapi_extra={SCOPES_OF_ITSELF: _SCOPES},
    )
    async def rotate_capture_address(
        address: AddressInPath, caller: SignedIn, body: RotateRequest | None = None
    ) -> MintedAddress:
        """Replace a capture address. The old one is still accepted for `grace_hours`."""
        record = await find(caller, address)
        grace = timedelta(hours=(body or RotateRequest()).grace_hours)
        if record.is_of_account:
            return _shown(await capture_addresses.rotate(record, "", grace))
        person = await user(caller, record.person_id)
        rotated = await capture_addresses.rotate(record, person.name, grace)
        await still_user(caller, rotated)
        return _shown(rotated)

    @router.delete(
        "/v1/capture-addresses/{address}",
        status_code=204,
        openapi_extra={SCOPES_OF_ITSELF: _SCOPES},
    )
    async def revoke_capture_address(address: AddressInPath, caller: SignedIn) -> None:
        """Revoke a capture address at once."""
        record = await find(caller, address)
        await capture_addresses.revoke_one(caller.account, record.address)

    @router.get(
        "/v1/capture-addresses/{address}/contact.vcf",
        response_class=Response,
        openapi_extra={SCOPES_OF_ITSELF: _SCOPES},
        responses={200: {"content": {"text/vcard": {"schema": {"type": "string"}}}}},
    )
    async def get_capture_address_contact(address: AddressInPath, caller: SignedIn) -> Response:
        """Return an active capture address as a contact card (vCard) for an address book.

        404 for an address that was rotated or revoked, because it must not come into new use, and
        for the account's own address, which people do not write to.
        """
        record = await find(caller, address)
        if record.state != "active" or record.is_of_account:
            raise not_found("active capture address")
        owner = await directory.get(caller.account, record.person_id)
        card = contact_card(
            name=contact_name,
            address=record.address,
            owner=owner.name if owner else "",
            owner_id=record.person_id,
            account=record.account,
            made_at=record.created_at,
        )
        return Response(card, media_type="text/vcard; charset=utf-8", headers=CARD_HEADERS)

    return router


def _demand(caller: Caller, person_id: str | None) -> None:
    if person_id != caller.person_id:
        demand(caller, "directory:write")


def _shown(record: AddressRecord) -> MintedAddress:
    return MintedAddress(
        address=record.address,
        scope="account" if record.is_of_account else "user",
        person_id=record.person_id or None,
        state=record.state,
        key_id=record.key_id,
        created_at=record.created_at,
        valid_until=record.valid_until,
    )
