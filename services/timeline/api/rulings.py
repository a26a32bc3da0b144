"""What users decide about a mail: removed from a profile, private, deleted; and the audit log."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from services.timeline.admin.rulings import Result, Rulings
from services.timeline.api.mails import MailInPath, blob_errors
from services.timeline.query.audit_log import AuditLog
from services.timeline.query.cursors import InvalidCursor
from services.timeline.query.viewer import Viewer, viewer_of, viewer_of_all
from services.timeline.write.account_settings import AccountSettings
from services.timeline.write.requests import What
from services.timeline.write.side_records import AuditLine
from shared.contracts.events import PersonId
from shared.http.auth import Caller
from shared.http.web import Code, Problem, allowed, demand, invalid_field, not_found

_ALL = "account:write"
Writer = Annotated[Caller, allowed("timeline:write")]
ProfileInPath = Annotated[PersonId, Path(description="The profile's id in the ATS")]


class VisibilityBody(BaseModel):
    """Who sees what the caller captured of a mail."""

    model_config = ConfigDict(extra="forbid")

    visibility: Literal["private", "team"] = Field(
        description="`private`: the caller alone. `team`: as the account's visibility says"
    )


class AuditLineOut(BaseModel):
    """What somebody did, without anything of the mail."""

    id: str
    at: datetime
    who: str = Field(description="The person's id in the ATS")
    what: What = Field(
        description="`detached`: removed from `profile`. `attached`: put back there. `private`: "
        "hidden from the team. `team`: shown to it again. `forgotten`: deleted. `handed_over`: all "
        "that `owner` captured was given to `new_owner`. `erased`: `profile` was erased from all "
        "mail. More may be added"
    )
    kind: Literal["mail", "captures", "person"] = Field(
        description="What it was done to: a mail, all that a user captured, or a person. More may "
        "be added"
    )
    mail_id: str | None = Field(
        description="Of a `mail` its id; of a deleted one nothing else is kept"
    )
    profile: str | None = Field(
        description="Of `detached`, `attached` and `erased`: the person's id"
    )
    owner: str | None = Field(description="Of `handed_over`: the person whose captures these were")
    new_owner: str | None = Field(description="Of `handed_over`: the person whose they are now")

    @classmethod
    def of(cls, line: AuditLine) -> "AuditLineOut":
        """Return a line."""
        return cls.model_validate(line, from_attributes=True)


class AuditLineList(BaseModel):
    """A page of the audit log, newest first."""

    items: list[AuditLineOut]
    next_cursor: str | None


def ruling_routes(rulings: Rulings, audit_log: AuditLog, settings: AccountSettings) -> APIRouter:
    """Return the routes by which users decide about a mail."""
    router = APIRouter(tags=["mail"])

    async def detach(caller: Caller, mail_id: str, person_id: str, *, undo: bool) -> None:
        viewer = await viewer_of(settings, caller)
        answer(await rulings.detach(viewer, mail_id, person_id, undo=undo))

    @router.delete(
        "/v1/mails/{mail_id}/matches/{person_id}", status_code=204, response_class=Response
    )
    async def detach_mail(mail_id: MailInPath, person_id: ProfileInPath, caller: Writer) -> None:
        """Remove a mail from a profile, for everybody: it stays in the inbox.

        No later capture of the mail puts it back. `PUT` does.
        """
        await detach(caller, mail_id, person_id, undo=False)

    @router.put("/v1/mails/{mail_id}/matches/{person_id}", status_code=204, response_class=Response)
    async def put_mail_back(mail_id: MailInPath, person_id: ProfileInPath, caller: Writer) -> None:
        """Put a mail back on a profile that it was removed from."""
        await detach(caller, mail_id, person_id, undo=True)

    @router.put("/v1/mails/{mail_id}/visibility", status_code=204, response_class=Response)
    async def put_mail_visibility(
        mail_id: MailInPath, body: VisibilityBody, caller: Writer
    ) -> None:
        """Make what the caller captured of a mail private, or show it to the team again.

        It counts for later copies of the mail, too. What a colleague captured openly stays the
        team's. 403 when the caller's own address did not catch the mail.
        """
        viewer = await viewer_of(settings, caller)
        answer(await rulings.hide(viewer, mail_id, undo=body.visibility == "team"))

    @router.delete("/v1/mails/{mail_id}", status_code=204, response_class=Response)
    async def delete_mail(
        mail_id: MailInPath,
        caller: Annotated[Caller, allowed("timeline:write", _ALL)],
        captures: Annotated[
            Literal["own", "all"],
            Query(
                description="`own`: what the caller's own address captured. `all`: every capture, "
                "which needs the scope account:write"
            ),
        ] = "own",
    ) -> None:
        """Delete a mail for good: its bytes, its text, all that lists and searches have of it.

        A colleague's capture of it stays, but with `all`. Another capture of the mail is dismissed,
        `forgotten`. To delete it again changes nothing. 403 when the caller's own address did not
        catch the mail.
        """
        everything = captures == "all"
        if everything:
            demand(caller, _ALL)
        viewer: Viewer = viewer_of_all(caller) if everything else await viewer_of(settings, caller)
        with blob_errors():
            answer(await rulings.forget(viewer, mail_id, None if everything else caller.person_id))

    @router.get("/v1/audit-log")
    async def list_audit_log(
        caller: Annotated[Caller, allowed("account:read")],
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: Annotated[str | None, Query(max_length=200)] = None,
    ) -> AuditLineList:
        """Return who removed mails from profiles, hid, deleted or handed them over.

        Newest first; for 400 days.

        Nothing of a mail is in it: no text, no name, no address.
        """
        try:
            page = await audit_log.page(caller.account, limit, cursor)
        except InvalidCursor as error:
            raise invalid_field("cursor", str(error)) from error
        items = [AuditLineOut.of(line) for line in page.items]
        return AuditLineList(items=items, next_cursor=page.next_cursor)

    return router


def answer(result: Result) -> None:
    """Raise the problem of a decision that was not carried out."""
    if result == "not_the_owner":
        detail = "the caller's own capture address did not catch this mail"
        raise Problem(Code.NOT_THE_OWNER, detail)
    if result != "done":
        raise not_found("mail" if result == "no_mail" else "match of the mail")
