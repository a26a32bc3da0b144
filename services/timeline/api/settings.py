"""`/v1/settings`: what an account can set."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from services.timeline.write.account_settings import AccountSettings, Visibility
from services.timeline.write.authentication import WhatWaits
from shared.http.auth import Caller
from shared.http.preconditions import IfMatch, changed_meanwhile, demand_match, etag_of
from shared.http.web import allowed


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
    async def get_settings(
        response: Response, caller: Annotated[Caller, allowed("timeline:read")]
    ) -> SettingsBody:
        """Return the account's settings, with their `ETag`."""
        return shown(await current(caller), response)

    @router.put("/v1/settings")
    async def replace_settings(
        body: SettingsBody,
        response: Response,
        caller: Annotated[Caller, allowed("account:write")],
        if_match: IfMatch = None,
    ) -> SettingsBody:
        """Change the account's settings, for everyone in it, from the next request on."""
        expected = None
        if if_match is not None:
            before = await current(caller)
            demand_match(if_match, before)
            expected = before.model_dump()
        if not await settings.replace(caller.account, body.model_dump(), expected):
            raise changed_meanwhile()
        return shown(await current(caller), response)

    def shown(body: SettingsBody, response: Response) -> SettingsBody:
        response.headers["ETag"] = etag_of(body)
        return body

    async def current(caller: Caller) -> SettingsBody:
        quarantined = await settings.quarantined(caller.account)
        return SettingsBody(
            visibility=await settings.visibility(caller.account),
            quarantine=quarantined.what,
            quarantine_forwards=quarantined.forwards,
        )

    return router
