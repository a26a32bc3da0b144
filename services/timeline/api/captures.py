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

    capture_id: UUID = Field(description="As the answer to the upload has it")
    state: CaptureState = Field(
        description="`waiting`: on its way. `attached`: shown. `quarantined`: waits for a user's "
        "decision. `dismissed`: forgotten. `dead_letter`: could not be handled, waits for an "
        "operator. `confirmation`: a provider's question to its owner. `round_trip`: a test mail "
        "of Satchel's own. More may be added"
    )
    reason: str | None = Field(description="Why it was dismissed or is a dead letter, in one word")
    mail_ids: list[str] = Field(
        description="Of an attached one, its mails that the caller may see; several, when they "
        "were forwarded as attachments. Empty for what was attached before this was recorded"
    )


def capture_routes(captures: Captures, settings: AccountSettings) -> APIRouter:
    """Return the route of captures."""
    router = APIRouter(tags=["captures"])

    @router.get("/v1/captures/{capture_id}")
    async def get_capture(
        capture_id: Annotated[UUID, Path(description="As the answer to the upload has it")],
        caller: Annotated[
            Caller, allowed_without_person("timeline:read", "mail:write", TIMELINE_ALL)
        ],
    ) -> CaptureStatusOut:
        """Return what became of a capture: ask again while it is `waiting`.

        Of a dismissed one the reason alone, for 90 days. 404 for what is not the account's, was
        made more than 28 days ago and has no outcome, or concerns only mail that a caller without
        the scope mail:write may not see.
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
