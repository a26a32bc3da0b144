"""Reading header fields, which anyone may have written: dates, addresses, ids, text.

Ingest, matcher and timeline must read the same mail the same way, so they read it here. This
module gathers what they import; each subject has a module of its own.

Rules:

* Nothing raises, whatever the bytes. Every function takes linear time.
* What is returned holds no surrogates and no control characters, but for the values of a
  `HeaderBlock`: it can be stored, logged and shown.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_tz

from shared.mail.address_list import Mailbox as Mailbox
from shared.mail.address_list import read_address_list
from shared.mail.comments import without_comments
from shared.mail.decoding import decode_base64 as decode_base64
from shared.mail.decoding import decode_bytes as decode_bytes
from shared.mail.header_block import MAX_HEADER_BYTES as MAX_HEADER_BYTES
from shared.mail.header_block import MAX_HEADER_LINES as MAX_HEADER_LINES
from shared.mail.header_block import HeaderBlock as HeaderBlock
from shared.mail.header_block import read_header_block as read_header_block
from shared.mail.message_ids import MAX_MESSAGE_ID_BYTES as MAX_MESSAGE_ID_BYTES
from shared.mail.message_ids import first_message_id
from shared.mail.message_ids import message_ids as message_ids
from shared.mail.parameters import parameters as parameters
from shared.mail.text import decode_8bit, decode_around_words
from shared.mail.text import decode_text as decode_text


def addresses(values: Iterable[str], hint: str = "") -> list[Mailbox]:
    """Return the mailboxes of address-list fields, names decoded. RFC 5322 section 3.4.

    The hint is for 8-bit names alone (`decode_text`): an address is the same whatever the hint.
    """
    found: list[Mailbox] = []
    for value in values:
        read = list(read_address_list(decode_8bit(value)))
        named = read if value.isascii() else _named(value, hint, read)
        found += [
            Mailbox(decode_text(shown.name, hint), mailbox.address) if shown.name else mailbox
            for mailbox, shown in zip(read, named, strict=True)
        ]
    return found


def mailboxes(block: HeaderBlock, name: str, hint: str = "") -> list[Mailbox]:
    """Return the mailboxes of the address fields of that name, as `addresses` does.

    They are read once, however often they are asked for.
    """
    key = name.lower(), hint
    found = block.mailboxes.get(key)
    if found is None:
        values = block.all(name)
        found = block.mailboxes[key] = addresses(values, hint) if values else []
    return found


def _named(value: str, hint: str, read: list[Mailbox]) -> list[Mailbox]:
    """Return the same mailboxes with their names as the hint says."""
    named = list(read_address_list(decode_around_words(value, hint)))
    return named if len(named) == len(read) else read


def parse_date(value: str | None) -> datetime | None:
    """Return a date in UTC, None if it is unreadable or not of the years 1970 to 2100.

    RFC 5322 section 3.3 with the obsolete forms of section 4.3. An unknown zone is UTC.
    """
    text = " ".join(without_comments((value or "")[:1000]).split())
    try:
        read = parsedate_tz(re.sub(" ?: ?", ":", text.replace(" ,", ",")))
        if read is None:
            return None
        year = read[0] + 1900 if 100 <= read[0] < 1000 else read[0]
        second = min(read[5], 59)  # a leap second
        zone = timedelta(seconds=read[9] or 0)
        date = datetime(year, *read[1:5], second, tzinfo=UTC)
        date -= zone if abs(zone) < timedelta(days=1) else timedelta()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date if 1970 <= date.year <= 2100 else None


def message_id(block: HeaderBlock) -> str | None:
    """Return the mail's Message-ID without its brackets; None if it has none of at most 250 bytes.

    Such a mail is known by its content.
    """
    return first_message_id(block.first("Message-ID") or "")
