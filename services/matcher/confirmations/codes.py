"""The code that a user types in at the provider, distinguished from other numbers.

A date, a size, a sum, a telephone number, an IP address or a number within a word is no code. If
there are several different numbers, none counts, unless one stands out: after a colon or a number
sign, or at the edge of its line. In the subject a number sign is enough.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

_DIGITS = {
    ord(unicodedata.lookup(name)) + value: str(value)
    for name in (
        "FULLWIDTH DIGIT ZERO",
        "ARABIC-INDIC DIGIT ZERO",
        "EXTENDED ARABIC-INDIC DIGIT ZERO",
        "DEVANAGARI DIGIT ZERO",
        "BENGALI DIGIT ZERO",
        "THAI DIGIT ZERO",
    )
    for value in range(10)
}
_INVISIBLE = dict.fromkeys((0xAD, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F)))
_INVISIBLE |= dict.fromkeys(range(0x2060, 0x206A))
_PLAIN = {
    **_DIGITS,
    **_INVISIBLE,
    0xFF03: "#",
    0xFF08: "(",
    0xFF09: ")",
    0xFF1A: ":",
    0x3000: " ",
    0xA0: " ",
}

_IN_SUBJECT = re.compile(r"#\s?([0-9]{6,12})(?![0-9])")
_NUMBER = re.compile(r"(?<![\w.,+/-])[0-9]{6,12}+(?![\w/-]|[.,][0-9])", re.ASCII)
_UNIT = re.compile(
    r"[ \t]{0,3}(?:bytes?\b|octets?\b|[kmg]i?b\b|ko\b|байт|кб|バイト|字[节節]|位元組|바이트|بايت"
    r"|%|°|[€$£¥₹円元원]|(?:eur|usd|gbp|chf|cny|jpy)\b)",
    re.IGNORECASE,
)
_BEFORE_SUM = re.compile(r"(?:[€$£¥₹]|(?:eur|usd|gbp|chf|cny|jpy))\s{0,3}\Z", re.IGNORECASE)
_LABEL = re.compile(r"(?:^|[:#])[\s\"'*\[(<«“„「『_-]{0,10}\Z", re.MULTILINE)
_EDGE = re.compile(r"[\s\"'*\])>»”“」』_.!。।-]{0,10}(?:$|\Z)", re.MULTILINE)
_AROUND = 24
_IP = re.compile(
    r"(?<![\w.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\w.]?[0-9])"
    r"|(?<![\w:])(?:[0-9a-f]{1,4}:){4,7}",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Found:
    """A code."""

    code: str
    stands_out: bool


def plain(text: str) -> str:
    """Return a text with the digits and signs of ASCII, without invisible characters."""
    return text if text.isascii() else text.translate(_PLAIN)


def code_in_subject(subject: str, digits: tuple[int, int]) -> str | None:
    """Return the number of a subject, without addresses; None where it has none, or several."""
    if found := _IN_SUBJECT.search(subject):
        return found[1]
    numbers = {n.code for n in _numbers(subject, digits)}
    return numbers.pop() if len(numbers) == 1 else None


def find_code(texts: Iterable[str], digits: tuple[int, int], hint: str) -> Found | None:
    """Return the code in texts without addresses and URLs."""
    found = [number for text in texts for number in _numbers(text, digits)]
    if hint and any(number.code == hint for number in found):
        return Found(hint, stands_out=True)
    standing_out = {number.code for number in found if number.stands_out}
    numbers = standing_out or {number.code for number in found}
    return Found(next(iter(numbers)), bool(standing_out)) if len(numbers) == 1 else None


def names_ip_address(text: str) -> bool:
    """Return whether a text contains an IP address."""
    return _IP.search(text) is not None


def _numbers(text: str, digits: tuple[int, int]) -> Iterable[Found]:
    least, most = digits
    for found in _NUMBER.finditer(text):
        number = found[0]
        before = text[max(0, found.start() - _AROUND) : found.start()]
        after = text[found.end() : found.end() + _AROUND]
        if not least <= len(number) <= most or _is_date(number):
            continue
        if _UNIT.match(after) or _BEFORE_SUM.search(before):
            continue
        yield Found(number, bool(_LABEL.search(before) or _EDGE.match(after)))


def _is_date(number: str) -> bool:
    """Return whether a number of eight digits, or of ten with the hour, is a date of our time."""
    if len(number) not in (8, 10):
        return False
    year, month, day = number[:4], number[4:6], number[6:8]
    if _is_day(year, month, day):
        return len(number) == 8 or int(number[8:]) < 24
    if len(number) == 10:
        return False
    return any(
        _is_day(number[4:], *pair)
        for pair in ((number[:2], number[2:4]), (number[2:4], number[:2]))
    )


def _is_day(year: str, month: str, day: str) -> bool:
    return 1990 <= int(year) <= 2099 and 1 <= int(month) <= 12 and 1 <= int(day) <= 31
