"""Bytes to text, by a label that may be wrong, unknown or missing.

A text is decoded by its label (`labels`), if that fails as UTF-8, and if that fails by the likely
character set. Nothing raises, and no text holds half a character.
"""

import binascii
import codecs
import re
from collections.abc import Callable

from shared.mail.labels import UTF_7, codec_of, raw_codec_of
from shared.mail.short_text import WESTERN, guess
from shared.mail.utf_7 import decode_utf_7

_NOT_BASE64 = re.sub(rb"[A-Za-z0-9+/]", b"", bytes(range(256)))

_WESTERN_LETTERS = bytes(range(256)).decode(WESTERN, "replace")
"""With U+FFFD for what is no letter: Python's `replace` takes ten times as long for those."""


def decode_bytes(
    data: bytes, label: str | None = None, otherwise: Callable[[bytes], str] = lambda _: "cp1252"
) -> str:
    """Return text in the character set of that label, else UTF-8, else what `otherwise` says.

    Text that is damaged in a few places stays in its character set, with U+FFFD in those places.
    """
    likely = [codec for codec in (codec_of(label or ""), "utf_8") if codec]
    if UTF_7 in likely:
        if data.isascii():
            return decode_utf_7(data)
        likely.remove(UTF_7)
    for codec in likely:
        try:
            return data.decode(codec)
        except UnicodeError:
            continue
    for codec in likely:
        text = data.decode(codec, "replace")
        if 2 * text.count("\ufffd") <= len(text) - len(text.encode("ascii", "ignore")):
            return text
    codec = otherwise(data)
    if codec == WESTERN:
        return codecs.charmap_decode(data, "strict", _WESTERN_LETTERS)[0]
    return data.decode(codec, "replace")


def decode_raw(data: bytes, hint: str = "") -> str:
    """Return 8-bit text that has no label of its own: UTF-8, else as the hint says, else a guess.

    The hint is the label of another text of the mail (`charset.charset_of_text`).
    """
    try:
        return data.decode()
    except UnicodeError:
        codec = raw_codec_of(hint)
        return decode_bytes(data, None if codec == WESTERN else codec, guess)


def decode_base64(data: bytes) -> bytes:
    """Return what base64 says, up to the first padding. RFC 2045 section 6.8.

    Characters outside the alphabet are skipped and missing padding is no error.
    """
    data = data.partition(b"=")[0].translate(None, _NOT_BASE64)
    return binascii.a2b_base64(data[: len(data) - (len(data) % 4 == 1)] + b"==")
