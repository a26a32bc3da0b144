"""`GET /v1/captures/{capture_id}`: what became of what was sent."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from services.timeline.admin.captures import Captures, CaptureState
from services.timeline.api.mail_changes import viewer_for
from services.timeline.write.account_settings import AccountSettings
from shared.http.auth import TIMELINE_ALL, Caller
from shared.http.web import allowed_without_person, not_found


class CaptureStatusOut(BaseModel):
    """What became of a capture."""

    capture_id: UUID = Field(description="Id of the capture, from the answer to the upload")
    state: CaptureState = Field(
        description="`waiting`: not decided yet. `attached`: filed on profiles. "
        "`quarantined`: waits for a user's decision. `dismissed`: not "
        "stored. `dead_letter`: could not be handled, waits for an "
        "operator. `confirmation`: a provider's question, shown to its "
        "owner. `round_trip`: one of Satchel's own test mails. More may be "
        "added"
    )
    reason: str | None = Field(description="Why it was dismissed or is a dead letter, as one word")
    mail_ids: list[str] = Field(
        description="For an attached capture, the mails that the caller may see: "
        "several if they were forwarded as attachments. Empty for captures "
        "from before this was recorded"
    )


def capture_routes(captures: Captures, settings: AccountSettings) -> APIRouter:
    """Return the route of captures."""
    router = APIRouter(tags=["captures"])

    @router.get("/v1/captures/{capture_id}")
    async def get_capture(
        capture_id: Annotated[
            UUID, Path(description="Id of the capture, from the answer to the upload")
        ],
        caller: Annotated[
            Caller, allowed_without_person("timeline:read", "mail:write", TIMELINE_ALL)
        ],
    ) -> CaptureStatusOut:
        """Return what became of a capture. Ask again while it is `waiting`.

        A dismissed capture has only its reason, for 90 days. 404 if the capture is not the
        account's, if it is older than 28 days and has no outcome, or if it concerns only mail that
        the caller may not see and the token lacks the scope mail:write.
        """
        viewer = await viewer_for(settings, caller, "capture")
        found = await captures.status(viewer, capture_id, sent_it=caller.may("mail:write"))
        if found is None:
            raise not_found("capture")
        return CaptureStatusOut(
            capture_id=capture_id,
            state=found.state,
            reason=found.reason,
            mail_ids=list(found.mail_ids),
        )

    return router
