"""`GET /v1/mails/{id}/images`: a picture that a mail shows and others keep, by our own proxy.

Only what the mail itself names is fetched, for who may see the mail: it is no proxy for anything
else. A frame cannot send a token; the page asks, and hands the bytes in.
"""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Response

from services.timeline.api.mails import MailInPath, Reader, VariantInQuery
from services.timeline.content.images import remote_images
from services.timeline.query.mails import Mails
from services.timeline.query.remote_images import ImageAway, RemoteImages
from services.timeline.query.viewer import viewer_of
from services.timeline.write.account_settings import AccountSettings
from shared.http.raw_body import BYTES
from shared.http.web import Code, Problem, not_found

_MAX_URL = 8_100


def image_routes(mails: Mails, settings: AccountSettings, images: RemoteImages | None) -> APIRouter:
    """Return the route of remote pictures; without `images` none may be fetched."""
    router = APIRouter(tags=["mail"])

    @router.get(
        "/v1/mails/{mail_id}/images",
        response_class=Response,
        responses={200: {"content": {"application/octet-stream": BYTES}}},
    )
    async def get_remote_image(
        mail_id: MailInPath,
        caller: Reader,
        url: Annotated[str, Query(max_length=_MAX_URL, description="As the mail names it")],
        variant: VariantInQuery = None,
    ) -> Response:
        """Return a remote picture of a mail. Its sender learns that it was asked for, not by whom.

        404: the mail names no such picture. 502: it cannot be had, or is none.
        """
        shown = await mails.one(await viewer_of(settings, caller), mail_id, variant)
        if shown is None:
            raise not_found("mail")
        named = await asyncio.to_thread(remote_images, shown.content.html or "")
        if url not in named:
            raise not_found("picture")
        if images is None:
            raise Problem(Code.IMAGES_SWITCHED_OFF, "remote pictures are switched off here")
        try:
            image = await images.get(url, caller.account)
        except ImageAway as away:
            raise Problem(Code.IMAGE_UNAVAILABLE, "the picture could not be fetched") from away
        headers = {
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Content-Disposition": "attachment",
        }
        return Response(image.data, media_type=image.content_type, headers=headers)

    return router
