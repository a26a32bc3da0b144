"""Replaces an erased person in the header of a mail's raw bytes. Pure.

* A field of addresses that names them is written again, with all of its other mailboxes.
* In every other field (Received, Return-Path, Authentication-Results and the like) their addresses
  are replaced where they stand.
* What connects mails (Message-ID, In-Reply-To, References), the subject and the body stay.

What signs the header (DKIM, ARC) no longer verifies; what it said is stored with the capture.
"""

import re
from collections.abc import Iterator
from email.utils import formataddr

from services.timeline.write.identity import split_header
from services.timeline.write.records import NamedAddress
from services.timeline.write.redacting import Redaction
from shared.contracts.known_addresses import ERASED_ADDRESS
from shared.mail import headers
from shared.mail.charset import charset_of_text
from shared.mail.header_block import header_start

_NAME = re.compile(rb"([!-9;-~]+)[ \t]*:")
_OF_ADDRESSES = re.compile(
    rb"(resent-)?(from|sender|reply-to|to|cc|bcc)|x-original-(from|sender|to)|apparently-to"
    rb"|return-path|delivered-to|envelope-to|x-forwarded-(to|for)|errors-to|mail-(followup|reply)-to"
    rb"|disposition-notification-to|return-receipt-to",
    re.IGNORECASE,
)
_STAYS = re.compile(
    rb"(resent-)?message-id|in-reply-to|references|subject|date|mime-version|content-[a-z-]+",
    re.IGNORECASE,
)
_ADDRESS = re.compile(rb'[^\s"\'(),:;<>@\[\]\\=]+@[A-Za-z0-9\x80-\xff_.-]+')


def redacted_bytes(raw: bytes, redaction: Redaction) -> bytes:
    """Return the mail with its header as if the people's mailboxes had been somebody's without a
    name."""
    start = header_start(raw)
    header, separator, body = split_header(raw[start:])
    hint = "" if header.isascii() else charset_of_text(raw)
    fields = (_redacted(field, redaction, hint) for field in _fields(header))
    return raw[:start] + b"".join(fields) + separator + body


def _fields(header: bytes) -> Iterator[bytes]:
    """Yield the fields of a header, each with the lines that continue it."""
    field = b""
    for line in header.splitlines(keepends=True):
        if field and not line.startswith((b" ", b"\t")):
            yield field
            field = b""
        field += line
    if field:
        yield field


def _redacted(field: bytes, redaction: Redaction, hint: str) -> bytes:
    named = _NAME.match(field)
    if named is None or _STAYS.fullmatch(named[1]):
        return field
    if _OF_ADDRESSES.fullmatch(named[1]):
        lines = field[named.end() :].splitlines()
        value = b"".join(lines).strip(b"\t ").decode("ascii", "surrogateescape")
        found = [NamedAddress(name=m.name, address=m.address) for m in _read(value, hint)]
        entries = redaction.all(found)
        if entries != tuple(found):
            end = field[len(field.rstrip(b"\r\n")) :]
            return named[0] + b" " + b",\r\n ".join(map(_written, entries)) + end
    return _ADDRESS.sub(lambda found: _address(found[0], redaction), field)


def _read(value: str, hint: str) -> list[headers.Mailbox]:
    return headers.addresses([value], hint)


def _written(entry: NamedAddress) -> bytes:
    address = b"<" + entry.address.encode("utf-8", "surrogateescape") + b">"
    if not entry.name:
        return address
    return formataddr((entry.name, "x")).removesuffix("<x>").encode() + address


def _address(written: bytes, redaction: Redaction) -> bytes:
    text = written.decode("utf-8", "surrogateescape").rstrip(".")
    return ERASED_ADDRESS.encode() if redaction.has_address(text) else written
