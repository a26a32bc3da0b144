"""`/v1/rematch-window`: for how many days an account keeps what matched no profile, sealed."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from services.matcher.rematch.keys import MAX_DAYS, RematchKeys
from services.matcher.rematch.sealed import SealedCaptures
from shared.http.auth import Caller
from shared.http.preconditions import IfMatch, changed_meanwhile, demand_match, tagged
from shared.http.web import allowed


def _a_number(days: object) -> object:
    """Refuse what only looks like a number: it turns on what keeps mail."""
    if isinstance(days, bool | str):
        raise ValueError("should be a number")
    return days


class RematchWindow(BaseModel):
    """An account's rematch window."""

    model_config = ConfigDict(extra="forbid")

    days: Annotated[int, Field(ge=0, le=MAX_DAYS), BeforeValidator(_a_number)] = Field(
        description="For how many days a mail that matched no profile is kept, sealed; 0 when the "
        "window is off, which is the default"
    )


def rematch_window_routes(keys: RematchKeys, sealed: SealedCaptures) -> APIRouter:
    """Return the routes of the rematch window."""
    router = APIRouter(tags=["directory"])

    @router.get("/v1/rematch-window")
    async def get_rematch_window(
        response: Response, caller: Annotated[Caller, allowed("account:read")]
    ) -> RematchWindow:
        """Return the account's rematch window."""
        return tagged(RematchWindow(days=await keys.days(caller.account)), response)

    @router.put("/v1/rematch-window")
    async def replace_rematch_window(
        body: RematchWindow,
        response: Response,
        caller: Annotated[Caller, allowed("account:write")],
        if_match: IfMatch = None,
    ) -> RematchWindow:
        """Turn the account's rematch window on or off, or change how long it is.

        While it is on, a mail received from now on that matches no profile is dismissed, but kept
        encrypted, and is listed, searched and shown nowhere. When a profile with an address of the
        mail is added within these days, the mail is decided again and, if it matches, shown there.

        A shorter window counts for what is kept already: keys that end by it are destroyed before
        the answer. A longer one counts for mail received from now on. 0 destroys all keys.
        """
        expected: int | None = None
        if if_match is not None:
            expected = await keys.days(caller.account)
            demand_match(if_match, RematchWindow(days=expected))
        if not await sealed.set_days(caller.account, body.days, expected):
            raise changed_meanwhile()
        return tagged(body, response)

    return router
