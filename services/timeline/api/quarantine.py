"""`/v1/quarantine`: mail that waits for a user's decision. Users who would see it may decide."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from services.timeline.admin.quarantine import Quarantine, mails_for
from services.timeline.admin.release import Release
from services.timeline.api.shapes import (
    AddressOut,
    AuthenticationOut,
    CaptureOut,
    MatchOut,
    match_out,
)
from services.timeline.query.cursors import InvalidCursor
from services.timeline.query.viewer import Viewer, viewer_of
from services.timeline.write.account_settings import AccountSettings
from services.timeline.write.authentication import UNKNOWN
from services.timeline.write.records import NamedAddress
from services.timeline.write.side_records import Held, HeldContent
from shared.http.auth import Caller
from shared.http.web import Code, Problem, allowed, invalid_field, not_found
from shared.storage.blobs import BlobMissing, BlobStoreAway

HeldInPath = Annotated[
    str, Path(pattern=r"^[a-z2-7]{32}$", description="Id of the quarantined capture")
]


class HeldMail(BaseModel):
    """A quarantined mail. Its full text is not shown before a user releases it."""

    model_config = ConfigDict(serialize_by_alias=True)

    subject: str
    date: datetime
    from_: AddressOut | None = Field(serialization_alias="from")
    to: list[AddressOut]
    cc: list[AddressOut]
    snippet: str
    forwarded_by: AddressOut | None
    matches: list[MatchOut]

    @classmethod
    def of(cls, shown: HeldContent) -> Self:
        """Return the mail as its viewer may see it."""
        return cls(
            subject=shown.subject,
            date=shown.date,
            from_=_address(shown.from_),
            to=[AddressOut.model_validate(entry) for entry in shown.to],
            cc=[AddressOut.model_validate(entry) for entry in shown.cc],
            snippet=shown.snippet,
            forwarded_by=_address(shown.forwarded_by),
            matches=[match_out(match) for match in shown.matches],
        )


def _address(found: NamedAddress | None) -> AddressOut | None:
    return AddressOut.model_validate(found) if found else None


class HeldOut(BaseModel):
    """A quarantined capture."""

    id: str
    captured_by: CaptureOut
    authentication: AuthenticationOut
    mails: list[HeldMail] = Field(
        description="The mails of the capture: several if they were forwarded as attachments"
    )

    @classmethod
    def of(cls, viewer: Viewer, held: Held) -> Self:
        """Return the capture as its viewer may see it."""
        return cls(
            id=held.id,
            captured_by=CaptureOut(person_id=held.owner, at=held.at),
            authentication=AuthenticationOut.model_validate(held.authentication or UNKNOWN),
            mails=[HeldMail.of(shown) for shown in mails_for(viewer, held)],
        )


class HeldList(BaseModel):
    """A page of quarantined captures, newest first."""

    items: list[HeldOut]
    next_cursor: str | None


def quarantine_routes(
    quarantine: Quarantine, release: Release, settings: AccountSettings
) -> APIRouter:
    """Return the routes of the quarantine."""
    router = APIRouter(tags=["quarantine"])

    async def find(caller: Caller, id_: str) -> Held:
        held = await quarantine.one(await viewer_of(settings, caller), id_)
        if held is None:
            raise not_found("capture in quarantine")
        return held

    @router.get("/v1/quarantine")
    async def list_quarantined_mails(
        caller: Annotated[Caller, allowed("timeline:read")],
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: Annotated[str | None, Query(max_length=200)] = None,
    ) -> HeldList:
        """List mail in quarantine, whose sender could not be authenticated, newest first."""
        viewer = await viewer_of(settings, caller)
        try:
            page = await quarantine.page(viewer, limit, cursor)
        except InvalidCursor as error:
            raise invalid_field("cursor", str(error)) from error
        viewer = await quarantine.knowing(viewer, page.items)
        items = [HeldOut.of(viewer, held) for held in page.items]
        shown = [item for item in items if item.mails]
        return HeldList(items=shown, next_cursor=page.next_cursor)

    @router.post("/v1/quarantine/{held_id}/release", status_code=204, response_class=Response)
    async def release_quarantined_mail(
        held_id: HeldInPath, caller: Annotated[Caller, allowed("timeline:write")]
    ) -> None:
        """Release a quarantined capture: its mail is filed in the inbox and on its profiles."""
        held = await find(caller, held_id)
        try:
            await release.release(held)
        except BlobMissing as error:  # somebody else has decided meanwhile
            raise not_found("capture in quarantine") from error
        except BlobStoreAway as error:
            raise _away() from error

    @router.delete("/v1/quarantine/{held_id}", status_code=204, response_class=Response)
    async def refuse_quarantined_mail(
        held_id: HeldInPath, caller: Annotated[Caller, allowed("timeline:write")]
    ) -> None:
        """Refuse a quarantined capture: it is deleted like a dismissed one."""
        held = await find(caller, held_id)
        try:
            await release.refuse(held)
        except BlobStoreAway as error:
            raise _away() from error

    return router


def _away() -> Problem:
    return Problem(Code.BLOB_STORE_UNAVAILABLE, "the blob store is unavailable, try again")
