"""`/v1/never-capture`: whose mail is never captured, by an account's list and a user's own."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.matcher.decision.never_capture import NeverCapture
from services.matcher.directory.never_capture_entries import check_address, check_domain
from services.matcher.directory.never_capture_lists import OF_ACCOUNT, NeverCaptureLists
from services.matcher.directory.people import Directory
from shared.contracts.events import Kind
from shared.http.auth import Caller
from shared.http.preconditions import IfMatch, changed_meanwhile, demand_match, tagged
from shared.http.web import SignedIn, demand, invalid_field

MAX_ADDRESSES, MAX_DOMAINS = 2000, 2000
_ACCOUNT_SCOPE = "account:write"


class NeverCaptureList(BaseModel):
    """One list."""

    model_config = ConfigDict(extra="forbid")

    addresses: Annotated[
        list[Annotated[str, Field(max_length=320), AfterValidator(check_address)]],
        Field(max_length=MAX_ADDRESSES, description="Email addresses"),
    ]
    domains: Annotated[
        list[Annotated[str, Field(max_length=253), AfterValidator(check_domain)]],
        Field(
            max_length=MAX_DOMAINS,
            description="Domains, each including its subdomains",
        ),
    ]

    def never_capture(self) -> NeverCapture:
        """Return the list as it is stored."""
        return NeverCapture(frozenset(self.addresses), frozenset(self.domains))


class NeverCaptureBody(BaseModel):
    """Both lists."""

    model_config = ConfigDict(extra="forbid")

    account: NeverCaptureList | None = Field(
        None,
        description="Applies to all captures of the account; null without the scope account:write. "
        "In a change, leave it out to keep it",
    )
    own: NeverCaptureList | None = Field(
        None,
        description="Applies to the caller's own capture address; null if the caller is not a "
        "user. In a change, leave it out to keep it",
    )


def never_capture_routes(directory: Directory, lists: NeverCaptureLists) -> APIRouter:
    """Return the routes of the lists."""
    router = APIRouter(tags=["never capture"])

    @router.get("/v1/never-capture")
    async def get_never_capture_lists(response: Response, caller: SignedIn) -> NeverCaptureBody:
        """Return the caller's own list, and the account's with the scope account:write."""
        return tagged(await current(caller), response)

    @router.put("/v1/never-capture")
    async def replace_never_capture_lists(
        body: NeverCaptureBody, response: Response, caller: SignedIn, if_match: IfMatch = None
    ) -> NeverCaptureBody:
        """Replace the lists that are given. The account's list needs the scope account:write.

        A mail with a listed participant who is not a user is dismissed as `never_capture`. Nothing
        of it is stored, even if it also matches a profile. The change applies to all mail received
        after the answer; stored mail stays. With `If-Match` the account's list is written first.
        If the caller's own list changed at the same moment, the answer is 412 and that list is
        left as it is.
        """
        if body.account is not None:
            demand(caller, _ACCOUNT_SCOPE)
        if body.own is not None and not await is_user(caller):
            raise invalid_field("own", "only a user of the account has a list")
        before: NeverCaptureBody | None = None
        if if_match is not None:
            before = await current(caller)
            demand_match(if_match, before)
        if body.account is not None:
            was = before.account if before else None
            await replace(caller.account, OF_ACCOUNT, body.account, was)
        if body.own is not None:
            was = before.own if before else None
            await replace(caller.account, caller.person_id, body.own, was)
            if not await is_user(caller):  # deleted meanwhile
                await lists.forget(caller.account, [caller.person_id])
                raise invalid_field("own", "only a user of the account has a list")
        return tagged(await current(caller), response)

    async def replace(
        account: str, owner: str, new: NeverCaptureList, was: NeverCaptureList | None
    ) -> None:
        expected = was.never_capture() if was else None
        if not await lists.put(account, owner, new.never_capture(), expected):
            raise changed_meanwhile()

    async def is_user(caller: Caller) -> bool:
        person = await directory.get(caller.account, caller.person_id)
        return person is not None and person.kind is Kind.USER

    async def current(caller: Caller) -> NeverCaptureBody:
        found = await lists.of(caller.account, [OF_ACCOUNT, caller.person_id])
        sees_account, has_own = caller.may(_ACCOUNT_SCOPE), await is_user(caller)
        return NeverCaptureBody(
            account=_shown(found[OF_ACCOUNT]) if sees_account else None,
            own=_shown(found[caller.person_id]) if has_own else None,
        )

    return router


def _shown(never: NeverCapture) -> NeverCaptureList:
    return NeverCaptureList(addresses=sorted(never.addresses), domains=sorted(never.domains))
