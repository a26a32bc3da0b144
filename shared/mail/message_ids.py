"""The ids in Message-ID, In-Reply-To and References. RFC 5322 section 3.6.4."""

import re

from shared.mail.comments import without_comments
from shared.mail.encoded_words import UNWANTED, decode_8bit

MAX_MESSAGE_ID_BYTES = 250

_BRACKETED = re.compile(r"<([^<>]*+)>")


def message_ids(value: str) -> list[str]:
    """Return the ids in an In-Reply-To or References field, as `message_id` returns its own.

    RFC 5322 section 3.6.4; without any brackets, the words with an `@`. Those that are longer than
    250 bytes are left out.
    """
    text = decode_8bit(value)
    written = _BRACKETED.findall(text) or [word for word in text.split() if "@" in word]
    found = (UNWANTED.sub("", "".join(id_.split())) for id_ in written)
    return [id_ for id_ in found if 0 < len(id_.encode()) <= MAX_MESSAGE_ID_BYTES]


def first_message_id(value: str) -> str | None:
    """Return the first id in a Message-ID field, without brackets and white space.

    Comments around it are skipped; without brackets it is the first word. None if there is none, or
    if it is longer than 250 bytes.
    """
    text = decode_8bit(value)
    outside, bracket, inside = without_comments(text, until="<").partition("<")
    found = inside if bracket else next(iter(outside.split()), "")
    found = UNWANTED.sub("", "".join(found.partition(">")[0].split())).lstrip("<")
    return found if 0 < len(found.encode()) <= MAX_MESSAGE_ID_BYTES else None
