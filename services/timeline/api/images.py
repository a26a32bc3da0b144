"""`GET /v1/mails/{id}/images`: a remote image of a mail, fetched by our own proxy.

Only images that the mail itself names are fetched, and only for users who may see the mail, so it
is no open proxy. A frame cannot send a token: the page makes the request and passes the bytes in.
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
    """Return the route for remote images. Without `images` none may be fetched."""
    router = APIRouter(tags=["mail"])

    @router.get(
        "/v1/mails/{mail_id}/images",
        response_class=Response,
        responses={200: {"content": {"application/octet-stream": BYTES}}},
    )
    async def get_remote_image(
        mail_id: MailInPath,
        caller: Reader,
        url: Annotated[
            str, Query(max_length=_MAX_URL, description="URL of the image, exactly as in the mail")
        ],
        variant: VariantInQuery = None,
    ) -> Response:
        """Fetch a remote image of a mail. The image's host sees the request, but not who made it.

        404 if the mail has no such image. 502 if it cannot be fetched or is not an image.
        """
        shown = await mails.one(await viewer_of(settings, caller), mail_id, variant)
        if shown is None:
            raise not_found("mail")
        named = await asyncio.to_thread(remote_images, shown.content.html or "")
        if url not in named:
            raise not_found("image")
        if images is None:
            raise Problem(
                Code.IMAGES_SWITCHED_OFF, "remote images are turned off in this installation"
            )
        try:
            image = await images.get(url, caller.account)
        except ImageAway as away:
            raise Problem(Code.IMAGE_UNAVAILABLE, "the image could not be fetched") from away
        headers = {
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Content-Disposition": "attachment",
        }
        return Response(image.data, media_type=image.content_type, headers=headers)

    return router
