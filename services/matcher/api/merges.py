"""`/v1/people/{person_id}:merge`, `/v1/merges`: one profile's mail is shown on another."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from services.matcher.api.people import PersonInPath, Reader, Writer
from services.matcher.directory.merges import MAX_GROUP, Merge, Merges, Refusal
from shared.contracts.events import MergeId, PersonId
from shared.http.web import Code, Problem, not_found

MergeInPath = Annotated[MergeId, Path(description="The id that the merge was answered with")]
_REFUSED: dict[Refusal, tuple[Code, str]] = {
    "not_a_profile": (Code.NOT_A_PROFILE, "both people have to be candidates or contacts"),
    "merged_already": (Code.MERGED_ALREADY, "the person is merged into another profile"),
    "circle": (Code.MERGE_CIRCLE, "both people are the same profile already"),
    "too_many": (Code.TOO_MANY_MERGED, f"more than {MAX_GROUP} people would be one profile"),
}


class MergeBody(BaseModel):
    """Into whom a profile is merged."""

    model_config = ConfigDict(extra="forbid")

    into: PersonId = Field(description="The profile that shows the mail of both from now on")


class MergeOut(BaseModel):
    """A merge of two profiles."""

    id: MergeId
    person_id: str = Field(description="The profile that was merged")
    into: str = Field(
        description="The profile that it was merged into. That may have been merged, too"
    )
    state: Literal["merged", "undone"]
    merged_by: str = Field(description="The caller's person id")
    merged_at: datetime = Field(description="When it was merged")
    undone_by: str | None = Field(description="The person id of who undid it; null while it counts")
    undone_at: datetime | None = Field(description="When it was undone; null while it counts")

    @classmethod
    def of(cls, merge: Merge) -> "MergeOut":
        """Return a merge."""
        return cls(
            id=merge.id,
            person_id=merge.person_id,
            into=merge.into,
            state="merged" if merge.undone_at is None else "undone",
            merged_by=merge.by,
            merged_at=merge.at,
            undone_by=merge.undone_by,
            undone_at=merge.undone_at,
        )


class MergeList(BaseModel):
    """A page of merges, the latest first."""

    items: list[MergeOut]
    next_cursor: str | None


def merge_routes(merges: Merges) -> APIRouter:
    """Return the routes by which profiles are merged and parted."""
    router = APIRouter(tags=["directory"])

    @router.post("/v1/people/{person_id}:merge", responses={201: {"model": MergeOut}})
    async def merge_person(
        person_id: PersonInPath, body: MergeBody, caller: Writer, response: Response
    ) -> MergeOut:
        """Merge a profile into another, which shows the mail of both: 201, or 200 if it was before.

        Mail to the addresses of either, captured before or after, is shown on the profile that
        survives, with what each match was made for. The mail of both is blocked while one shares an
        address with a user. Deleting the merged person hides nothing: their addresses count until
        the merge is undone.

        Both are candidates or contacts of the directory, otherwise 404 or 409 `not_a_profile`. 409
        `merged_already` if the person is merged into another; undo that first. 409 `merge_circle`
        if both are one profile already, by way of others or since they are the same.
        """
        done = await merges.merge(caller.account, caller.person_id, person_id, body.into)
        if done in ("unknown", "into_unknown"):
            raise not_found("person" if done == "unknown" else "person of `into`")
        if isinstance(done, str):
            code, detail = _REFUSED[done]
            raise Problem(code, detail)
        merge, is_new = done
        response.status_code = 201 if is_new else 200
        return MergeOut.of(merge)

    @router.post("/v1/merges/{merge_id}:undo")
    async def undo_merge(merge_id: MergeInPath, caller: Writer) -> MergeOut:
        """Undo a merge: each profile shows its own mail again, also what came since. Idempotent.

        Merges may be undone in any order. What a user removed from the profile while they were
        merged stays removed from both.
        """
        merge = await merges.undo(caller.account, caller.person_id, merge_id)
        if merge is None:
            raise not_found("merge")
        return MergeOut.of(merge)

    @router.get("/v1/merges/{merge_id}")
    async def get_merge(merge_id: MergeInPath, caller: Reader) -> MergeOut:
        """Return a merge, undone or not."""
        merge = await merges.one(caller.account, merge_id)
        if merge is None:
            raise not_found("merge")
        return MergeOut.of(merge)

    @router.get("/v1/merges")
    async def list_merges(
        caller: Reader,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: Annotated[
            str | None, Query(pattern=r"^[0-9a-f]{32}$", description="`next_cursor` of a page")
        ] = None,
    ) -> MergeList:
        """List merges, undone or not, the latest first."""
        found = await merges.list(caller.account, limit + 1, cursor)
        page = found[:limit]
        return MergeList(
            items=[MergeOut.of(merge) for merge in page],
            next_cursor=page[-1].id if len(found) > limit else None,
        )

    return router
