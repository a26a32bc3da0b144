"""Reading a whole raw mail for display. Anyone may have written it.

Rules:

* Nothing raises, whatever the bytes, and what is returned can be stored and shown.
* Time and memory are bounded: 50 levels of parts, 1000 parts, 1 MiB of text, 1 MiB of HTML, 1000
  people, a subject of 1000 characters. What is left out for that makes the mail `incomplete`; its
  raw bytes are whole. So what is stored never grows far beyond the mail.
* The body is all of the mail's text, in both forms if it has alternatives (`shared.mail.body`).
  Without a text/plain the text is made from the HTML. Every other part is an attachment, a
  message/rfc822 as a whole: nothing that a mail brings is hidden.
* Files that are in the text as base64 are neither shown nor found: `inline_data`. Images that are
  in a large HTML so are put in when it is shown: `data_images`.
* Parts are cut by `shared.mail.mime`, the body is made by `body`, its HTML is safe to show.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from mimetypes import MimeTypes

from services.timeline.content.automatic import Auto, kind_of
from services.timeline.content.body import read_body
from services.timeline.content.inline_data import without_inline_data
from services.timeline.content.invite import Invite, invite_of
from services.timeline.content.new_part import snippet
from shared.mail import headers
from shared.mail.body import body_of
from shared.mail.charset import charset_of_text
from shared.mail.headers import HeaderBlock, decode_text, message_ids
from shared.mail.headers import Mailbox as Mailbox
from shared.mail.mime import leaves
from shared.mail.part import Part
from shared.mail.subject_prefixes import is_forward

_EXTENSIONS = MimeTypes()
_NAMES = {
    "application/ms-tnef": "winmail.dat",
    "application/pkcs7-mime": "smime.p7m",
    "application/x-pkcs7-mime": "smime.p7m",
}
"""Names of parts that came without one."""
_REFERENCES = 20
MAX_PEOPLE, MAX_SUBJECT, _MAX_NAME = 1000, 1000, 200
READER_VERSION = 3


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is not shown. It is cut out of the raw mail on request."""

    index: int
    filename: str
    content_type: str
    size: int  # in bytes, decoded
    digest: str  # of its bytes, to tell one from another


@dataclass(frozen=True, slots=True)
class ReadMail:
    """A mail, ready to be shown."""

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
    snippet: str  # of what it adds
    forward: bool  # what it quotes is why it was sent
    attachments: tuple[Attachment, ...]
    auto: Auto | None  # set when a program wrote it, or one person to many
    invite: Invite | None  # set when it invites to an event, or answers an invitation
    incomplete: bool  # not all of it could be read


def read(raw: bytes, *, forward: bool = False) -> ReadMail:
    """Read a mail: RFC 5322 and RFC 2045 to 2047.

    `forward` says that it is known to be a forward; else its subject tells.
    """
    header = headers.read_header_block(raw)
    parts, parts_whole = leaves(raw, header)
    body = read_body(parts)
    text = without_inline_data(body.text)
    hint = "" if header.is_ascii else charset_of_text(raw)
    subject = decode_text(header.first("Subject") or "", hint)
    people, people_whole = _people(header, hint)
    forward = forward or is_forward(subject, text)
    auto = kind_of(header, parts, text)
    return ReadMail(
        message_id=headers.message_id(header),
        references=_references(header, auto),
        subject=subject[:MAX_SUBJECT],
        date=headers.parse_date(header.first("Date")),
        from_=people["From"],
        to=people["To"],
        cc=people["Cc"],
        bcc=people["Bcc"],
        reply_to=people["Reply-To"],
        text=text,
        html=body.html,
        snippet=snippet(text, forward=forward),
        forward=forward,
        attachments=tuple(_attachment(index, part) for index, part in enumerate(body.attached)),
        auto=auto,
        invite=invite_of(parts),
        incomplete=not (
            parts_whole
            and all(part.is_whole for part in parts)
            and body.whole
            and people_whole
            and len(subject) <= MAX_SUBJECT
        ),
    )


def attached_parts(raw: bytes) -> list[Part]:
    """Return the parts that are listed as attachments, by their index."""
    parts, _ = leaves(raw)
    shown = {*body_of(parts).texts}
    return [part for part in parts if part not in shown]


def _people(header: HeaderBlock, hint: str) -> tuple[dict[str, tuple[Mailbox, ...]], bool]:
    """Return who stands in each field, 1000 in all, and whether that is everybody.

    An address of three bytes takes fifty times that where it is stored.
    """
    found: dict[str, tuple[Mailbox, ...]] = {}
    left, whole = MAX_PEOPLE, True
    for name in ("From", "To", "Cc", "Bcc", "Reply-To"):
        written = headers.mailboxes(header, name, hint)
        found[name] = tuple(Mailbox(m.name[:_MAX_NAME], m.address) for m in written[:left])
        whole = whole and len(written) <= left
        left -= len(found[name])
    return found, whole


def _references(header: HeaderBlock, auto: Auto | None) -> tuple[str, ...]:
    """Return the ids of the mails that this one answers or continues, each once.

    Of the field References the first and the last 20, so that one hostile header cannot fuse an
    inbox; of In-Reply-To, which has one by rights, the first. RFC 5322 section 3.6.4. What a server
    reports names the mail that it is about in its own way.
    """
    references = [id_ for value in header.all("References") for id_ in message_ids(value)]
    answered = [id_ for value in header.all("In-Reply-To") for id_ in message_ids(value)]
    reported = [auto.original_message_id] if auto and auto.original_message_id else []
    kept = [
        *reported,
        *answered[:1],
        *references[:1],
        *references[1:][-_REFERENCES:],
    ]
    return tuple(dict.fromkeys(kept))


def _attachment(index: int, part: Part) -> Attachment:
    """Return the part as it is listed."""
    extension = _EXTENSIONS.guess_extension(part.content_type) or ""
    unnamed = _NAMES.get(part.content_type, f"attachment-{index}{extension}")
    filename = part.filename or unnamed
    digest = hashlib.sha256(part.data).hexdigest()[:32]
    return Attachment(index, filename, part.content_type, len(part.data), digest)
