"""Mails: a profile's timeline, one mail and its variants, its attachments, its raw bytes."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Response

from services.timeline.api.mail_changes import MailReader, viewer_for
from services.timeline.api.people_shapes import people_named, person_out
from services.timeline.api.shapes import (
    MailDetail,
    MailList,
    MailOut,
)
from services.timeline.query.cursors import InvalidCursor
from services.timeline.query.mails import Mails, ShownMail
from services.timeline.query.people import Directory
from services.timeline.query.raw import RawMails
from services.timeline.query.viewer import viewer_of
from services.timeline.write.account_settings import AccountSettings
from services.timeline.write.records import Content
from shared.contracts.events import PersonId
from shared.http.auth import Caller
from shared.http.raw_body import BYTES
from shared.http.web import Code, Problem, allowed, invalid_field, not_found
from shared.mail.mime import MAX_PARTS
from shared.storage.blobs import BlobMissing, BlobStoreAway

Reader = Annotated[Caller, allowed("timeline:read")]
MailInPath = Annotated[str, Path(pattern=r"^[a-z2-7]{32}$", description="The mail's id")]
Images = Annotated[
    Literal["remote"] | None,
    Query(
        description="`remote`: include remote images. Their hosts then learn that the mail is read"
    ),
]
_UNSAFE_IN_NAME = re.compile(r"[^A-Za-z0-9 ._()\[\]{}@#$&!,;=+'^~-]")
Styles = Annotated[
    Literal["inline"] | None,
    Query(
        description="`inline`: keep safe inline styles in `html`, for display in a "
        "frame of its own. Quoted text has the attribute `data-quoted`"
    ),
]
VariantInPath = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="The variant's id")]
VariantInQuery = Annotated[
    str | None,
    Query(
        pattern=r"^[0-9a-f]{32}$", description="Variant of the mail. Default: the one that is shown"
    ),
]


def mail_routes(
    mails: Mails, directory: Directory, settings: AccountSettings, raw_mails: RawMails
) -> APIRouter:
    """Return the routes that show mail."""
    router = APIRouter(tags=["mail"])

    async def find(caller: Caller, mail_id: str, variant: str | None = None) -> ShownMail[Content]:
        viewer = await viewer_for(settings, caller, "mail")
        shown = await mails.one(viewer, mail_id, variant)
        if shown is None:
            raise not_found("mail" if variant is None else "variant")
        return shown

    @router.get("/v1/profiles/{person_id}/timeline")
    async def list_profile_mails(
        person_id: Annotated[PersonId, Path(description="The profile's id in the ATS")],
        caller: Reader,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: Annotated[str | None, Query(max_length=200)] = None,
    ) -> MailList:
        """List a profile's mails, newest first. An unknown profile has an empty list.

        A profile that others were merged into has their mails, too; of one that was merged,
        `person` is the profile that survives, and the mails are those of that. A hidden profile
        has an empty list, too, and `hidden` says why. A page may hold fewer items than `limit`,
        even none. Continue while there is a `next_cursor`.
        """
        viewer = await viewer_of(settings, caller)
        try:
            page = await mails.profile_timeline(viewer, person_id, limit, cursor)
        except InvalidCursor as error:
            raise invalid_field("cursor", str(error)) from error
        profile = page.profile or person_id
        # Who sees no mail of a profile is not told that there is one.
        known = {profile} if page.items or page.hidden else set[str]()
        names = await directory.named(viewer.account, known | people_named(page.items))
        return MailList(
            items=[MailOut.of(shown, names) for shown in page.items],
            next_cursor=page.next_cursor,
            person=person_out(names[profile]) if profile in names else None,
            hidden=page.hidden,
        )

    async def in_full(shown: ShownMail[Content], images: Images, styles: Styles) -> MailDetail:
        html, has_remote = await raw_mails.html(
            shown, remote=images == "remote", styles=styles == "inline"
        )
        names = await directory.named(shown.viewer.account, people_named([shown]))
        make = partial(MailDetail.in_full, shown, names, html, has_remote_images=has_remote)
        return await asyncio.to_thread(make)

    @router.get("/v1/mails/{mail_id}")
    async def get_mail(
        mail_id: MailInPath, caller: MailReader, images: Images = None, styles: Styles = None
    ) -> MailDetail:
        """Return a mail with its text and its sanitized HTML."""
        return await in_full(await find(caller, mail_id), images, styles)

    @router.get("/v1/mails/{mail_id}/variants/{variant}")
    async def get_mail_variant(
        mail_id: MailInPath,
        variant: VariantInPath,
        caller: MailReader,
        images: Images = None,
        styles: Styles = None,
    ) -> MailDetail:
        """Return a variant: the same mail with another content, as it reached other users."""
        return await in_full(await find(caller, mail_id, variant), images, styles)

    @router.get(
        "/v1/mails/{mail_id}/raw",
        response_class=Response,
        responses={200: {"content": {"message/rfc822": BYTES}}},
    )
    async def get_raw_mail(
        mail_id: MailInPath, caller: MailReader, variant: VariantInQuery = None
    ) -> Response:
        """Return the raw mail. Only the owner of the capture gets its Bcc."""
        shown = await find(caller, mail_id, variant)
        with blob_errors("raw mail"):
            raw = await raw_mails.of(shown)
        return mail_file(raw, mail_id)

    @router.get(
        "/v1/mails/{mail_id}/attachments/{index}",
        response_class=Response,
        responses={200: {"content": {"application/octet-stream": BYTES}}},
    )
    async def get_attachment(
        mail_id: MailInPath,
        index: Annotated[
            int, Path(ge=0, lt=MAX_PARTS, description="`index` of the attachment in the mail")
        ],
        caller: MailReader,
        variant: VariantInQuery = None,
    ) -> Response:
        """Return an attachment as a file to save. Browsers must never show it in place."""
        shown = await find(caller, mail_id, variant)
        listed = [a for a in shown.content.attachments if a.index == index]
        if not listed:
            raise not_found("attachment")
        with blob_errors("attachment"):
            part = await raw_mails.attachment(shown, listed[0])
        return Response(
            part.data,
            headers={
                "Content-Type": part.content_type,  # nothing is added to what the mail says
                **download_headers(listed[0].filename),
            },
        )

    return router


@contextmanager
def blob_errors(what: str | None = None) -> Iterator[None]:
    """Answer 503 while the blob store is unavailable; 404 for a missing blob that `what` names."""
    try:
        yield
    except BlobMissing as error:
        if what is None:
            raise
        raise not_found(what) from error
    except BlobStoreAway as error:
        detail = "the blob store is unavailable, try again"
        raise Problem(Code.BLOB_STORE_UNAVAILABLE, detail) from error


def mail_file(raw: bytes, id_: str) -> Response:
    """Return a mail as a file to save."""
    headers = download_headers(f"{id_}.eml")
    return Response(raw, media_type="message/rfc822", headers=headers)


def download_headers(filename: str) -> dict[str, str]:
    """Return the header fields of a file to save. RFC 6266 section 4, RFC 8187 section 3.2.

    Old clients get the name in ASCII, others the exact one. No part of a name can end the field.
    """
    plain = _UNSAFE_IN_NAME.sub("_", filename.encode("ascii", "replace").decode())
    exact = quote(filename, safe="")
    return {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
