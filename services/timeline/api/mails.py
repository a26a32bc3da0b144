"""Mails: a profile's timeline, one mail and its variants, its raw bytes."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from services.timeline.account_settings import AccountSettings
from services.timeline.api.shapes import MailDetail, MailList, MailOut
from services.timeline.cursors import InvalidCursor
from services.timeline.identity import without_bcc, without_trace
from services.timeline.mails import Mails, ShownMail
from shared.auth import Caller
from shared.blobs import BlobMissing, Blobs, BlobStoreAway
from shared.events import PersonId
from shared.web import BYTES, Problem, allowed, invalid_field, not_found

Reader = Annotated[Caller, allowed("timeline:read")]
MailInPath = Annotated[str, Path(pattern=r"^[a-z2-7]{32}$", description="The mail's id")]
VariantInPath = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="The variant's id")]


def mail_routes(mails: Mails, settings: AccountSettings, blobs: Blobs) -> APIRouter:
    """Return the routes that show mail."""
    router = APIRouter(tags=["mail"])

    async def find(caller: Caller, mail_id: str, variant: str | None = None) -> ShownMail:
        shown = await mails.one(await settings.viewer(caller), mail_id, variant)
        if shown is None:
            raise not_found("mail" if variant is None else "variant")
        return shown

    @router.get("/v1/profiles/{person_id}/timeline")
    async def profile_timeline(
        person_id: Annotated[PersonId, Path(description="The profile's id in the ATS")],
        caller: Reader,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: Annotated[str | None, Query(max_length=200)] = None,
    ) -> MailList:
        """Return a profile's mails, newest first. The timeline of nobody is an empty list."""
        viewer = await settings.viewer(caller)
        try:
            page = await mails.profile_timeline(viewer, person_id, limit, cursor)
        except InvalidCursor as error:
            raise invalid_field("cursor", str(error)) from error
        items = [MailOut.of(shown) for shown in page.items]
        return MailList(items=items, next_cursor=page.next_cursor)

    @router.get("/v1/mails/{mail_id}")
    async def one_mail(mail_id: MailInPath, caller: Reader) -> MailDetail:
        """Return a mail with its text and its safe HTML."""
        return MailDetail.of(await find(caller, mail_id))

    @router.get("/v1/mails/{mail_id}/variants/{variant}")
    async def one_variant(
        mail_id: MailInPath, variant: VariantInPath, caller: Reader
    ) -> MailDetail:
        """Return a mail as it reached others with another text."""
        return MailDetail.of(await find(caller, mail_id, variant))

    @router.get(
        "/v1/mails/{mail_id}/raw",
        response_class=Response,
        responses={200: {"content": {"message/rfc822": BYTES}}},
    )
    async def raw_mail(mail_id: MailInPath, caller: Reader) -> Response:
        """Return the mail as it came; its Bcc only to the owner of the capture."""
        shown = await find(caller, mail_id)
        try:
            raw = await blobs.get(shown.content["raw_key"])
        except BlobMissing as error:
            raise not_found("raw mail") from error
        except BlobStoreAway as error:
            raise Problem(503, "Try again later", "the blob store is away, try again") from error
        if shown.content["raw_of"] != caller.person_id:
            raw = without_bcc(raw)
            if shown.viewer.own_only:  # which way a colleague's copy took is theirs to know
                raw = without_trace(raw)
        return Response(
            raw,
            media_type="message/rfc822",
            headers={
                "Content-Disposition": f'attachment; filename="{mail_id}.eml"',
                "X-Content-Type-Options": "nosniff",
            },
        )

    return router
