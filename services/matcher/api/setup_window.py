"""`/v1/setup:watch`: a user asks to see, for a while, the mails that match no profile."""

from datetime import UTC, datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.matcher.directory.capture_addresses import CaptureAddresses
from services.matcher.directory.windows import Windows
from shared.http.web import SignedIn, not_found


class WindowOut(BaseModel):
    """A set-up window that is open."""

    until: datetime = Field(description="Then it closes by itself")
    mails_left: int = Field(description="How many mails it still shows")


class WindowState(BaseModel):
    """A set-up window, whether it is open or not."""

    window: WindowOut | None = Field(description="null: it is shut")


def setup_window_routes(capture_addresses: CaptureAddresses, windows: Windows) -> APIRouter:
    """Return the routes of the set-up window."""
    router = APIRouter(tags=["set-up"])

    @router.get("/v1/setup:watch")
    async def get_setup_window(caller: SignedIn) -> WindowState:
        """Tell whether the caller's set-up window is open. It is the token's own person's."""
        window = await windows.find(caller.account, caller.person_id, datetime.now(UTC))
        shown = WindowOut(until=window.until, mails_left=window.left) if window else None
        return WindowState(window=shown)

    @router.post("/v1/setup:watch")
    async def open_setup_window(caller: SignedIn) -> WindowOut:
        """Open the caller's set-up window for 60 minutes, or extend it.

        At most five mails that arrive at the caller's capture address and match no profile are
        shown to the caller alone (`watched` in `GET /v1/setup`), so that a provider's question can
        be answered even if it is not recognised. They are dismissed all the same, and forgotten
        after 24 hours. The window belongs to the token's own person, so it needs no scope. 404
        without an active capture address.
        """
        if await capture_addresses.of_person(caller.account, caller.person_id) is None:
            raise not_found("active capture address of yours")
        window = await windows.open(caller.account, caller.person_id, datetime.now(UTC))
        return WindowOut(until=window.until, mails_left=window.left)

    return router
