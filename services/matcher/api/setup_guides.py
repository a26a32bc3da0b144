"""`/v1/setup/guides`: how a user sets up their own mailbox."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.matcher.directory.capture_addresses import CaptureAddresses
from services.matcher.directory.people import Directory
from services.matcher.guides import GENERIC, Choosing, language_of
from services.matcher.guides.shape import Guide, GuideKind, Placeholder
from services.matcher.reading.addresses import normalise
from shared.contracts.events import Kind
from shared.http.auth import Caller
from shared.http.web import SignedIn, not_found

MAX_MAILBOXES = 20


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
    language: str = Field(description="The language of the texts, such as `en`")
    guide: Guide
    values: dict[Placeholder, str] = Field(
        description="What stands in place of `{capture_address}` and its like; without those that "
        "the caller does not have"
    )
    choices: list[ChoiceOut] = Field(
        description="All guides that can be followed: choose by `guide`"
    )


def setup_guide_routes(
    directory: Directory, capture_addresses: CaptureAddresses, choosing: Choosing
) -> APIRouter:
    """Return the route of the set-up guides."""
    router = APIRouter(tags=["set-up"])

    @router.get("/v1/setup/guides")
    async def get_setup_guide(
        caller: SignedIn,
        guide: Annotated[
            str | None, Query(pattern=r"^[a-z0-9-]{1,40}$", description="This one of `choices`")
        ] = None,
        address: Annotated[
            str | None, Query(max_length=320, description="This one of the caller's `mailboxes`")
        ] = None,
        language: Annotated[
            str,
            Query(
                pattern=r"^[A-Za-z0-9-]{1,35}$",
                description="The reader's, such as `de-AT` (BCP 47). Texts are in English where "
                "there is no translation",
            ),
        ] = "en",
    ) -> GuidesOut:
        """Return how to set up a mailbox: by its provider, or as the caller chooses.

        It tells of the token's own person alone, so it needs no scope. 404 for a guide that is not
        among `choices`, and for an address that is not the caller's own.
        """
        mailboxes = await own_addresses(caller)
        mailbox = _own(mailboxes, address) if address is not None else next(iter(mailboxes), None)
        told_in = language_of(language)
        guides = choosing.catalogue.languages[told_in]
        if guide is not None and guide not in guides:
            raise not_found("guide")
        if guide is not None:
            chosen, by = guides[guide], "caller"
        elif mailbox and (found := await choosing.guide_of(mailbox)):
            chosen, by = guides[found.id], "mail_hosts"
        else:
            chosen, by = guides[GENERIC], "nothing"
        return GuidesOut(
            mailbox=mailbox,
            mailboxes=mailboxes[:MAX_MAILBOXES],
            chosen_by=by,
            language=told_in,
            guide=chosen,
            values=await values(caller, mailbox),
            choices=[ChoiceOut(id=g.id, kind=g.kind, name=g.name) for g in guides.values()],
        )

    async def own_addresses(caller: Caller) -> list[str]:
        """Return the addresses of a user; of anybody else none, since they capture nothing."""
        person = await directory.get(caller.account, caller.person_id)
        return list(person.addresses) if person and person.kind is Kind.USER else []

    async def values(caller: Caller, mailbox: str | None) -> dict[Placeholder, str]:
        active = await capture_addresses.of_person(caller.account, caller.person_id)
        of_account = None
        if caller.may("account:write"):
            of_account = await capture_addresses.of_person(caller.account, "")
        known: dict[Placeholder, str | None] = {
            "capture_address": active.address if active else None,
            "account_capture_address": of_account.address if of_account else None,
            "address": mailbox,
        }
        return {name: value for name, value in known.items() if value}

    return router


def _own(mailboxes: list[str], address: str) -> str:
    """Return the mailbox that is meant. Raises the problem 404 when it is not the caller's."""
    wanted = normalise(address)
    for mailbox in mailboxes:
        if normalise(mailbox) == wanted:
            return mailbox
    raise not_found("address of yours")
