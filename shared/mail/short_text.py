"""The character set of a short text without a label: a file name, a subject, a name.

A detector needs sentences. A few words in a script other than Latin are recognised otherwise: all
their letters are of one script, most are its common ones, and capitals begin words. Western mail,
where 8-bit bytes stand between ASCII letters, is Windows-1252.
"""

import re
from functools import lru_cache
from itertools import pairwise

WESTERN = "cp1252"
_LEAST_BYTES, _MOST_BYTES = 4, 400
_LEAST_SHARE = 0.7
"""Of 8-bit bytes among the letters of their words."""
_LEAST_SCORE = 0.6
_WORD = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")
_CYRILLIC = ("\u0400-\u045f\u0490\u0491", "оеаинтсрвлкмдпуяызьбгю")
_ALPHABETS = {
    # codec: (letters, the common ones)
    "cp1251": _CYRILLIC,
    "koi8_r": _CYRILLIC,
    "cp1253": ("\u0386-\u03ce", "αοιετσνηυρπκμλγφάέήίόύώς"),
    "cp1255": ("\u05d0-\u05ea", "יולאהרמבתשנ"),
    "cp1256": ("\u0621-\u064a\u067e\u0686", "اليمنوتربةسد"),
    "cp874": ("\u0e01-\u0e4e", "านรอกเงมยลวดทส่ี้ัิ"),
}
_IDEOGRAPHS = {
    # codec: the bytes with which its common characters begin
    "cp949": (0xB0, 0xC8),
    "gb18030": (0xB0, 0xD7),
    "big5": (0xA4, 0xC6),
    "cp932": (0x82, 0x97),
    "euc_jp": (0xA4, 0xA5),
}


def guess(data: bytes) -> str:
    """Return the codec, Windows-1252 where nothing tells. Looks at the first 400 bytes."""
    return _guess(data[:_MOST_BYTES])


@lru_cache(maxsize=64)
def _guess(data: bytes) -> str:
    words = b" ".join(_WORD.findall(data))
    letters = len(words) - words.count(b" ")
    high = sum(byte > 127 for byte in words)
    if high < _LEAST_BYTES or high < _LEAST_SHARE * letters:
        return WESTERN
    scores = {codec: _of_alphabet(words, codec) for codec in _ALPHABETS}
    scores |= {codec: _of_ideographs(data, codec) for codec in _IDEOGRAPHS}
    best = max(scores, key=lambda codec: scores[codec])
    return best if scores[best] >= _LEAST_SCORE else WESTERN


def _of_alphabet(words: bytes, codec: str) -> float:
    """Return how likely this is: 0 when a letter is of another script or a capital is inside."""
    text = words.decode(codec, "replace")
    letters, common = _ALPHABETS[codec]
    if re.search(f"[^ A-Za-z{letters}]", text) or _has_capital_inside(text):
        return 0
    lower = text.replace(" ", "").lower()
    share = sum(lower.count(char) for char in common) / max(1, len(lower))
    return share + (0.2 if text.isupper() else 0.4)


def _has_capital_inside(text: str) -> bool:
    return any(one.islower() and other.isupper() for one, other in pairwise(text))


def _of_ideographs(data: bytes, codec: str) -> float:
    """Return the share of the characters that are common ones."""
    try:
        text = data.decode(codec)
    except UnicodeError:
        return 0
    first, last = _IDEOGRAPHS[codec]
    written = [char.encode(codec) for char in text if not char.isascii()]
    common = sum(len(char) == 2 and first <= char[0] <= last for char in written)
    return common / max(1, len(written))
