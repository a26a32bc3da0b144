"""Unstructured text with encoded words, as a reader sees it. RFC 2047, RFC 6532.

What is returned holds no surrogates and no control characters: it can be stored, logged and shown.
"""

import binascii
import re
import unicodedata

from shared.mail.decoding import decode_base64, decode_bytes

_ENCODED_WORD = re.compile(
    r"=\?([^?=\s]{1,60}+)\?([bBqQ])\?((?>(?:[^?=]++|=(?!\?(?!=))|\?(?!=))*))\?="
)
"""Neither `=?` nor `?=` is inside one: no character is looked at for two words."""
_LONE_SURROGATE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
UNWANTED = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
"""Control characters that are not white space, and those that turn the text after them around."""
_MAX_MARKS = 30
"""Marks on one letter: UAX #15, Stream-Safe Text Format. Ordering more of them is quadratic."""
_MANY_MARKS = re.compile(rf"[^\w\s\x00-\x7f]{{{_MAX_MARKS + 1}}}")


def decode_text(value: str) -> str:
    """Return unstructured text as a reader sees it. RFC 2047 section 6, RFC 6532 section 3.

    Encoded words are decoded, those in a row together (a character may be split between them).
    White space is folded to single spaces. NFC, but for more marks on a letter than any script has.
    """
    if value.isascii() and value.isprintable() and "=?" not in value:
        return " ".join(value.split())
    text = _decode_words(decode_8bit(value))
    text = " ".join(UNWANTED.sub("", text).split())
    if _MANY_MARKS.search(text):
        text = _with_fewer_marks(text)
    return unicodedata.normalize("NFC", text)


def decode_8bit(value: str) -> str:
    """Return the text with its 8-bit bytes decoded: UTF-8, else Windows-1252."""
    if value.isascii():
        return value
    return decode_bytes(_LONE_SURROGATE.sub("\ufffd", value).encode("utf-8", "surrogateescape"))


def _decode_words(text: str) -> str:
    pieces: list[str] = []
    row: list[bytes] = []
    row_charset, end = "", 0
    for word in _ENCODED_WORD.finditer(text):
        charset, encoding, content = word[1].lower(), word[2], word[3].encode()
        gap = text[end : word.start()]
        between_words = end > 0 and not gap.strip()
        if not between_words or charset != row_charset:
            pieces += decode_bytes(b"".join(row), row_charset), "" if between_words else gap
            row = []
        is_base64 = encoding in "bB"
        row.append(decode_base64(content) if is_base64 else binascii.a2b_qp(content, header=True))
        row_charset, end = charset, word.end()
    return "".join([*pieces, decode_bytes(b"".join(row), row_charset), text[end:]])


def _with_fewer_marks(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks <= _MAX_MARKS:
            kept.append(char)
    return "".join(kept)
