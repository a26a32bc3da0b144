"""The mails that a mail encloses: what a mail client's "forward as attachment" makes.

Every `message/rfc822` part (RFC 2046 section 5.2.1; `message/global`, RFC 6532 section 3.7) is a
mail of its own. It is known by its place: `2` is the second that the captured mail encloses, `2.1`
the first in that one. The same bytes always have the same places.
"""

import re
from collections.abc import Iterable

from shared.mail.headers import HeaderBlock
from shared.mail.mime import leaves

MAX_MAILS = 100
MAX_NESTING = 5
_TYPES = ("message/rfc822", "message/global")
_HINT = re.compile(rb"message/(?:rfc822|global)|multipart/digest|pkcs7-mime|\.p7m", re.IGNORECASE)
"""Stands somewhere in every mail that encloses one, or that may do so inside a signature.

RFC 2046 section 5.1.5 for the digest.
"""


class TooManyEnclosed(ValueError):
    """More mails are enclosed, or deeper, than are decided about in one go."""


def enclosed(raw: bytes, header: HeaderBlock | None = None) -> list[bytes]:
    """Return the mails that a mail encloses, not those in them. Raises TooManyEnclosed.

    `header` is the mail's, where it was read already.
    """
    if not _HINT.search(raw):
        return []
    parts, whole = leaves(raw, header, names=False)
    mails = [part.data for part in parts if part.content_type in _TYPES]
    if len(mails) > MAX_MAILS or not whole:
        raise TooManyEnclosed(f"more than {MAX_MAILS} mails, or more parts than are read")
    return mails


def cut(raw: bytes, places: Iterable[str]) -> dict[str, bytes]:
    """Return the enclosed mails at these places, which `enclosed` has named before.

    Each wrapper is parsed once, however many mails it encloses.
    """
    inside: dict[str, list[bytes]] = {"": enclosed(raw)}

    def at(place: str) -> bytes:
        wrapper, _, number = place.rpartition(".")
        if wrapper not in inside:
            inside[wrapper] = enclosed(at(wrapper))
        return inside[wrapper][int(number) - 1]

    return {place: at(place) for place in places}
