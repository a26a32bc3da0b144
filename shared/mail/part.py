"""A part of a mail, and the text that it holds.

Its text is decoded by its label, else as UTF-8, else as a detector says. `mime` finds the parts.
"""

import re
from dataclasses import dataclass

from shared.mail import headers
from shared.mail.charset import detect
from shared.mail.flowed import unflow

MAX_TEXT = 1 << 20  # bytes
TEXTS = ("text/plain", "text/html")


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A part without parts."""

    content_type: str
    charset: str
    alternative: int  # which multipart/alternative it is in, 0 if none; of several the outermost
    is_attached: bool  # its Content-Disposition says so
    filename: str
    data: bytes
    content_id: str = ""  # without its brackets; pictures without one get one, others are empty
    branch: int = 0  # which of the alternatives it belongs to, from 0
    is_companion: bool = False  # it belongs to a part of a multipart/related or a report
    method: str = ""  # of a calendar: the parameter of its Content-Type
    is_flowed: bool = False  # RFC 3676
    delete_space: bool = False  # RFC 3676, DelSp
    is_whole: bool = True  # all of it could be decoded

    @property
    def may_be_body(self) -> bool:
        """Return whether this is text to read, unless a name says that it is a file."""
        return self.content_type in TEXTS and not self.is_attached and not self.is_companion


def by_content_id(parts: list[Part]) -> dict[str, Part]:
    """Return the parts that others can refer to, the first of each name. RFC 2392."""
    return {part.content_id: part for part in reversed(parts) if part.content_id}


_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff]")
_CONTROL_IN_ASCII = {code: None for code in range(0x80) if _CONTROL.match(chr(code))}


def without_control(text: str) -> str:
    """Return the text without control characters; tabs and line feeds stay."""
    if text.isascii():  # six times as fast
        return text.translate(_CONTROL_IN_ASCII)
    return _CONTROL.sub("", text)


def text_of(part: Part, limit: int = MAX_TEXT) -> tuple[str, bool]:
    """Return the text in a part's first `limit` bytes, and whether that is all of it."""
    text = headers.decode_bytes(part.data[:limit], part.charset, detect)
    if part.is_flowed:
        text = unflow(_with_line_feeds(text), delete_space=part.delete_space)
    text, whole = capped(text)
    return text, whole and part.is_whole and len(part.data) <= limit


def capped(text: str) -> tuple[str, bool]:
    """Return text without control characters, and whether that is all of it."""
    text = without_control(_with_line_feeds(text))
    data = text.strip("\n").encode()
    return data[:MAX_TEXT].decode(errors="ignore"), len(data) <= MAX_TEXT


def _with_line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
