"""`/v1/settings`: what an account can set."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from services.timeline.write.account_settings import AccountSettings, Visibility
from services.timeline.write.authentication import WhatWaits
from shared.auth import Caller
from shared.web import allowed


class SettingsBody(BaseModel):
    """An account's settings."""

    model_config = ConfigDict(extra="forbid")

    visibility: Visibility = Field(
        description="`team`: everyone sees all mail. `owner`: each user sees only what their own "
        "capture address caught"
    )
    quarantine: WhatWaits | None = Field(
        None,
        description="`failed`: mail that is not from whom it says waits for a user's yes. "
        "`unverified`: so does mail of which that could not be found out. `off`, the default: both "
        "are shown. In a change: as before, when it is not given",
    )
    quarantine_forwards: bool | None = Field(
        None,
        description="Whether what a user forwards waits for a user's yes, where it is not proved "
        "that the user has forwarded it. Off by default. In a change: as before, when it is not "
        "given",
    )


def settings_routes(settings: AccountSettings) -> APIRouter:
    """Return the routes of the account's settings."""
    router = APIRouter(tags=["settings"])

    @router.get("/v1/settings")
    async def account_settings(caller: Annotated[Caller, allowed("timeline:read")]) -> SettingsBody:
        """Return the account's settings."""
        return await current(caller)

    @router.put("/v1/settings")
    async def change_account_settings(
        body: SettingsBody, caller: Annotated[Caller, allowed("account:write")]
    ) -> SettingsBody:
        """Change the account's settings, for everyone in it, from the next request on."""
        await settings.set_visibility(caller.account, body.visibility)
        await settings.set_quarantine(
            caller.account, body.quarantine, forwards=body.quarantine_forwards
        )
        return await current(caller)

    async def current(caller: Caller) -> SettingsBody:
        quarantined = await settings.quarantined(caller.account)
        return SettingsBody(
            visibility=await settings.visibility(caller.account),
            quarantine=quarantined.what,
            quarantine_forwards=quarantined.forwards,
        )

    return router
