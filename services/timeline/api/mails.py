"""Mails: a profile's timeline, one mail, its raw bytes."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from services.timeline.api.shapes import MailDetail, MailList, MailOut
from services.timeline.identity import without_bcc
from services.timeline.views import InvalidCursor, Views
from shared.auth import Caller
from shared.blobs import BlobMissing, Blobs, BlobStoreAway
from shared.database import Document
from shared.events import PersonId
from shared.web import Problem, allowed, invalid_field, not_found

Reader = Annotated[Caller, allowed("timeline:read")]
MailInPath = Annotated[str, Path(pattern=r"^[a-z2-7]{32}$", description="The mail's id")]


def mail_routes(views: Views, blobs: Blobs) -> APIRouter:
    """Return the routes that show mail."""
    router = APIRouter(tags=["mail"])

    async def find(caller: Caller, mail_id: str) -> Document:
        mail = await views.mail(caller.account, caller.person_id, mail_id)
        if mail is None:
            raise not_found("mail")
        return mail

    @router.get("/v1/profiles/{person_id}/timeline")
    async def profile_timeline(
        person_id: Annotated[PersonId, Path(description="The profile's id in the ATS")],
        caller: Reader,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: Annotated[str | None, Query(max_length=200)] = None,
    ) -> MailList:
        """Return a profile's mails, newest first. The timeline of nobody is an empty list."""
        try:
            page = await views.profile_timeline(
                caller.account, caller.person_id, person_id, limit, cursor
            )
        except InvalidCursor as error:
            raise invalid_field("cursor", str(error)) from error
        items = [MailOut.of(mail, caller.person_id) for mail in page.items]
        return MailList(items=items, next_cursor=page.next_cursor)

    @router.get("/v1/mails/{mail_id}")
    async def one_mail(mail_id: MailInPath, caller: Reader) -> MailDetail:
        """Return a mail with its text and its safe HTML."""
        return MailDetail.of(await find(caller, mail_id), caller.person_id)

    @router.get(
        "/v1/mails/{mail_id}/raw",
        response_class=Response,
        responses={200: {"content": {"message/rfc822": {}}}},
    )
    async def raw_mail(mail_id: MailInPath, caller: Reader) -> Response:
        """Return the mail as it came; its Bcc only to the owner of the capture."""
        mail = await find(caller, mail_id)
        try:
            raw = await blobs.get(mail["raw_key"])
        except BlobMissing as error:
            raise not_found("raw mail") from error
        except BlobStoreAway as error:
            raise Problem(503, "Try again later", "the blob store is away, try again") from error
        if mail["captured_by"][0]["person_id"] != caller.person_id:
            raw = without_bcc(raw)
        return Response(
            raw,
            media_type="message/rfc822",
            headers={
                "Content-Disposition": f'attachment; filename="{mail_id}.eml"',
                "X-Content-Type-Options": "nosniff",
            },
        )

    return router
