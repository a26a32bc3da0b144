"""Bytes to text, by a label that may be wrong or unknown.

Rules:

* Text is what its label says; where that fails UTF-8; where that fails Windows-1252.
* A label names the superset that mailers meant (`gb2312` is read as GB 18030), and only a character
  set: Python's other codecs raise, stall or make lone surrogates.
"""

import binascii
import re
from collections.abc import Callable
from encodings import normalize_encoding
from encodings.aliases import aliases
from functools import lru_cache

_NO_CHARSETS = "base64_codec bz2_codec hex_codec mbcs quopri_codec rot_13 utf_7 uu_codec zlib_codec"
_ALIASES = {**{codec: codec for codec in aliases.values()}, **aliases}
_CODECS = {
    **{name: codec for name, codec in _ALIASES.items() if codec not in _NO_CHARSETS.split()},
    **{"koi8_u": "koi8_u", "windows_874": "cp874", "iso_8859_8_i": "iso8859_8"},
    **{"windows_31j": "cp932", "x_sjis": "cp932", "unicode_1_1_utf_8": "utf_8"},
}
_SUPERSETS = {"latin_1": "cp1252", "gb2312": "gb18030", "gbk": "gb18030", "tis_620": "cp874"}
_SUPERSETS |= {"shift_jis": "cp932", "euc_kr": "cp949", "iso2022_jp": "iso2022_jp_ext"}
_NOT_BASE64 = re.sub(rb"[A-Za-z0-9+/]", b"", bytes(range(256)))


def decode_bytes(
    data: bytes, label: str | None = None, otherwise: Callable[[bytes], str] = lambda _: "cp1252"
) -> str:
    """Return text in the character set of that label, else UTF-8, else what `otherwise` says.

    Text that is damaged in a few places stays in its character set, with U+FFFD in those places.
    """
    codecs = [codec for codec in (_codec((label or "")[:60]), "utf_8") if codec]
    for codec in codecs:
        try:
            return data.decode(codec)
        except UnicodeError:
            continue
    for codec in codecs:
        text = data.decode(codec, "replace")
        if 2 * text.count("\ufffd") <= len(text) - len(text.encode("ascii", "ignore")):
            return text
    return data.decode(otherwise(data), "replace")


@lru_cache(maxsize=256)
def _codec(label: str) -> str | None:
    codec = _CODECS.get(normalize_encoding(label.partition("*")[0].strip(" '\"")).lower())
    return _SUPERSETS.get(codec, codec) if codec else None


def decode_base64(data: bytes) -> bytes:
    """Return what base64 says, up to the first padding. RFC 2045 section 6.8.

    Characters outside the alphabet are skipped and missing padding is no error.
    """
    data = data.partition(b"=")[0].translate(None, _NOT_BASE64)
    return binascii.a2b_base64(data[: len(data) - (len(data) % 4 == 1)] + b"==")
