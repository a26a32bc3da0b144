"""Images in a mail's sanitized HTML, put in when the mail is shown. Pure.

* Remote images tell their sender who reads when and where, so they wait until the reader asks.
  Then they are fetched without a referrer, and only over `http` and `https`.
* Images inside the mail become `data:` URLs, because an `<img>` cannot send a token. Their type is
  read from their first bytes, not from their label. An SVG is a document and is not shown.
* An image that would need more memory than a browser has is not shown.
* Only nh3's own output is changed. In it `<` and `>` mean nothing but tags.
"""

import base64
import re
from collections.abc import Callable, Mapping
from html import unescape
from urllib.parse import unquote

from services.timeline.content.image_size import MAX_PIXELS, pixels_of_image
from shared.mail.part import Part

REMOTE_SRC = "data-remote-src"
REMOTE_URL = re.compile(r"https?://[^\s/?#\"'<>\\][^\s\"<>\\]{0,8000}\Z", re.IGNORECASE)
MAX_INLINE_BYTES = 5 << 20  # in one mail, an image counted as often as it is shown

_IMAGE = re.compile(r"<img( [^<>]*)>")
_ATTRIBUTE = re.compile(r' ([a-z-]+)="([^"]*)"')
_SIGNATURES = {
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/gif": re.compile(rb"GIF8[79]a"),
    "image/webp": re.compile(rb"RIFF.{4}WEBP", re.DOTALL),
    "image/bmp": re.compile(rb"BM.{4}\0{4}", re.DOTALL),
}

Attributes = dict[str, str]


def has_remote_images(html: str) -> bool:
    """Return whether the HTML has remote images."""
    return any(f' {REMOTE_SRC}="' in image[1] for image in _IMAGE.finditer(html))


def remote_images(html: str) -> set[str]:
    """Return the URLs of the remote images."""
    return {
        unescape(value)
        for image in _IMAGE.finditer(html)
        for name, value in _ATTRIBUTE.findall(image[1])
        if name == REMOTE_SRC
    }


def type_of_image(data: bytes) -> str | None:
    """Return the type of an image by its first bytes; None if it is not one that is shown."""
    return next((type_ for type_, start in _SIGNATURES.items() if start.match(data)), None)


def with_remote_images(html: str) -> str:
    """Return the HTML with its remote images, which load as soon as it is shown."""

    def show(attributes: Attributes) -> None:
        url = attributes.pop(REMOTE_SRC, "")
        if REMOTE_URL.match(unescape(url)):
            attributes |= {"src": url, "referrerpolicy": "no-referrer"}

    return _with_images(html, show)


def with_inline_images(html: str, parts_by_cid: Mapping[str, Part]) -> str:
    """Return the HTML with the images inside the mail. Missing ones show their `alt`."""
    left, pixels_left = MAX_INLINE_BYTES, MAX_PIXELS
    made: dict[str, str] = {}

    def show(attributes: Attributes) -> None:
        nonlocal left, pixels_left
        source = unescape(attributes.get("src", ""))
        if source[:4].lower() != "cid:":
            return
        del attributes["src"]
        part = parts_by_cid.get(unquote(source[4:]))
        if part is None or len(part.data) > left:
            return
        if part.content_id not in made:
            # Shown again it is unfolded once.
            pixels = pixels_of_image(part.data)
            made[part.content_id] = _data_uri(part.data) if pixels <= pixels_left else ""
            pixels_left -= pixels if made[part.content_id] else 0
        if uri := made[part.content_id]:
            attributes["src"] = uri
            left -= len(part.data)

    return _with_images(html, show)


def _with_images(html: str, change: Callable[[Attributes], None]) -> str:
    """Return the HTML with the attributes of each image changed; values are escaped."""

    def changed(image: re.Match[str]) -> str:
        attributes = dict(_ATTRIBUTE.findall(image[1]))
        change(attributes)
        written = "".join(f' {name}="{value}"' for name, value in attributes.items())
        return f"<img{written}>"

    return _IMAGE.sub(changed, html)


def _data_uri(data: bytes) -> str:
    """Return an image as an address of its own, empty if it is none that is shown."""
    content_type = type_of_image(data)
    if content_type is None:
        return ""
    return f"data:{content_type};base64,{base64.b64encode(data).decode()}"
