"""The parts of a mail, cut out of its raw bytes: RFC 2046, for mail that does not keep to it.

* Own code: the standard library's parser raises on 3,000 nested parts, and its parameters on mixed
  RFC 2231 forms. Time is linear. Depth and number of parts are bounded, and the caller learns when
  there are more.
* A multipart without its boundary is text, an unknown type is text, a missing end is the end.
  `boundaries` cuts one.
* An opaque S/MIME signature is a mail in a wrapper. The parts inside stand before the wrapper,
  which stays a part of its own.
* A `Part` and the text that it holds are in `part`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache, partial

from shared.mail import headers
from shared.mail.boundaries import children_of
from shared.mail.charset import charset_of_text
from shared.mail.file_names import file_name
from shared.mail.headers import HeaderBlock, decode_text, parameters
from shared.mail.part import TEXTS, Part
from shared.mail.signed import SIGNED_START, signed_content
from shared.mail.transfer import decode_body, encoding_of, uu_name

MAX_DEPTH = 50
MAX_PARTS = 1000
FIRST_PARTS = 200
"""Enough for the text above a forwarded or quoted mail."""
MAX_SIGNED = 50
"""Opaque signatures that are opened in one mail."""

_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,80}/[a-z0-9!#$&^_.+-]{1,80}")
_MIME_FIELD = re.compile(r"(?:Content-.*|MIME-Version)", re.IGNORECASE)
_SLIDES = "application/smil"
"""How a multimedia message presents its texts and pictures. It is not shown."""
_OPAQUE = ("application/pkcs7-mime", "application/x-pkcs7-mime")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a part stands."""

    depth: int = 0
    default: str = "text/plain"  # its type if it names none
    alternative: int = 0
    branch: int = 0
    is_related: bool = False
    is_reported: bool = False
    root: str = ""  # Content-ID of the part that the other related parts belong to


def is_composite(header: HeaderBlock) -> bool:
    """Return whether a mail with this header can hold others. RFC 2045 section 5.1."""
    content_type, _ = parameters(header.first("Content-Type") or "")
    return content_type.startswith(("multipart/", "message/")) or is_opaque(header)


def is_opaque(header: HeaderBlock) -> bool:
    """Return whether the body may be an opaque S/MIME signature. RFC 8551 section 3.2.

    Some programs name no type, but a file with the extension `.p7m`.
    """
    content_type, given = parameters(header.first("Content-Type") or "")
    if content_type in _OPAQUE:
        return True
    _, named = parameters(header.first("Content-Disposition") or "")
    filename = named.get("filename") or given.get("name") or ""
    return filename.lower().endswith(".p7m")


def leaves(
    raw: bytes, header: HeaderBlock | None = None, *, names: bool = True, most: int = MAX_PARTS
) -> tuple[list[Part], bool]:
    """Return the parts without parts, in order, and whether these are all. RFC 2046 section 5.

    `header` is the mail's, where it was read already. Without `names`, file names are as they are
    written: for those who show none of them. At most `most` parts are read.
    """
    reading = _Reading(cache(partial(charset_of_text, raw)) if names else None)
    if header is None or header.truncated:  # of a longer one the body's start is not known yet
        header = headers.read_header_block(raw)
    reading.read(raw, _Place(), header, 1)
    for number in range(2, most + 1):
        if not reading.waiting:
            break
        reading.read_next(number)
    return reading.found, reading.whole and not reading.waiting


@dataclass(slots=True)
class _Reading:
    """The parts found so far, and what is still to be read: the next one last."""

    hint: Callable[[], str] | None
    """The label of a text of the mail, for file names without one; None: they are not decoded."""
    found: list[Part] = field(default_factory=list)
    waiting: list[tuple[bytes, _Place] | Part] = field(default_factory=list)
    whole: bool = True
    signed: int = 0

    def read_next(self, number: int) -> None:
        """Read the next part."""
        item = self.waiting.pop()
        if isinstance(item, Part):
            self.found.append(item)
        else:
            raw, place = item
            self.read(raw, place, headers.read_header_block(raw), number)

    def read(self, raw: bytes, place: _Place, header: HeaderBlock, number: int) -> None:
        """Read a part: its parts are to be read then, or it is a part without parts."""
        body = raw[header.body_start :]
        content_type, given = parameters(header.first("Content-Type") or place.default)
        if not _MEDIA_TYPE.fullmatch(content_type):
            content_type = "text/plain"  # RFC 2045 section 5.2
        is_multipart = content_type.startswith("multipart/")
        children = children_of(body, given.get("boundary", ""), MAX_PARTS) if is_multipart else []
        too_deep = bool(children) and place.depth >= MAX_DEPTH
        self.whole = self.whole and not header.truncated and not too_deep
        if children and not too_deep:
            places = _places(content_type, given, _within(place, header), number, len(children))
            self.waiting += reversed([*zip(children, places, strict=True)])
            return
        if is_multipart and not children:
            content_type = "text/plain"
        leaf = _leaf(header, content_type, given, body, place, number, self.hint)
        content = self._signed_content(leaf, header, place)
        if content is not None:
            self.waiting += [
                leaf,
                (content, replace(_within(place, header), depth=place.depth + 1)),
            ]
        elif leaf.filename or leaf.data.strip():  # mailers put empty texts between attachments
            self.found.append(leaf)

    def _signed_content(self, leaf: Part, header: HeaderBlock, place: _Place) -> bytes | None:
        """Return the mail in an opaque signature. Anything else that is signed is a file."""
        is_file = not leaf.content_type.startswith(("text/", "message/"))
        if not (is_file and leaf.data.startswith(SIGNED_START) and is_opaque(header)):
            return None
        self.signed += 1
        if self.signed > MAX_SIGNED or place.depth >= MAX_DEPTH:
            self.whole = False
            return None
        content = signed_content(leaf.data)
        return None if content is None else _signed_mail(content, header)


def _signed_mail(content: bytes, wrapper: HeaderBlock) -> bytes | None:
    """Return what is signed where it is a part of a mail, None where it is a file.

    A mail that is wrapped to protect its header is no forward. RFC 8551 section 3.1.
    """
    header = headers.read_header_block(content)
    if not any(_MIME_FIELD.fullmatch(name) for name, _ in header.fields):
        _, given = parameters(wrapper.first("Content-Type") or "")
        is_mail = given.get("smime-type", "").lower() == "signed-data"
        return content if is_mail and content.startswith((b"\r\n", b"\n")) else None
    content_type, given = parameters(header.first("Content-Type") or "")
    if content_type == "message/rfc822" and given.get("forwarded", "").lower() == "no":
        return content[header.body_start :]
    return content


def _places(
    content_type: str, given: dict[str, str], place: _Place, number: int, count: int
) -> list[_Place]:
    """Return where the parts of a multipart stand."""
    inside = replace(
        place,
        depth=place.depth + 1,
        default="message/rfc822" if content_type == "multipart/digest" else "text/plain",
    )
    if content_type == "multipart/alternative" and not place.alternative:
        return [replace(inside, alternative=number, branch=branch) for branch in range(count)]
    if content_type == "multipart/related" and given.get("type", "").lower() != _SLIDES:
        root = given.get("start", "").strip("<> ")
        return [inside, *[replace(inside, is_related=True, root=root)] * (count - 1)]
    if content_type == "multipart/report":  # RFC 6522: a text, then what programs read
        return [inside, *[replace(inside, is_reported=True)] * (count - 1)]
    return [inside] * count


def _within(place: _Place, header: HeaderBlock) -> _Place:
    """Return the place for what is in a part: the root of related parts is none of the others."""
    if place.root and _content_id(header) == place.root:
        return replace(place, is_related=False, root="")
    return place


def _content_id(header: HeaderBlock) -> str:
    return decode_text(header.first("Content-ID") or "").strip("<> ")


def _leaf(
    header: HeaderBlock,
    content_type: str,
    given: dict[str, str],
    body: bytes,
    place: _Place,
    number: int,
    hint: Callable[[], str] | None,
) -> Part:
    disposition, named = parameters(header.first("Content-Disposition") or "")
    encoding = encoding_of(header.first("Content-Transfer-Encoding") or "")
    filename = named.get("filename") or given.get("name") or ""
    if hint is not None:
        filename = file_name(header, hint)
    if not filename and encoding.endswith("uuencode"):
        filename = headers.decode_bytes(uu_name(body))
    is_text = content_type in TEXTS
    data, is_whole = decode_body(body, encoding, is_text=is_text)
    content_id = _content_id(header)
    is_related = place.is_related and not (place.root and content_id == place.root)
    if is_text:  # some programs call a multipart related that is mixed
        is_related = is_related and bool(content_id or header.first("Content-Location"))
    is_attached = disposition == "attachment"
    if not (content_id or is_attached or place.is_related) and content_type.startswith("image/"):
        content_id = f"part{number}.of.this.mail"
    return Part(
        content_type=content_type,
        charset=given.get("charset", ""),
        alternative=place.alternative,
        is_attached=is_attached,
        filename=re.split(r"[/\\]", filename)[-1].strip(" .")[:255],
        data=data,
        content_id=content_id,
        branch=place.branch,
        is_companion=is_related or place.is_reported,
        method=given.get("method", "")[:80],
        is_flowed=content_type == "text/plain" and given.get("format", "").lower() == "flowed",
        delete_space=given.get("delsp", "").lower() == "yes",
        is_whole=is_whole,
    )
