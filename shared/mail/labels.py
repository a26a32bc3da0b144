"""What the label of a character set means: the codec by which its text is read.

Labels in mail are written in many ways: `Cp1252`, `x-cp1251`, `windows1252`, `ANSI`, a code page's
number. Each stands for the superset that mailers meant (`gb2312` is read as GB 18030), and only for
a character set: Python's other codecs raise, stall or make lone surrogates.
"""

import re
from encodings import normalize_encoding
from encodings.aliases import aliases
from functools import lru_cache

UTF_7 = "utf_7"
"""Read by `shared.mail.utf_7`, never by Python's codec of that name."""
_MAX_LABEL = 60
_NO_CHARSETS = "base64_codec bz2_codec hex_codec mbcs quopri_codec rot_13 uu_codec zlib_codec"
_CODECS = {
    name: codec
    for name, codec in {**{codec: codec for codec in aliases.values()}, **aliases}.items()
    if codec not in _NO_CHARSETS.split()
} | {
    **{f"cp{page}": f"cp{page}" for page in (720, 737, 856, 874, 1006)},
    "ansi": "cp1252",
    "big5_eten": "big5hkscs",
    "cn_big5": "big5",
    "cn_gb": "gb18030",
    "cn_gb_isoir165": "gb18030",
    "csunicode11utf7": UTF_7,
    "eucjp_ms": "euc_jp",
    "eucjp_win": "euc_jp",
    "gb": "gb18030",
    "gb2312_80": "gb18030",
    "gb_2312": "gb18030",
    "gb_2312_80": "gb18030",
    "iso_8859_6_e": "iso8859_6",
    "iso_8859_6_i": "iso8859_6",
    "iso_8859_8_e": "iso8859_8",
    "iso_8859_8_i": "iso8859_8",
    "koi8": "koi8_r",
    "koi8_ru": "koi8_u",
    "koi8_u": "koi8_u",
    "mac": "mac_roman",
    "mac_ce": "mac_latin2",
    "sjis_win": "cp932",
    "utf8mb4": "utf_8",
    "utf_8_sig": "utf_8",
    "visual": "iso8859_8",
    "win_31j": "cp932",
    "windows31j": "cp932",
    "windows_31j": "cp932",
}
_NUMBERED = re.compile(
    r"(?:(?:cp|ms|win|windows|win_?dows|ibm|dos|oem|ansi|codepage|code_page)_?)*(\d{3,5})"
)
_PAGES = {
    **{"936": "gb18030", "950": "big5", "951": "big5hkscs", "54936": "gb18030", "52936": "hz"},
    **{"51932": "euc_jp", "51949": "euc_kr", "20932": "euc_jp", "50220": "iso2022_jp_ext"},
    **{"50221": "iso2022_jp_ext", "50222": "iso2022_jp_ext", "50225": "iso2022_kr"},
    **{"20866": "koi8_r", "21866": "koi8_u", "20127": "ascii", "10000": "mac_roman"},
    **{"65000": UTF_7, "65001": "utf_8", "1200": "utf_16_le", "1201": "utf_16_be"},
    **{str(28590 + number): f"iso8859_{number}" for number in (1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 15)},
}
_ISO = re.compile(r"(?:iso|is|i)?_?8859_?(\d{1,2})")
_LATIN = re.compile(r"(?:iso_)?latin_?(\d{1,2})")
_UTF = re.compile(r"(?:unicode_(?:1_1|2_0)_)?utf_?(7|8|16|32)(?:_?(le|be))?")
_SUPERSETS = {"latin_1": "cp1252", "gb2312": "gb18030", "gbk": "gb18030", "tis_620": "cp874"}
_SUPERSETS |= {"shift_jis": "cp932", "euc_kr": "cp949", "iso2022_jp": "iso2022_jp_ext"}
_NO_ASCII = ("utf_7", "utf_16", "utf_32", "iso2022", "hz", "utf_8", "cp037", "cp500", "cp1140")


def codec_of(label: str) -> str | None:
    """Return the codec that a label means, None if it names no character set that is known.

    A language behind an asterisk is no part of it: RFC 2231 section 5.
    """
    return _codec_of(label[:_MAX_LABEL])


@lru_cache(maxsize=256)
def _codec_of(label: str) -> str | None:
    name = normalize_encoding(label.partition("*")[0].strip(" \t'\"")).lower()
    name = name.strip("_")
    codec = _known(name)
    while codec is None and name.startswith(("x_", "cs")):
        name = name[2:].strip("_")
        codec = _known(name)
    return _SUPERSETS.get(codec, codec) if codec else None


def raw_codec_of(label: str) -> str | None:
    """Return the codec in which a mail with such a text may have raw 8-bit bytes in its header.

    None for UTF-8, which is tried in any case, and for codecs that write other text without them.
    """
    codec = codec_of(label)
    return codec if codec and codec != "ascii" and not codec.startswith(_NO_ASCII) else None


def _known(name: str) -> str | None:
    if name in _CODECS:
        return _CODECS[name]
    if found := _NUMBERED.fullmatch(name):
        number = found[1].lstrip("0")
        return _PAGES.get(number) or _CODECS.get(f"cp{number}")
    if found := _ISO.fullmatch(name) or _LATIN.fullmatch(name):
        prefix = "latin" if "latin" in name else "iso8859_"
        return _CODECS.get(f"{prefix}{int(found[1])}")
    if found := _UTF.fullmatch(name):
        return f"utf_{found[1]}" + (f"_{found[2]}" if found[2] else "")
    return None
