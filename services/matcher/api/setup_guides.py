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

    mailbox: str | None = Field(
        description="The mailbox that the guide is about; null if there is none"
    )
    mailboxes: list[str] = Field(
        description=f"The caller's own addresses, {MAX_MAILBOXES} at most. Choose one "
        "with `address`"
    )
    chosen_by: Literal["caller", "mail_hosts", "nothing"] = Field(
        description="How the guide was chosen. `mail_hosts`: by the mailbox's MX hosts. `nothing`: "
        "they are unknown, so this is the generic guide"
    )
    language: str = Field(description="Language of the texts, such as `en`")
    guide: Guide
    values: dict[Placeholder, str] = Field(
        description="Values for placeholders such as `{capture_address}`. Those that the caller "
        "does not have are missing"
    )
    choices: list[ChoiceOut] = Field(description="All guides. Choose one with `guide`")


def setup_guide_routes(
    directory: Directory, capture_addresses: CaptureAddresses, choosing: Choosing
) -> APIRouter:
    """Return the route of the set-up guides."""
    router = APIRouter(tags=["set-up"])

    @router.get("/v1/setup/guides")
    async def get_setup_guide(
        caller: SignedIn,
        guide: Annotated[
            str | None,
            Query(pattern=r"^[a-z0-9-]{1,40}$", description="Id of a guide in `choices`"),
        ] = None,
        address: Annotated[
            str | None, Query(max_length=320, description="One of the caller's `mailboxes`")
        ] = None,
        language: Annotated[
            str,
            Query(
                pattern=r"^[A-Za-z0-9-]{1,35}$",
                description="The reader's language, such as `de-AT` (BCP 47). Texts without a "
                "translation are in English",
            ),
        ] = "en",
    ) -> GuidesOut:
        """Return the guide for a mailbox: that of its provider, or the one the caller chooses.

        It is about the caller alone, so it needs no scope. 404 for a guide that is not in
        `choices`, and for an address that is not the caller's own.
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
