"""`/v1/reviews`: what would be decided otherwise today, and the change of it."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.matcher.api.people import NewPersonId, PersonIn, Writer
from services.matcher.decision.pending import PendingChange
from services.matcher.decision.redecide import Reason
from services.matcher.reviews.records import DIFFERING, Review, Reviews, Tally
from services.matcher.reviews.redeciding import Redeciding
from services.matcher.reviews.scope import concerned
from shared.contracts.events import PersonId, ReviewId
from shared.http.web import Code, Problem, not_found
from shared.storage.database import Document

ReviewInPath = Annotated[ReviewId, Path(description="The id that the review was answered with")]


class PutReviewed(PersonIn):
    """A person as they would be put."""

    person_id: NewPersonId = Field(description="The person's id in the ATS")


class DeleteReviewed(BaseModel):
    """A person who would be deleted."""

    model_config = ConfigDict(extra="forbid")

    person_id: PersonId = Field(description="The person's id in the ATS")
    deleted: Literal[True] = Field(description="That they would be deleted")


class ReviewBody(BaseModel):
    """What is reviewed: everything, or less."""

    model_config = ConfigDict(extra="forbid")

    person_id: PersonId | None = Field(
        default=None, description="Only what concerns this person, as the directory is now"
    )
    change: PutReviewed | DeleteReviewed | None = Field(
        default=None, description="What this change of the directory would do. It is not made"
    )

    @model_validator(mode="after")
    def _is_one(self) -> "ReviewBody":
        if self.person_id is not None and self.change is not None:
            raise ValueError("give `person_id` or `change`, not both")
        return self

    def pending(self) -> PendingChange | None:
        """Return the change that is not made yet."""
        if self.change is None:
            return None
        if isinstance(self.change, DeleteReviewed):
            return PendingChange(self.change.person_id, None)
        return PendingChange(self.change.person_id, self.change.person(self.change.person_id))


class ReviewOut(BaseModel):
    """A review, and how far it is."""

    id: ReviewId
    state: Literal["running", "ready", "applying", "applied"]
    person_id: str | None = Field(description="Whom it is about; null for everything")
    looked_at: int = Field(description="How many captures have been looked at")
    changes: int = Field(description="How many of them would be decided otherwise")
    dismissals: int = Field(description="How many of these would be attached to no profile")
    reasons: dict[Reason, int] = Field(description="Profiles that would lose or gain, by reason")
    skipped: int = Field(description="Captures that name more than can be reviewed, or failed")
    applied: int = Field(description="How many changes have been made")
    changed_meanwhile: int = Field(
        description="How many were not, since they or the directory have changed"
    )
    failed: int = Field(description="How many could not be made: a defect, see the logs")
    asked_by: str = Field(description="The person's id")
    asked_at: datetime = Field(description="When it was asked for")
    applied_by: str | None = Field(description="The person id of who applied it")
    done_at: datetime | None = Field(description="When all changes were made")
    expires_at: datetime = Field(description="Until when it is kept")

    @classmethod
    def of(cls, review: Review, tally: Tally) -> "ReviewOut":
        """Return a review."""
        states = tally.states
        return cls.model_validate(
            {
                "id": review.id,
                "state": review.state,
                "person_id": review.person_id,
                "looked_at": tally.looked_at,
                "changes": sum(states.get(state, 0) for state in DIFFERING),
                "dismissals": tally.dismissed,
                "reasons": tally.reasons,
                "skipped": states.get("too_large", 0),
                "applied": states.get("applied", 0),
                "changed_meanwhile": states.get("changed_meanwhile", 0),
                "failed": states.get("failed", 0),
                "asked_by": review.by,
                "asked_at": review.at,
                "applied_by": review.applied_by,
                "done_at": review.done_at,
                "expires_at": review.expires_at,
            }
        )


class ProfileChange(BaseModel):
    """A profile that a mail would leave, or come to."""

    person_id: str = Field(description="The profile")
    change: Literal["lost", "gained"] = Field(description="Whether it would lose the mail")
    reason: Reason = Field(description="Why")


class ReviewItem(BaseModel):
    """What one user captured of a mail, and would be decided otherwise."""

    mail_id: str = Field(description="The mail's id")
    capture_id: str = Field(description="The id of the capture, of several the first")
    owner: str = Field(description="The user who captured it")
    outcome: Literal["attach", "dismiss"] = Field(
        description="`dismiss`: no profile is left, and applying deletes what no one else captured"
    )
    dismissal: str | None = Field(description="Why it would be dismissed")
    profiles: list[ProfileChange]
    state: Literal["pending", "sent", "applied", "changed_meanwhile", "failed"]

    @classmethod
    def of(cls, item: Document) -> "ReviewItem":
        """Return an item."""
        capture = item["capture"]
        return cls.model_validate(
            {
                "mail_id": capture["mail_id"],
                "capture_id": capture["capture_id"],
                "owner": capture["owner"],
                "outcome": item["outcome"],
                "dismissal": item["dismissal"],
                "profiles": item["profiles"],
                "state": item["state"],
            }
        )


class ReviewItems(BaseModel):
    """A page of what would be decided otherwise."""

    items: list[ReviewItem]
    next_cursor: str | None


def review_routes(reviews: Reviews, redeciding: Redeciding) -> APIRouter:
    """Return the routes by which decisions are reviewed."""
    router = APIRouter(tags=["directory"])

    @router.post("/v1/reviews", status_code=202)
    async def create_review(body: ReviewBody, caller: Writer, response: Response) -> ReviewOut:
        """List which attachments would be decided otherwise today, and why. Nothing is changed.

        An empty body reviews everything, `person_id` what concerns a person, and `change` what a
        change of the directory would do, which is not made. 202 with the review, whose progress
        `Location` tells. It is `ready` when all was looked at, and is kept for seven days.
        """
        change = body.pending()
        who = change.person_id if change else body.person_id
        people, addresses = await concerned(redeciding, caller.account, who, change)
        review = await reviews.begin(
            caller.account, caller.person_id, who, change, people, addresses
        )
        response.headers["Location"] = f"/v1/reviews/{review.id}"
        return ReviewOut.of(review, await reviews.tally(review))

    @router.get("/v1/reviews/{review_id}")
    async def get_review(review_id: ReviewInPath, caller: Writer) -> ReviewOut:
        """Return how far a review is, with a tally of what it has found."""
        review = await found(caller.account, review_id)
        return ReviewOut.of(review, await reviews.tally(review))

    @router.get("/v1/reviews/{review_id}/changes")
    async def list_review_changes(
        review_id: ReviewInPath,
        caller: Writer,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: Annotated[
            str | None, Query(pattern=r"^[a-z2-7]{32}$", description="`next_cursor` of a page")
        ] = None,
    ) -> ReviewItems:
        """List what would be decided otherwise: for each capture the profiles, with the reason.

        Of a deleted or a blocked profile the mail is hidden already; a review lists it, since
        applying takes it from the profile for good.
        """
        review = await found(caller.account, review_id)
        items = await reviews.items(review, limit + 1, cursor)
        page = items[:limit]
        return ReviewItems(
            items=[ReviewItem.of(item) for item in page],
            next_cursor=page[-1]["capture"]["item"] if len(items) > limit else None,
        )

    @router.post("/v1/reviews/{review_id}:apply", status_code=202)
    async def apply_review(
        review_id: ReviewInPath, caller: Writer, response: Response
    ) -> ReviewOut:
        """Make the changes of a review that is ready: of the directory first, then of the mail.

        Each is decided once more, and made only if that gives what the review said; otherwise it is
        counted as `changed_meanwhile`. A capture that no profile is left of is dismissed: what
        no one else captured of it is deleted for good. What users removed from a profile, made
        private or deleted stays so. Idempotent; it goes on whatever is restarted. 409
        `review_not_ready` while it runs.
        """
        review = await found(caller.account, review_id)
        if review.state == "running":
            raise Problem(Code.REVIEW_NOT_READY, "not everything has been looked at yet")
        await reviews.apply(review, caller.person_id)
        response.headers["Location"] = f"/v1/reviews/{review.id}"
        return await get_review(review_id, caller)

    async def found(account: str, review_id: str) -> Review:
        review = await reviews.one(account, review_id)
        if review is None:
            raise not_found("review")
        return review

    return router
