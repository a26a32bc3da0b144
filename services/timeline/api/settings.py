"""`/v1/settings`: the account's settings."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from services.timeline.write.account_settings import AccountSettings, Visibility
from services.timeline.write.authentication import WhatWaits
from shared.http.auth import Caller
from shared.http.preconditions import IfMatch, changed_meanwhile, demand_match, tagged
from shared.http.web import allowed


class SettingsBody(BaseModel):
    """An account's settings."""

    model_config = ConfigDict(extra="forbid")

    visibility: Visibility = Field(
        description="`team`: every user sees all mail. `owner`: users see only mail "
        "received at their own capture address"
    )
    quarantine: WhatWaits | None = Field(
        None,
        description="Which mail waits in quarantine for a user's decision. `failed`: "
        "mail whose sender failed authentication. `unverified`: also mail "
        "whose sender could not be authenticated. `off`, the default: "
        "none. In a change, leave it out to keep it",
    )
    quarantine_forwards: bool | None = Field(
        None,
        description="Whether a user's forwards wait in quarantine if nothing proves "
        "that the user sent them. Default: false. In a change, leave it "
        "out to keep it",
    )


def settings_routes(settings: AccountSettings) -> APIRouter:
    """Return the routes of the account's settings."""
    router = APIRouter(tags=["settings"])

    @router.get("/v1/settings")
    async def get_account_settings(
        response: Response, caller: Annotated[Caller, allowed("timeline:read")]
    ) -> SettingsBody:
        """Return the account's settings with their `ETag`."""
        return tagged(await current(caller), response)

    @router.put("/v1/settings")
    async def replace_account_settings(
        body: SettingsBody,
        response: Response,
        caller: Annotated[Caller, allowed("account:write")],
        if_match: IfMatch = None,
    ) -> SettingsBody:
        """Change the account's settings for all its users, from the next request on."""
        expected = None
        if if_match is not None:
            before = await current(caller)
            demand_match(if_match, before)
            expected = before.model_dump()
        if not await settings.replace(caller.account, body.model_dump(), expected):
            raise changed_meanwhile()
        return tagged(await current(caller), response)

    async def current(caller: Caller) -> SettingsBody:
        quarantined = await settings.quarantined(caller.account)
        return SettingsBody(
            visibility=await settings.visibility(caller.account),
            quarantine=quarantined.what,
            quarantine_forwards=quarantined.forwards,
        )

    return router
