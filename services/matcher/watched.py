"""What a set-up window shows of a mail: sender, subject, text, and its links as text.

Bounded, so that it can travel as an event. Links are http and https URLs that a reader can click
or read: targets of anchors and URLs in the text, but not those in comments, styles or images.
Nothing opens them. Nothing raises, and the time is linear in the mail.
"""

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime

from services.matcher.directory.capture_addresses import AddressRecord
from services.matcher.forwards.markup import text_of_html
from services.matcher.reading.senders import literal_senders
from shared.contracts.events import MailReceived, MailWatched, Named
from shared.mail.body import body_of
from shared.mail.headers import HeaderBlock, Mailbox, decode_text
from shared.mail.mime import FIRST_PARTS, leaves
from shared.mail.part import text_of, without_control

MAX_SUBJECT, MAX_TEXT, MAX_NAME, MAX_ADDRESS = 300, 4000, 200, 320
"""In characters: of four bytes at most, they fit into an event with the links."""
MAX_LINKS, MAX_LINK, MAX_LINKS_BYTES = 20, 2000, 16_000

_URL = re.compile(r"https?://[!#-&(-;=?-~]*+", re.IGNORECASE)
"""ASCII, no quotes or angle brackets: in Japanese, say, text goes on without a space."""
_COMMENT = re.compile(r"(?is)<(?:!--.*?(?:-->|\Z)|(style|script|title)\b.*?(?:</\1|\Z))")
_ANCHOR = re.compile(r"<a\s((?>[^<>\"']|\"[^\"<>]*+\"|'[^'<>]*+'|[\"'])*)>", re.IGNORECASE)
_HREF = re.compile(
    r"(?:^|\s)href\s{0,3}=\s{0,3}(?:\"([^\"]*+)\"|'([^']*+)'|([^\s\"'>]++))", re.IGNORECASE
)
_ENTITY = re.compile(r"&#?[0-9A-Za-z]{1,31};?")
"""Bounded: `html.unescape` raises on a number of 5,000 digits."""
_BLANK_LINES = re.compile(r"[ \t]*\n(?:[ \t]*\n){2,}")


def watched(
    received: MailReceived, address: AddressRecord, header: HeaderBlock, raw: bytes
) -> MailWatched:
    """Return the event that shows a mail to the owner of its capture address."""
    parts, _ = leaves(raw, header, names=False, most=FIRST_PARTS)
    body = body_of(parts)
    plain = [(text_of(part)[0], part.content_type == "text/html") for part in body.plain]
    text = "\n\n".join(text_of_html(source) if is_html else source for source, is_html in plain)
    sources = [(text_of(part)[0], part.content_type == "text/html") for part in body.texts]
    senders = literal_senders(header)
    return MailWatched(
        capture_id=received.capture_id,
        account=address.account,
        owner=address.person_id,
        capture_address=received.capture_address,
        received_at=received.received_at,
        decided_at=datetime.now(UTC),
        sender=_named(senders[0]) if senders else None,
        subject=decode_text(header.first("Subject") or "")[:MAX_SUBJECT],
        text=_BLANK_LINES.sub("\n\n", without_control(text)).strip()[:MAX_TEXT],
        links=tuple(_few(link for source, is_html in sources for link in _links(source, is_html))),
    )


def _named(sender: Mailbox) -> Named:
    return Named(name=sender.name[:MAX_NAME], address=sender.address[:MAX_ADDRESS])


def _links(source: str, is_html: bool) -> Iterator[str]:
    """Yield where a text's links lead, in its order."""
    if is_html:
        source = _COMMENT.sub(" ", source)
        for anchor in _ANCHOR.finditer(source):
            if found := _HREF.search(anchor[1]):
                target = _ENTITY.sub(_character, found[1] or found[2] or found[3] or "").strip()
                if whole := _URL.fullmatch(target):
                    yield whole[0]
        source = text_of_html(source.replace("<", " <"))  # a tag ends a URL
    for found in _URL.finditer(source):
        yield found[0].rstrip(".,;:!?)]}*")


def _few(links: Iterator[str]) -> Iterator[str]:
    """Yield each link once, as many as an event holds."""
    seen, size = set[str](), 0
    for link in links:
        if link in seen or not 10 <= len(link) <= MAX_LINK:
            continue
        seen.add(link)
        size += len(link)
        if len(seen) > MAX_LINKS or size > MAX_LINKS_BYTES:
            return
        yield link


def _character(entity: re.Match[str]) -> str:
    return html.unescape(entity[0])
