"""`GET /v1/mails`: an account's mails as they change, for a back-end that keeps a copy.

The scope `timeline:all` is for a back-end: it sees all mail of the account, whatever the account's
visibility, and each answer leaves a line in the log.
"""

from datetime import datetime
from typing import Annotated, Any, Self

import structlog
from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field

from services.timeline.api.people_shapes import people_named
from services.timeline.api.shapes import MailOut, mail_fields
from services.timeline.query.cursors import InvalidCursor
from services.timeline.query.mail_changes import MAX_CURSOR, ChangedMail, MailChanges
from services.timeline.query.people import Directory, KnownPerson
from services.timeline.query.viewer import Viewer, viewer_of, viewer_of_all
from services.timeline.write.account_settings import AccountSettings
from shared.contracts.events import Direction, PersonId
from shared.http.auth import TIMELINE_ALL, Caller
from shared.http.web import allowed_without_person, invalid_field

BackEnd = Annotated[Caller, allowed_without_person(TIMELINE_ALL)]
MailReader = Annotated[Caller, allowed_without_person("timeline:read", TIMELINE_ALL)]
log = structlog.get_logger()


class ChangedMailOut(MailOut):
    """A mail, and when it changed."""

    updated_at: datetime | None = Field(
        description="When the mail was stored or last changed; null for mail from "
        "before this was recorded"
    )

    @classmethod
    def of_changed(cls, changed: ChangedMail, names: dict[str, KnownPerson]) -> Self:
        """Return the mail as its viewer may see it."""
        return cls(**mail_fields(changed.shown, names), updated_at=changed.at)


class DeletedMailOut(BaseModel):
    """A mail that was deleted for good: a copy of it is to be deleted, too."""

    id: str
    at: datetime


class ChangedMailList(BaseModel):
    """A page of mails, in the order in which they changed."""

    items: list[ChangedMailOut]
    deleted: list[DeletedMailOut] = Field(
        description="Mails that were deleted for good, whatever the filter. A mail that another "
        "user captures later is among `items` again"
    )
    next_cursor: str | None = Field(
        description="Send it as `cursor` to get the next page. null if there is no "
        "more mail right now"
    )
    resume_cursor: str = Field(
        description="Store it, and send it as `cursor` later to get everything that "
        "changed after this page"
    )


async def viewer_for(settings: AccountSettings, caller: Caller, what: str) -> Viewer:
    """Return what a person or a back-end may see. Access by a back-end is logged."""
    if caller.may(TIMELINE_ALL):
        log.info("account mail read", account=caller.account, what=what, scope=TIMELINE_ALL)
        return viewer_of_all(caller)
    return await viewer_of(settings, caller)


def mail_change_routes(
    changes: MailChanges, directory: Directory, settings: AccountSettings
) -> APIRouter:
    """Return the route of changes."""
    router = APIRouter(tags=["mail"])

    @router.get("/v1/mails")
    async def list_changed_mails(
        caller: BackEnd,
        updated_since: Annotated[
            AwareDatetime | None,
            Query(
                description="Only mails that changed since this time. Ignored with a cursor. "
                "To keep a copy use `resume_cursor`, which does not depend on "
                "clocks"
            ),
        ] = None,
        person_id: Annotated[
            PersonId | None, Query(description="Only mail of this profile")
        ] = None,
        direction: Annotated[
            Direction | None, Query(description="Only mail in this direction")
        ] = None,
        limit: Annotated[
            int, Query(ge=1, le=200, description="Page size: the most items on a page")
        ] = 50,
        cursor: Annotated[
            str | None,
            Query(
                max_length=MAX_CURSOR,
                description="`next_cursor` of the previous page, or any earlier `resume_cursor`",
            ),
        ] = None,
    ) -> ChangedMailList:
        """List the account's mails in the order in which they changed, to keep a copy of them.

        Read pages until `next_cursor` is null, store `resume_cursor`, and continue with it later.
        No mail is missed, however late it is written. A mail that changes again is listed again,
        and a deleted one is listed in `deleted`. The mails of a profile that was merged into
        another, or parted from it, are listed again a moment later. A page may hold fewer mails
        than `limit`, even none. Two things do not count as a change of a mail: a new
        `conversation_id` after two conversations were merged (the former id still resolves), and a
        new `bounced`. The mail that caused them is listed. Nor does any other change of the
        directory: `hidden` is as of this moment.
        """
        viewer = await viewer_for(settings, caller, "changes")
        try:
            page = await changes.page(viewer, limit, cursor, updated_since)
        except InvalidCursor as error:
            raise invalid_field("cursor", str(error)) from error
        profile = person_id
        if person_id is not None:
            profile = (await changes.hiding.profile(viewer.account, person_id)).survivor
        items = [one for one in page.items if _wanted(one, profile, direction)]
        names = await directory.named(viewer.account, people_named(one.shown for one in items))
        return ChangedMailList(
            items=[ChangedMailOut.of_changed(one, names) for one in items],
            deleted=[DeletedMailOut(id=one.id, at=one.at) for one in page.deleted],
            next_cursor=page.cursor if page.more else None,
            resume_cursor=page.cursor,
        )

    return router


def _wanted(changed: ChangedMail, person_id: str | None, direction: Direction | None) -> bool:
    shown: Any = changed.shown
    viewer = shown.viewer
    people = {match.person_id for match in viewer.matches(viewer.captures(shown.mail))}
    people |= {*shown.detached}  # a copy is to learn of that, too
    return person_id in (None, *people) and direction in (None, shown.capture.direction)
