"""Images in a mail's HTML as `data:` URLs (RFC 2397), if the HTML is too large with them. Pure.

Pasted screenshots make an HTML of megabytes, of which a few kilobytes are text. If the HTML is
larger than the limit, its images are set aside: each gets a name made from its bytes, as if it were
a part of the mail (RFC 2392), and `images` inserts it when the mail is shown.

Linear in the HTML, whatever it is.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256

from services.timeline.content.images import MAX_INLINE_BYTES
from shared.mail.headers import decode_base64
from shared.mail.part import MAX_TEXT, Part

_IMAGE = re.compile(
    rb"""(?:(["'])\s*+|(?<==))data:image/(?:bmp|gif|jpe?g|png|webp);base64,
         ((?(1)[A-Za-z0-9+/\s]|[A-Za-z0-9+/]){100,}+={0,2})(?(1)\s*+(?=["'])|(?=[\s>]))""",
    re.VERBOSE | re.IGNORECASE,
)


def smaller_html(part: Part) -> tuple[Part, bool]:
    """Return a text/html part without its `data:` images, and whether all of them will be shown.

    A part that is no larger than what is read of one is returned as it is.
    """
    if not _is_large(part):
        return part, True
    size = sum(len(image.data) for image in _images_in(part))
    without = _IMAGE.sub(lambda image: (image[1] or b"") + b"cid:" + _name(image[2]), part.data)
    return replace(part, data=without), size <= MAX_INLINE_BYTES


def images_set_aside(parts: Iterable[Part]) -> list[Part]:
    """Return the images that `smaller_html` sets aside, as parts with their names."""
    return [image for part in parts if _is_large(part) for image in _images_in(part)]


def _is_large(part: Part) -> bool:
    return part.content_type == "text/html" and len(part.data) > MAX_TEXT


def _images_in(part: Part) -> Iterable[Part]:
    for image in _IMAGE.finditer(part.data):
        data = decode_base64(image[2])
        yield replace(part, data=data, content_id=_name(image[2]).decode())


def _name(data: bytes) -> bytes:
    return f"{sha256(data).hexdigest()[:32]}@data.invalid".encode()
