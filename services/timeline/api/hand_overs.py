"""`/v1/hand-overs`: the captures of a user who leaves go to another."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from services.timeline.admin.hand_overs import HandOverDesk
from services.timeline.write.side_records import HandOverJob
from shared.contracts.events import PersonId
from shared.http.auth import Caller
from shared.http.web import Code, Problem, allowed, not_found

Admin = Annotated[Caller, allowed("account:write")]
HandOverInPath = Annotated[
    str, Path(pattern="^[a-z2-7]{32}$", description="The id that the order was answered with")
]


class HandOverBody(BaseModel):
    """Whose captures go to whom."""

    model_config = ConfigDict(extra="forbid")

    from_: PersonId = Field(alias="from", description="The user who leaves, or has left")
    to: PersonId = Field(description="A user of the account, who gets the captures")


class HandOverOut(BaseModel):
    """A hand-over, and how far it is."""

    model_config = ConfigDict(serialize_by_alias=True)

    id: str = Field(description="The id of this hand-over")
    from_: str = Field(serialization_alias="from")
    to: str
    state: Literal["running", "done"]
    mails: int = Field(description="How many mails have been given so far")
    quarantined: int = Field(description="How many captures in quarantine have been")
    failed: int = Field(description="How many mails could not be given: a defect, see the logs")
    asked_by: str = Field(description="The person's id")
    asked_at: datetime = Field(description="When it was asked for")
    done_at: datetime | None = Field(description="When all was given; None while it runs")

    @classmethod
    def of(cls, job: HandOverJob) -> "HandOverOut":
        """Return a hand-over."""
        return cls(
            id=job.id,
            from_=job.from_,
            to=job.to,
            state="running" if job.state == "running" else "done",
            mails=job.mails,
            quarantined=job.held,
            failed=job.failed,
            asked_by=job.who,
            asked_at=job.at,
            done_at=job.done_at,
        )


def hand_over_routes(desk: HandOverDesk) -> APIRouter:
    """Return the routes by which a leaver's captures are given to another user."""
    router = APIRouter(tags=["mail"])

    @router.post("/v1/hand-overs", status_code=202)
    async def hand_over(body: HandOverBody, caller: Admin, response: Response) -> HandOverOut:
        """Give all that a user captured to another user, who sees it as the first did.

        202 with the hand-over, which `Location` tells the progress of. It goes on whatever is
        restarted, beside mail that arrives; an account's are done one after the other. To ask again
        while it runs gives the same one. 404 when the directory never had `from`; 409 when `to` is
        no user, or the same.
        """
        job = await desk.ask(caller.account, caller.person_id, body.from_, body.to)
        match job:
            case "unknown":
                raise not_found("person")
            case "same":
                raise Problem(Code.NO_NEW_OWNER, "`to` is the user whose captures are to be given")
            case "not_a_user":
                raise Problem(Code.NO_NEW_OWNER, "`to` is not a user of the account")
        response.headers["Location"] = f"/v1/hand-overs/{job.id}"
        return HandOverOut.of(job)

    @router.get("/v1/hand-overs/{hand_over_id}")
    async def get_hand_over(hand_over_id: HandOverInPath, caller: Admin) -> HandOverOut:
        """Return how far a hand-over is; for 400 days after it is done."""
        job = await desk.hand_overs.one(caller.account, hand_over_id)
        if job is None:
            raise not_found("hand-over")
        return HandOverOut.of(job)

    return router
