"""`/v1/settings`: what an account can set."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from services.timeline.account_settings import AccountSettings, Visibility
from shared.auth import Caller
from shared.web import allowed


class SettingsBody(BaseModel):
    """An account's settings."""

    model_config = ConfigDict(extra="forbid")

    visibility: Visibility = Field(
        description="`team`: everyone sees all mail. `owner`: each user sees only what their own "
        "capture address caught"
    )


def settings_routes(settings: AccountSettings) -> APIRouter:
    """Return the routes of the account's settings."""
    router = APIRouter(tags=["settings"])

    @router.get("/v1/settings")
    async def account_settings(caller: Annotated[Caller, allowed("timeline:read")]) -> SettingsBody:
        """Return the account's settings."""
        return SettingsBody(visibility=await settings.visibility(caller.account))

    @router.put("/v1/settings")
    async def change_account_settings(
        body: SettingsBody, caller: Annotated[Caller, allowed("account:write")]
    ) -> SettingsBody:
        """Change the account's settings, for everyone in it, from the next request on."""
        await settings.set_visibility(caller.account, body.visibility)
        return body

    return router
