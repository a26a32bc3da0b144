"""The ids in Message-ID, In-Reply-To and References. RFC 5322 section 3.6.4.

Ids compare as their authors meant them: white space in them and folding undone, brackets optional,
and encoded words decoded, though RFC 2047 section 5 allows none there: some libraries encode a long
id, or a whole field.

* A row of encoded words counts where white space or another id ends it on both sides, or where it
  is all that brackets hold. Inside an id anything else only looks encoded, and stays.
* What is decoded counts when it holds ids, or goes on with one; not the words of a phrase.
"""

import re

from shared.mail.comments import without_comments
from shared.mail.encoded_words import rows
from shared.mail.text import UNWANTED, decode_8bit

MAX_MESSAGE_ID_BYTES = 250

_BRACKETED = re.compile(r"<([^<>]*+)>")
_NO_ID = re.compile(r"<[^<>]*+>")
_BRACKET = re.compile(r"[<>\s]")


def message_ids(value: str) -> list[str]:
    """Return the ids in an In-Reply-To or References field, as `first_message_id` returns its own.

    Without any brackets, the words with an `@`. Those that are longer than 250 bytes are left out.
    """
    text = _decoded(value)
    written = _BRACKETED.findall(text) or [word for word in text.split() if "@" in word]
    found = (UNWANTED.sub("", "".join(id_.split())) for id_ in written)
    return [id_ for id_ in found if 0 < len(id_.encode()) <= MAX_MESSAGE_ID_BYTES]


def first_message_id(value: str) -> str | None:
    """Return the first id in a Message-ID field, without brackets and white space.

    Comments around it are skipped; without brackets it is the first word. None if there is none, or
    if it is longer than 250 bytes.
    """
    text = _decoded(value)
    outside, bracket, inside = without_comments(text, until="<").partition("<")
    found = inside if bracket else next(iter(outside.split()), "")
    found = UNWANTED.sub("", "".join(found.partition(">")[0].split())).lstrip("<")
    return found if 0 < len(found.encode()) <= MAX_MESSAGE_ID_BYTES else None


def _decoded(value: str) -> str:
    """Return the field with those encoded words decoded that are ids."""
    text = decode_8bit(value)
    if "=?" not in text:
        return text
    pieces: list[str] = []
    end = 0
    is_open = False
    for row in rows(text):
        before, written = text[end : row.start], text[row.start : row.end]
        is_open = _is_open(before, is_open)
        around = text[max(0, row.start - 1) : row.start], text[row.end : row.end + 1]
        row.words = [
            (how, word.replace("_", "=5F") if how == "q" else word) for how, word in row.words
        ]
        decoded = row.decoded()
        if is_open:
            is_id = _goes_on(decoded, *around)
        else:
            is_id = _is_delimited(*around) and _holds_ids(decoded)
            if is_id and "<" not in decoded:
                decoded = f"<{decoded}>"
        pieces += before, decoded if is_id else written
        is_open = _is_open(pieces[-1], is_open)
        end = row.end
    return "".join([*pieces, text[end:]])


def _is_open(text: str, was_open: bool) -> bool:
    """Return whether a bracket is open at the end of the text."""
    opened, closed = text.rfind("<"), text.rfind(">")
    return was_open if opened == closed else opened > closed


def _is_delimited(before: str, after: str) -> bool:
    return (not before.strip() or before == ">") and (not after.strip() or after == "<")


def _goes_on(decoded: str, before: str, after: str) -> bool:
    """Return whether encoded words inside of brackets are the id, or the rest of it."""
    if before == "<" and after == ">":
        return "@" in decoded and not _BRACKET.search(decoded)
    return not before.strip() and (not after.strip() or after == ">")


def _holds_ids(decoded: str) -> bool:
    """Return whether decoded text is ids. A `_` that was not encoded belongs to an id."""
    outside = _NO_ID.sub(" ", decoded).partition("<")[0].replace("_", " ").split()
    if "<" in decoded:
        return all("@" in word for word in outside)
    return len(outside) <= 2 and "@" in decoded and " " not in decoded.strip()
