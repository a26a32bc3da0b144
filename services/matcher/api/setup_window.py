"""`/v1/setup:watch`: a user asks to see, for a while, the mails that match no profile."""

from datetime import UTC, datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.matcher.directory.capture_addresses import CaptureAddresses
from services.matcher.directory.windows import Windows
from shared.http.web import SignedIn, not_found


class WindowOut(BaseModel):
    """An open set-up window."""

    until: datetime = Field(description="When the window closes by itself")
    mails_left: int = Field(description="How many more mails it will show")


class WindowState(BaseModel):
    """The caller's set-up window, if it is open."""

    window: WindowOut | None = Field(description="The open window; null if it is closed")


def setup_window_routes(capture_addresses: CaptureAddresses, windows: Windows) -> APIRouter:
    """Return the routes of the set-up window."""
    router = APIRouter(tags=["set-up"])

    @router.get("/v1/setup:watch")
    async def get_setup_window(caller: SignedIn) -> WindowState:
        """Return the caller's set-up window, if it is open."""
        window = await windows.find(caller.account, caller.person_id, datetime.now(UTC))
        shown = WindowOut(until=window.until, mails_left=window.left) if window else None
        return WindowState(window=shown)

    @router.post("/v1/setup:watch")
    async def open_setup_window(caller: SignedIn) -> WindowOut:
        """Open the caller's set-up window for 60 minutes, or extend it.

        The next mails, five at most, that arrive at the caller's capture address and match no
        profile are shown to the caller alone, as `watched` in `GET /v1/setup`. So a provider's
        confirmation mail can be answered even if it is not recognised. These mails are still
        dismissed, and are deleted after 24 hours. It concerns the caller alone, so it needs no
        scope. 404 without an active capture address.
        """
        if await capture_addresses.of_person(caller.account, caller.person_id) is None:
            raise not_found("active capture address of yours")
        window = await windows.open(caller.account, caller.person_id, datetime.now(UTC))
        return WindowOut(until=window.until, mails_left=window.left)

    return router
