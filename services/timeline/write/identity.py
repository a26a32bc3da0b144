"""Which mail is this? Two captures of the same email are one mail.

Same account, Message-ID, From address and Date. Not the subject: gateways mark it for some
recipients only. The same Message-ID with another From or Date is another mail, so a forged id can
neither replace nor suppress a real one. Without a Message-ID it is the content that counts, less
what is written on the way.
"""

import hashlib
import re
import unicodedata

from services.timeline.content.reader import ReadMail
from shared.contracts.capture_address import base32
from shared.mail.header_block import TRACE, header_start, without_mark


def mail_id(account: str, mail: ReadMail, raw: bytes) -> str:
    """Return the id of a mail: 32 base32 characters of a SHA-256, the same for every capture."""
    if mail.message_id is not None:
        sender = ",".join(sorted(_same(mailbox.address) for mailbox in mail.from_))
        date = mail.date.isoformat() if mail.date else ""
        identity = ["message-id", mail.message_id, sender, date]
    else:
        identity = ["content", hashlib.sha256(without_trace(raw)).hexdigest()]
    return hashed_id(account, *identity)


def token(account: str, message_id: str) -> str:
    """Return by what a Message-ID is known in the account's conversations: 32 base32 characters."""
    return hashed_id(account, "token", message_id)


def token_without_id(account: str, mail_id: str) -> str:
    """Return by what a mail without a Message-ID is known there.

    Not by its own id: a conversation's id is one of its tokens, and some who see the conversation
    may know nothing of this mail.
    """
    return hashed_id(account, "token of mail", mail_id)


def hashed_id(*parts: str) -> str:
    """Return 32 base32 characters of a SHA-256 over the parts."""
    return base32(hashlib.sha256("\0".join(parts).encode()).digest()[:20])


def without_trace(raw: bytes) -> bytes:
    """Return the mail without the header fields that are written on its way."""
    return _without(raw, TRACE)


def without_bcc(raw: bytes) -> bytes:
    """Return the mail without its Bcc fields, which are for the capture's owner alone."""
    return _without(raw, re.compile(rb"(resent-)?bcc[ \t]*:", re.IGNORECASE))


def _without(raw: bytes, unwanted: re.Pattern[bytes]) -> bytes:
    """Return the mail without these fields, and without byte order marks before its first field."""
    header, separator, body = split_header(raw[header_start(raw) :])
    kept: list[bytes] = []
    dropping, may_be_marked = False, not header.isascii()
    for line in header.splitlines(keepends=True):
        if not line.startswith((b" ", b"\t")):
            unmarked = without_mark(line)
            dropping = unwanted.match(unmarked) is not None
            if may_be_marked:  # until a field that the author wrote
                line, may_be_marked = unmarked, TRACE.match(unmarked) is not None
        if not dropping:
            kept.append(line)
    return b"".join(kept) + separator + body


_EMPTY_LINE = re.compile(rb"(?:\A|(?<=\n)|(?<=\r)(?!\n))(?:\r\n|\n|\r)")
"""With any of the line ends that readers of mail take for one."""


def split_header(raw: bytes) -> tuple[bytes, bytes, bytes]:
    """Return a mail's header, the empty line behind it, and its body."""
    end = _EMPTY_LINE.search(raw)
    if end is None:
        return raw, b"", b""
    return raw[: end.start()], end[0], raw[end.end() :]


def _same(address: str) -> str:
    return unicodedata.normalize("NFC", address).lower()
