"""Reading a whole raw mail for display. Anyone may have written it.

Rules:

* Nothing raises, whatever the bytes, and what is returned can be stored and shown.
* Time and memory are bounded: 50 levels of parts, 1000 parts, 1 MiB of text, 1 MiB of HTML. What is
  left out for that makes the mail `incomplete`; its raw bytes are whole.
* The body is the first part with text that is no attachment, in both forms if it has alternatives;
  without a text/plain the text is made from the HTML. Every other part is an attachment, a
  message/rfc822 as a whole: nothing that a mail brings is hidden.
* Parts are cut by `shared.mime`, HTML is made safe by `safe_html`.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from mimetypes import MimeTypes

from services.timeline.safe_html import read_html
from shared import headers
from shared.headers import HeaderBlock, decode_text, message_ids
from shared.headers import Mailbox as Mailbox
from shared.mime import Part, body_parts, capped, leaves, text_of

_EXTENSIONS = MimeTypes()
_REFERENCES = 20
READER_VERSION = 2


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is not shown: cut out of the raw mail when asked for."""

    index: int
    filename: str
    content_type: str
    size: int  # in bytes, decoded
    digest: str  # of its bytes, to tell one from another


@dataclass(frozen=True, slots=True)
class ReadMail:
    """A mail as it is shown."""

    message_id: str | None
    references: tuple[str, ...]
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
    parts, parts_whole = leaves(raw)
    plain, rich = body_parts(parts)
    text, html, body_whole = _body(plain, rich)
    others = [part for part in parts if part not in (plain, rich)]
    return ReadMail(
        message_id=headers.message_id(header),
        references=_references(header),
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
        attachments=tuple(_attachment(index, part) for index, part in enumerate(others)),
        incomplete=not (parts_whole and body_whole),
    )


def _references(header: HeaderBlock) -> tuple[str, ...]:
    """Return the ids of the mails that this one answers or continues, each once.

    Of the field References the first and the last 20, so that one hostile header cannot fuse an
    inbox; of In-Reply-To, which has one by rights, the first 20. RFC 5322 section 3.6.4.
    """
    references = [id_ for value in header.all("References") for id_ in message_ids(value)]
    answered = [id_ for value in header.all("In-Reply-To") for id_ in message_ids(value)]
    kept = [*answered[:_REFERENCES], *references[:1], *references[1:][-_REFERENCES:]]
    return tuple(dict.fromkeys(kept))


def _attachment(index: int, part: Part) -> Attachment:
    """Return the part as it is listed."""
    extension = _EXTENSIONS.guess_extension(part.content_type) or ""
    filename = part.filename or f"attachment-{index}{extension}"
    digest = hashlib.sha256(part.data).hexdigest()[:32]
    return Attachment(index, filename, part.content_type, len(part.data), digest)


def _body(plain: Part | None, rich: Part | None) -> tuple[str, str | None, bool]:
    """Return the text, the HTML, and whether they are all there was."""
    text, whole = text_of(plain) if plain else ("", True)
    if rich is None:
        return text, None, whole
    source, source_whole = text_of(rich)
    html, from_html, html_whole = read_html(source)
    if plain is None:
        text, whole = capped(from_html)
    return text, html, whole and source_whole and html_whole
