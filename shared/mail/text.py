"""Unstructured text of a header field, as a reader sees it. RFC 2047, RFC 6532.

Japanese mailers and forms also write raw ISO-2022-JP (RFC 1468), recognised by its escape
sequences.

What is returned holds no surrogates and no control characters: it can be stored, logged and shown.
"""

import re
import unicodedata

from shared.mail.decoding import decode_bytes, decode_raw
from shared.mail.encoded_words import ENCODED_WORD, decode_words

UNWANTED = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
"""Control characters that are not white space, and those that turn the text after them around."""
_RAW_JIS = re.compile(r"\x1b\$[@B][^\x1b]*+(?>(?:\x1b\$[@B][^\x1b]*+)*)(?:\x1b\([BJ])?")
_JIS_START = "\x1b$"
_LONE_SURROGATE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_MAX_MARKS = 30
"""Marks on one letter: UAX #15, Stream-Safe Text Format. Ordering more of them is quadratic."""
_MANY_MARKS = re.compile(rf"[^\w\s\x00-\x7f]{{{_MAX_MARKS + 1}}}")


def decode_text(value: str, hint: str = "") -> str:
    """Return unstructured text as a reader sees it. RFC 2047 section 6, RFC 6532 section 3.

    8-bit bytes outside of encoded words are UTF-8, else as the hint says, which is the label of
    another text of the mail. White space is folded to single spaces. NFC, but for more marks on a
    letter than any script has.
    """
    if value.isascii() and value.isprintable() and "=?" not in value:
        return " ".join(value.split())
    text = decode_words(decode_around_words(value, hint))
    text = " ".join(UNWANTED.sub("", text).split())
    if _MANY_MARKS.search(text):
        text = _with_fewer_marks(text)
    return unicodedata.normalize("NFC", text)


def decode_8bit(value: str) -> str:
    """Return a structured value with its 8-bit bytes decoded: UTF-8, else Windows-1252.

    Ids and addresses compare by it, so it depends on nothing else. Raw ISO-2022-JP is decoded, too:
    a byte of it that looks like a bracket is none.
    """
    if _JIS_START in value:
        value = _without_raw_jis(value)
    return value if value.isascii() else decode_bytes(raw_bytes(value))


def decode_around_words(value: str, hint: str = "") -> str:
    """Return text with its 8-bit bytes outside of encoded words decoded, as `decode_text` does."""
    if _JIS_START in value:
        value = _without_raw_jis(value)
    if value.isascii():
        return value
    value = _LONE_SURROGATE.sub("\ufffd", value)
    pieces: list[str] = []
    end = 0
    for word in ENCODED_WORD.finditer(value):
        pieces += _decoded(value[end : word.start()], hint), word[0]
        end = word.end()
    return "".join([*pieces, _decoded(value[end:], hint)])


def is_raw(value: str) -> bool:
    """Return whether a value has text that no encoded word and no parameter labels."""
    return not value.isascii() or _JIS_START in value


def _without_raw_jis(value: str) -> str:
    """Return text with its ISO-2022-JP outside of encoded words decoded."""
    words = [word.span() for word in ENCODED_WORD.finditer(value)]
    pieces: list[str] = []
    end = 0
    for start, after in [*words, (len(value), len(value))]:
        pieces += _RAW_JIS.sub(_of_jis, value[end:start]), value[start:after]
        end = after
    return "".join(pieces)


def _of_jis(written: re.Match[str]) -> str:
    try:
        return written[0].encode().decode("iso2022_jp_ext")
    except UnicodeError:
        return written[0]


def _decoded(text: str, hint: str) -> str:
    return text if text.isascii() else decode_raw(raw_bytes(text), hint)


def raw_bytes(text: str) -> bytes:
    """Return a value's bytes as they stood in the mail; characters become UTF-8."""
    return _LONE_SURROGATE.sub("\ufffd", text).encode("utf-8", "surrogateescape")


def _with_fewer_marks(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks <= _MAX_MARKS:
            kept.append(char)
    return "".join(kept)
