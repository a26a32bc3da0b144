"""`GET /v1/profiles?hidden=true`: which profiles are hidden, and why."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.timeline.query.cursors import InvalidCursor
from services.timeline.query.hidden_profiles import HiddenProfile, HiddenProfiles
from services.timeline.query.hiding import Reason
from services.timeline.query.viewer import viewer_of
from services.timeline.write.account_settings import AccountSettings
from shared.contracts.events import Kind
from shared.http.auth import Caller
from shared.http.web import allowed, invalid_field


class HiddenProfileOut(BaseModel):
    """A profile whose mail is hidden, without anything of the mail."""

    person_id: str
    name: str = Field(description="The person's name; empty for a deleted profile")
    kind: Kind | None = Field(description="The person's kind now; null for a deleted profile")
    reason: Reason = Field(
        description="`deleted`: the directory no longer has the profile. `blocked`: it is a user "
        "of the account, or shares an address with one"
    )
    in_use: bool = Field(
        description="Whether the directory has the id. Of a `deleted` profile: somebody with none "
        "of its addresses has its id now, and only mail from before is hidden"
    )

    @classmethod
    def of(cls, profile: HiddenProfile) -> "HiddenProfileOut":
        """Return a hidden profile."""
        return cls(
            person_id=profile.person_id,
            name=profile.name,
            kind=Kind(profile.kind) if profile.kind else None,
            reason=profile.reason,
            in_use=profile.in_use,
        )


class HiddenProfileList(BaseModel):
    """A page of hidden profiles."""

    items: list[HiddenProfileOut]
    next_cursor: str | None


def hidden_profile_routes(profiles: HiddenProfiles, settings: AccountSettings) -> APIRouter:
    """Return the route of hidden profiles."""
    router = APIRouter(tags=["mail"])

    @router.get("/v1/profiles")
    async def list_hidden_profiles(
        caller: Annotated[Caller, allowed("timeline:read")],
        hidden: Annotated[
            Literal["true"], Query(description="Only hidden profiles: there is no other list")
        ],
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: Annotated[str | None, Query(max_length=400)] = None,
    ) -> HiddenProfileList:
        """List profiles with mail that is hidden from the caller, and why.

        Their mail is kept. It comes back when the profile does with one of its former addresses,
        or when it is blocked no longer. A page may hold fewer items than `limit`, even none.
        Continue while there is a `next_cursor`.
        """
        viewer = await viewer_of(settings, caller)
        try:
            page = await profiles.page(viewer, limit, cursor)
        except InvalidCursor as error:
            raise invalid_field("cursor", str(error)) from error
        items = [HiddenProfileOut.of(profile) for profile in page.items]
        return HiddenProfileList(items=items, next_cursor=page.next_cursor)

    return router
