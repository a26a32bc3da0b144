"""Reading a whole raw mail for display. Anyone may have written it.

Rules:

* Nothing raises, whatever the bytes, and what is returned can be stored and shown.
* Time and memory are bounded: 50 levels of parts, 1000 parts, 1 MiB of text, 1 MiB of HTML. What is
  left out for that makes the mail `incomplete`; its raw bytes are whole.
* The body is the first part with text that is no attachment, in both forms if it has alternatives;
  without a text/plain the text is made from the HTML. Every other part is an attachment, a
  message/rfc822 as a whole: nothing that a mail brings is hidden.
* A multipart whose boundary never comes is text. Parts are cut here: the standard library's parser
  raises on 3,000 nested ones, and so do its parameters on mixed RFC 2231 forms.
* HTML goes through libxml2, which stops at depth 256, so that nh3 sees a bounded, well nested tree:
  by itself it takes minutes for 1 MiB of `<div>` and gigabytes for 60 KB of formatting elements
  left open. No image is fetched: those stay that the mail brings.
"""

import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from mimetypes import MimeTypes

import nh3
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.html_engine import Inscriptis
from inscriptis.model.config import ParserConfig
from inscriptis.model.html_element import HtmlElement
from lxml import etree
from lxml.html import HTMLParser, document_fromstring

from shared import headers
from shared.headers import HeaderBlock, decode_text, parameters
from shared.headers import Mailbox as Mailbox

READER_VERSION = 1

MAX_DEPTH = 50
MAX_PARTS = 1000
MAX_TEXT = 1 << 20  # bytes of text, and of HTML before and after it is sanitised


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is not shown: cut out of the raw mail when asked for."""

    index: int
    filename: str
    content_type: str
    size: int  # in bytes, decoded


@dataclass(frozen=True, slots=True)
class ReadMail:
    """A mail as it is shown."""

    message_id: str | None
    subject: str
    date: datetime | None
    from_: tuple[Mailbox, ...]
    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...]
    bcc: tuple[Mailbox, ...]
    reply_to: tuple[Mailbox, ...]
    text: str
    html: str | None  # sanitised: safe to show
    snippet: str
    attachments: tuple[Attachment, ...]
    incomplete: bool  # not all of it could be read


def read(raw: bytes) -> ReadMail:
    """Read a mail: RFC 5322 and RFC 2045 to 2047."""
    header = headers.read_header_block(raw)
    parts, parts_whole = _leaves(raw)
    plain, rich = _shown(parts)
    text, html, body_whole = _body(plain, rich)
    others = [part for part in parts if part not in (plain, rich)]
    return ReadMail(
        message_id=headers.message_id(header),
        subject=decode_text(header.first("Subject") or ""),
        date=headers.parse_date(header.first("Date")),
        from_=tuple(headers.addresses(header.all("From"))),
        to=tuple(headers.addresses(header.all("To"))),
        cc=tuple(headers.addresses(header.all("Cc"))),
        bcc=tuple(headers.addresses(header.all("Bcc"))),
        reply_to=tuple(headers.addresses(header.all("Reply-To"))),
        text=text,
        html=html,
        snippet=" ".join(text[:2000].split())[:200].rstrip(),
        attachments=tuple(part.attachment(index) for index, part in enumerate(others)),
        incomplete=not (parts_whole and body_whole),
    )


_BOUNDARY_END = re.compile(rb"[ \t]*+(?:\r\n|[\r\n]|\Z)")
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,80}/[a-z0-9!#$&^_.+-]{1,80}")
_EXTENSIONS = MimeTypes()


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A part without parts."""

    content_type: str
    charset: str
    alternative: int  # which multipart/alternative it is in, 0 if none
    is_attached: bool
    filename: str
    data: bytes

    @property
    def may_be_body(self) -> bool:
        """Return whether this is text to read, not to keep."""
        return self.content_type in ("text/plain", "text/html") and not self.is_attached

    def attachment(self, index: int) -> Attachment:
        """Return the part as it is listed."""
        extension = _EXTENSIONS.guess_extension(self.content_type) or ""
        filename = self.filename or f"attachment-{index}{extension}"
        return Attachment(index, filename, self.content_type, len(self.data))


def _shown(parts: list[_Part]) -> tuple[_Part | None, _Part | None]:
    """Return the text/plain and the text/html that are the body."""
    texts = [part for part in parts if part.may_be_body]
    forms = [p for p in texts if p is texts[0] or 0 < p.alternative == texts[0].alternative]
    first = {part.content_type: part for part in reversed(forms)}
    return first.get("text/plain"), first.get("text/html")


def _leaves(raw: bytes) -> tuple[list[_Part], bool]:
    """Return the parts without parts, in order, and whether these are all. RFC 2046 section 5."""
    leaves: list[_Part] = []
    whole = True
    waiting = [(raw, 0, "text/plain", 0)]
    for number in range(1, MAX_PARTS + 1):
        if not waiting:
            return leaves, whole
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
            leaf = _leaf(header, content_type, given, body, alternative)
            if leaf.filename or leaf.data.strip():  # mailers put empty texts between attachments
                leaves.append(leaf)
        whole = whole and not header.truncated and (not children or depth < MAX_DEPTH)
    return leaves, whole and not waiting


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
    header: HeaderBlock, content_type: str, given: dict[str, str], body: bytes, alternative: int
) -> _Part:
    disposition, named = parameters(header.first("Content-Disposition") or "")
    filename = decode_text(named.get("filename") or given.get("name") or "")
    filename = re.split(r"[/\\]", filename)[-1].strip(" .")[:255]
    encoding, _ = parameters(header.first("Content-Transfer-Encoding") or "")
    if encoding == "base64":
        body = headers.decode_base64(body)
    elif encoding == "quoted-printable":
        body = binascii.a2b_qp(body)
    is_attached = disposition == "attachment" or bool(filename)
    return _Part(content_type, given.get("charset", ""), alternative, is_attached, filename, body)


_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff]")
_UNSEEN = {"head", "math", "script", "style", "svg", "textarea", "title"}
_FORMATTING = {"a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong"}
_FORMATTING |= {"tt", "u"}
"""Left open, they are opened again in every block that follows: HTML standard, section 13.2.4.3."""
_FLAT = {"table": "div", "tbody": "div", "thead": "div", "tr": "div", "td": "cell", "th": "cell"}
_MAX_HTML_DEPTH, _MAX_COPIES, _MAX_LINES, _MAX_IN_TAG = 200, 200_000, 40_000, 5_000
_IN_TAG = re.compile(r"[\s/\"']")  # many attributes in one tag take quadratic time
_LINK = re.compile(r"(?:https?|mailto|tel):", re.IGNORECASE)
_BROUGHT_IMAGE = re.compile(r"cid:|data:image/(?:bmp|gif|jpeg|png|webp);base64,", re.IGNORECASE)


def _kept(_tag: str, attribute: str, value: str) -> str | None:
    allowed = {"href": _LINK, "src": _BROUGHT_IMAGE}.get(attribute)
    return value if allowed is None or allowed.match(value) else None


_CLEANER = nh3.Cleaner(
    attribute_filter=_kept,
    clean_content_tags=_UNSEEN,
    link_rel="noopener noreferrer nofollow",
    url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
    url_relative="deny",
)
_LAYOUT = ParserConfig(css={**CSS_PROFILES["strict"], "cell": HtmlElement(suffix=" ")})


def _body(plain: _Part | None, rich: _Part | None) -> tuple[str, str | None, bool]:
    """Return the text, the HTML, and whether they are all there was."""
    text, whole = _decoded(plain) if plain else ("", True)
    if rich is None:
        return text, None, whole
    source, source_whole = _decoded(rich)
    html, from_html, html_whole = _read_html(source)
    if plain is None:
        text, whole = _capped(from_html)
    return text, html, whole and source_whole and html_whole


def _decoded(part: _Part) -> tuple[str, bool]:
    text, whole = _capped(headers.decode_bytes(part.data[:MAX_TEXT], part.charset))
    return text, whole and len(part.data) <= MAX_TEXT


def _capped(text: str) -> tuple[str, bool]:
    """Return text without control characters, and whether that is all of it."""
    text = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    data = text.strip("\n").encode()
    return data[:MAX_TEXT].decode(errors="ignore"), len(data) <= MAX_TEXT


def _read_html(source: str) -> tuple[str | None, str, bool]:
    """Return HTML as it may be shown, as text, and whether that is all of it."""
    if max(len(_IN_TAG.findall(tag)) for tag in source.split(">")) > _MAX_IN_TAG:
        return None, re.sub(r"<[^<>]*+>", " ", source), False
    try:
        tree = document_fromstring(source.encode(), parser=HTMLParser(encoding="utf-8"))
    except etree.ParserError:
        return None, "", True  # there is nothing in it
    except etree.LxmlError:
        return None, source, False
    etree.strip_elements(tree, etree.Comment, etree.PI, *_UNSEEN, with_tail=False)
    depth, elements, copies = _measured(tree)
    html = None
    if depth <= _MAX_HTML_DEPTH and copies <= _MAX_COPIES:
        html = _CLEANER.clean(etree.tostring(tree, encoding="unicode", method="html"))
        html = _CONTROL.sub("", html).strip()
        html = html if len(html.encode()) <= MAX_TEXT else None
    lays_out = depth <= _MAX_HTML_DEPTH and elements + source.count("\n") <= _MAX_LINES
    text = (_laid_out(tree) if lays_out else None) or "\n".join(tree.itertext())
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    return html, re.sub("\n{3,}", "\n\n", text), html is not None


def _measured(tree: etree._Element) -> tuple[int, int, int]:
    """Return depth, elements, and how often an HTML5 parser may copy a formatting element."""
    depth = deepest = elements = formatting = copies = 0
    for event, element in etree.iterwalk(tree, events=("start", "end")):
        step = 1 if event == "start" else -1
        depth += step
        deepest = max(deepest, depth)
        elements += step > 0
        if element.tag in _FORMATTING:
            formatting += step
        elif step > 0:
            copies += formatting
    return deepest, elements, copies


def _laid_out(tree: etree._Element) -> str | None:
    """Return the text in lines and lists, None if that fails."""
    # Inscriptis pads as styles and tables ask, to gigabytes if a mail likes.
    for element in tree.iter("*"):
        element.attrib.clear()
        if element.tag in _FLAT:
            element.tag = _FLAT[element.tag]
    try:
        return str(Inscriptis(tree, _LAYOUT).get_text())
    except Exception:  # a foreign library on anyone's HTML: there is a plainer way
        return None
