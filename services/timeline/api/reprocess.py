"""`/v1/reprocess/preview`: what reading the account's mail again would change, for operators."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.timeline.admin.reprocess_preview import ReprocessPreview
from services.timeline.api.mails import blob_errors
from shared.http.auth import Caller
from shared.http.web import allowed


class DifferenceOut(BaseModel):
    """A mail that would be shown otherwise."""

    mail_id: str = Field(description="The mail's id")
    kinds: list[str] = Field(
        description="In what: a field of the mail, or `moved`, when it would be another mail"
    )


class ReprocessPreviewOut(BaseModel):
    """What was found about a page of the stored contents."""

    items: list[DifferenceOut]
    tally: dict[str, int] = Field(
        description="Contents by what would become of them: `changed`, `unchanged`, `raw_missing` "
        "or `without_capture`"
    )
    next_cursor: str | None


def reprocess_routes(preview: ReprocessPreview) -> APIRouter:
    """Return the route."""
    router = APIRouter(tags=["mail"])

    @router.get("/v1/reprocess/preview")
    async def preview_reprocessing(
        caller: Annotated[Caller, allowed("ops")],
        limit: Annotated[int, Query(ge=1, le=100)] = 50,
        cursor: Annotated[str, Query(pattern="^([a-z2-7]{32}/[0-9a-f]{32})?$")] = "",
        all_: Annotated[
            bool, Query(alias="all", description="Those that this version has read, too")
        ] = False,
    ) -> ReprocessPreviewOut:
        """Say what `--reprocess` would change in the account's mail; nothing is written.

        A page looks at `limit` stored contents, and lists those that would change.
        """
        with blob_errors("mail"):
            page = await preview.page(limit, cursor, caller.account, include_current=all_)
        return ReprocessPreviewOut(
            items=[DifferenceOut(mail_id=one.mail_id, kinds=[*one.kinds]) for one in page.items],
            tally=page.tally,
            next_cursor=page.position,
        )

    return router
