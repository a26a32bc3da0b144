"""`/v1/reprocess`: what reading the account's mail again would change, and the change of it."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from services.timeline.admin.reprocess_jobs import ReprocessJobs
from services.timeline.admin.reprocess_preview import ReprocessPreview
from services.timeline.api.mails import blob_errors
from services.timeline.write.side_records import ReprocessJob
from shared.http.auth import Caller
from shared.http.web import allowed, not_found

Operator = Annotated[Caller, allowed("ops")]
ReprocessingInPath = Annotated[
    str, Path(pattern="^[a-z2-7]{32}$", description="The id that the order was answered with")
]


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


class ReprocessingBody(BaseModel):
    """What is read again."""

    model_config = ConfigDict(extra="forbid")

    all: bool = Field(default=False, description="Also what this version has read")


class ReprocessingOut(BaseModel):
    """Mail that is read again, and how far that is."""

    id: str = Field(description="The id of this run")
    state: Literal["running", "done"]
    tally: dict[str, int] = Field(
        description="Contents by what became of them: `changed`, `unchanged`, `moved`, "
        "`raw_missing`, `without_capture` or `failed`, which is a defect"
    )
    asked_by: str = Field(description="The person's id")
    asked_at: datetime = Field(description="When it was asked for")
    done_at: datetime | None = Field(description="When all was read; None while it runs")

    @classmethod
    def of(cls, job: ReprocessJob) -> "ReprocessingOut":
        """Return a run."""
        return cls(
            id=job.id,
            state="running" if job.state == "running" else "done",
            tally=job.tally,
            asked_by=job.who,
            asked_at=job.at,
            done_at=job.done_at,
        )


def reprocess_routes(preview: ReprocessPreview, jobs: ReprocessJobs) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["mail"])

    @router.get("/v1/reprocess/preview")
    async def preview_reprocessing(
        caller: Operator,
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

    @router.post("/v1/reprocess", status_code=202)
    async def create_reprocessing(
        body: ReprocessingBody, caller: Operator, response: Response
    ) -> ReprocessingOut:
        """Read the account's mail again with today's reader, and show what it makes of it.

        202 with the run, which `Location` tells the progress of. Decisions and rulings stay. It
        goes on whatever is restarted, and live mail goes before. To ask again while it runs gives
        the same one.
        """
        job = await jobs.ask(caller.account, caller.person_id, include_current=body.all)
        response.headers["Location"] = f"/v1/reprocess/{job.id}"
        return ReprocessingOut.of(job)

    @router.get("/v1/reprocess/{reprocessing_id}")
    async def get_reprocessing(
        reprocessing_id: ReprocessingInPath, caller: Operator
    ) -> ReprocessingOut:
        """Return how far a run is; for 400 days after it is done."""
        job = await jobs.one(caller.account, reprocessing_id)
        if job is None:
            raise not_found("reprocessing")
        return ReprocessingOut.of(job)

    return router
