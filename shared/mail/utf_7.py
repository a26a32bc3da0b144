"""UTF-7, as Exchange and old Outlook write it if configured so. RFC 2152.

Own code: the standard library's codec lets lone surrogates through and raises on a plain `+`.
Nothing is guessed: a text is in UTF-7 only if its label says so. A `+` that begins no characters
stands for itself, half a character becomes U+FFFD. Time is linear.
"""

import binascii
import re

_SHIFTED = re.compile(r"\+([A-Za-z0-9+/]*+)-?")
_VALUES = {
    char: value
    for value, char in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
}


def decode_utf_7(data: bytes) -> str:
    """Return the text. Raises UnicodeError for 8-bit bytes, which no UTF-7 has."""
    return _SHIFTED.sub(_unshifted, data.decode("ascii"))


def _unshifted(shifted: re.Match[str]) -> str:
    encoded = shifted[1]
    if not encoded:
        return "+"
    units, spare = divmod(6 * len(encoded), 16)
    if not units or spare >= 6 or _VALUES[encoded[-1]] & ((1 << spare) - 1):
        return shifted[0]
    data = binascii.a2b_base64(encoded.encode() + b"==")
    return data[: 2 * units].decode("utf-16-be", "replace")
