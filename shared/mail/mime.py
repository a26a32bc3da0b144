"""The parts of a mail, cut out of its raw bytes: RFC 2046, for mail that does not keep to it.

* Own code: the standard library's parser raises on 3,000 nested parts, and its parameters on mixed
  RFC 2231 forms. Time is linear; depth and number of parts are bounded, and what is beyond is told.
* A multipart without its boundary is text, an unknown type is text, a missing end is the end.
* What a part says is decoded by `text_of`: its label, else UTF-8, else what a detector says.
"""

import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

from shared.mail import headers
from shared.mail.charset import charset_of_text, detect
from shared.mail.file_names import file_name
from shared.mail.headers import HeaderBlock, decode_text, parameters

MAX_DEPTH = 50
MAX_PARTS = 1000
MAX_TEXT = 1 << 20  # bytes

_BOUNDARY_END = re.compile(rb"[ \t]*+(?:\r\n|[\r\n]|\Z)")
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,80}/[a-z0-9!#$&^_.+-]{1,80}")


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A part without parts."""

    content_type: str
    charset: str
    alternative: int  # which multipart/alternative it is in, 0 if none
    is_attached: bool
    filename: str
    data: bytes
    content_id: str = ""  # without its brackets, empty if it has none

    @property
    def may_be_body(self) -> bool:
        """Return whether this is text to read, not to keep."""
        return self.content_type in ("text/plain", "text/html") and not self.is_attached


def body_parts(parts: list[Part]) -> tuple[Part | None, Part | None]:
    """Return the text/plain and the text/html that are the body."""
    texts = [part for part in parts if part.may_be_body]
    forms = [p for p in texts if p is texts[0] or 0 < p.alternative == texts[0].alternative]
    first = {part.content_type: part for part in reversed(forms)}
    return first.get("text/plain"), first.get("text/html")


def by_content_id(parts: list[Part]) -> dict[str, Part]:
    """Return the parts that others can refer to, the first of each name. RFC 2392."""
    return {part.content_id: part for part in reversed(parts) if part.content_id}


def is_composite(header: HeaderBlock) -> bool:
    """Return whether a mail with this header can hold others. RFC 2045 section 5.1."""
    content_type, _ = parameters(header.first("Content-Type") or "")
    return content_type.startswith(("multipart/", "message/"))


def leaves(raw: bytes) -> tuple[list[Part], bool]:
    """Return the parts without parts, in order, and whether these are all. RFC 2046 section 5."""
    found: list[Part] = []
    whole = True
    hint = cache(partial(charset_of_text, raw))
    waiting = [(raw, 0, "text/plain", 0)]
    for number in range(1, MAX_PARTS + 1):
        if not waiting:
            return found, whole
        part, depth, default, alternative = waiting.pop()
        header = headers.read_header_block(part)
        body = part[header.body_start :]
        content_type, given = parameters(header.first("Content-Type") or default)
        if not _MEDIA_TYPE.fullmatch(content_type):
            content_type = "text/plain"  # RFC 2045 section 5.2
        is_multipart = content_type.startswith("multipart/")
        children = _children(body, given.get("boundary", "")) if is_multipart else []
        if children and depth < MAX_DEPTH:
            default = "message/rfc822" if content_type == "multipart/digest" else "text/plain"
            if content_type == "multipart/alternative":
                alternative = alternative or number
            waiting += [(child, depth + 1, default, alternative) for child in reversed(children)]
        else:
            if is_multipart and not children:
                content_type = "text/plain"
            leaf = _leaf(header, content_type, given, body, alternative, hint)
            if leaf.filename or leaf.data.strip():  # mailers put empty texts between attachments
                found.append(leaf)
        whole = whole and not header.truncated and (not children or depth < MAX_DEPTH)
    return found, whole and not waiting


def _children(body: bytes, boundary: str) -> list[bytes]:
    """Cut a multipart's body at its boundary. RFC 2046 section 5.1.1."""
    marker = b"--" + boundary.encode()
    children: list[bytes] = []
    if not 0 < len(boundary) <= 200:  # RFC 2046 allows 70
        return children
    start, at = -1, body.find(marker)
    while at >= 0 and len(children) <= MAX_PARTS:
        after = at + len(marker)
        is_last = body.startswith(b"--", after)
        line_end = _BOUNDARY_END.match(body, after + 2 * is_last)
        if line_end and (at == 0 or body[at - 1] in b"\r\n"):
            if start >= 0:
                end = at - 2 if body.endswith(b"\r\n", start, at) else at - 1
                children.append(body[start : max(start, end)])
            start = line_end.end()
            if is_last:
                return children
        at = body.find(marker, after)
    return [*children, body[start:]] if start >= 0 else children


def _leaf(
    header: HeaderBlock,
    content_type: str,
    given: dict[str, str],
    body: bytes,
    alternative: int,
    hint: Callable[[], str],
) -> Part:
    disposition, _ = parameters(header.first("Content-Disposition") or "")
    filename = file_name(header, hint)
    filename = re.split(r"[/\\]", filename)[-1].strip(" .")[:255]
    encoding, _ = parameters(header.first("Content-Transfer-Encoding") or "")
    if encoding == "base64":
        body = headers.decode_base64(body)
    elif encoding == "quoted-printable":
        body = binascii.a2b_qp(body)
    is_attached = disposition == "attachment" or bool(filename)
    charset = given.get("charset", "")
    content_id = decode_text(header.first("Content-ID") or "").strip("<> ")
    return Part(content_type, charset, alternative, is_attached, filename, body, content_id)


CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff]")


def text_of(part: Part) -> tuple[str, bool]:
    """Return a part's text, and whether that is all of it."""
    text, whole = capped(headers.decode_bytes(part.data[:MAX_TEXT], part.charset, detect))
    return text, whole and len(part.data) <= MAX_TEXT


def capped(text: str) -> tuple[str, bool]:
    """Return text without control characters, and whether that is all of it."""
    text = CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    data = text.strip("\n").encode()
    return data[:MAX_TEXT].decode(errors="ignore"), len(data) <= MAX_TEXT
