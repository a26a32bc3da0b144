"""`/v1/setup`: what a user needs to finish the set-up of their capture address."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.timeline.guides import GENERIC, Choosing
from services.timeline.guides.shape import Guide, GuideKind, Placeholder
from services.timeline.query.confirmations import Confirmations
from services.timeline.query.people import Directory
from shared.auth import Caller
from shared.events import Kind
from shared.mail.address_form import normalise
from shared.web import allowed, not_found

MAX_MAILBOXES = 20


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


class SetupOut(BaseModel):
    """The caller's set-up."""

    capture_addresses: list[CaptureAddressOut]
    confirmations: list[ConfirmationOut] = Field(description="Newest first, of the last 30 days")


class ChoiceOut(BaseModel):
    """A guide that the caller can choose."""

    id: str
    kind: GuideKind
    name: str


class GuidesOut(BaseModel):
    """The guide for one of the caller's mailboxes, and what else there is."""

    mailbox: str | None = Field(description="The address that it is about; null without one")
    mailboxes: list[str] = Field(
        description=f"The caller's own addresses, the first {MAX_MAILBOXES}: choose by `address`"
    )
    chosen_by: Literal["caller", "mail_hosts", "nothing"] = Field(
        description="`mail_hosts`: by whoever takes the mailbox's mail; `nothing`: the generic "
        "guide, since that is not known"
    )
    guide: Guide
    values: dict[Placeholder, str] = Field(
        description="What stands in place of `{capture_address}` and its like; without those that "
        "the caller does not have"
    )
    choices: list[ChoiceOut] = Field(description="All guides: choose by `guide`")


def setup_routes(
    directory: Directory, confirmations: Confirmations, choosing: Choosing
) -> APIRouter:
    """Return the routes of the set-up."""
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
                )
                for question in asked
            ],
        )

    @router.get("/v1/setup/guides")
    async def setup_guides(
        caller: Annotated[Caller, allowed("timeline:read")],
        guide: Annotated[
            str | None, Query(pattern=r"^[a-z0-9-]{1,40}$", description="This one of `choices`")
        ] = None,
        address: Annotated[
            str | None, Query(max_length=320, description="This one of the caller's `mailboxes`")
        ] = None,
    ) -> GuidesOut:
        """Return how to set up a mailbox: by its provider, or as the caller chooses.

        404 for a guide that there is not, and for an address that is not the caller's own.
        """
        mailboxes = await own_addresses(caller)
        mailbox = _own(mailboxes, address) if address is not None else next(iter(mailboxes), None)
        guides = choosing.catalogue.guides
        if guide is not None and guide not in guides:
            raise not_found("guide")
        if guide is not None:
            chosen, by = guides[guide], "caller"
        elif mailbox and (found := await choosing.guide_of(mailbox)):
            chosen, by = found, "mail_hosts"
        else:
            chosen, by = guides[GENERIC], "nothing"
        return GuidesOut(
            mailbox=mailbox,
            mailboxes=mailboxes[:MAX_MAILBOXES],
            chosen_by=by,
            guide=chosen,
            values=await values(caller, mailbox),
            choices=[ChoiceOut(id=g.id, kind=g.kind, name=g.name) for g in guides.values()],
        )

    async def own_addresses(caller: Caller) -> list[str]:
        """Return the addresses of a user; of anybody else none, since they capture nothing."""
        known = await directory.named(caller.account, [caller.person_id])
        person = known.get(caller.person_id)
        return list(person.addresses) if person and person.kind == Kind.USER else []

    async def values(caller: Caller, mailbox: str | None) -> dict[Placeholder, str]:
        found = await directory.capture_addresses(caller.account, caller.person_id)
        active = next((capture.address for capture in found if capture.state == "active"), None)
        known: dict[Placeholder, str | None] = {"capture_address": active, "address": mailbox}
        return {name: value for name, value in known.items() if value}

    return router


def _own(mailboxes: list[str], address: str) -> str:
    """Return the mailbox that is meant. Raises the problem 404 when it is not the caller's."""
    wanted = normalise(address)
    for mailbox in mailboxes:
        if normalise(mailbox) == wanted:
            return mailbox
    raise not_found("address of yours")
