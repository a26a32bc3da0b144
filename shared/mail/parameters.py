"""The parameters of Content-Type and Content-Disposition. RFC 2045, RFC 2183, RFC 2231."""

import re
from dataclasses import dataclass, field
from itertools import islice
from urllib.parse import unquote_to_bytes

from shared.mail.decoding import decode_bytes
from shared.mail.text import decode_8bit, raw_bytes

_PARAMETER = re.compile(
    r';\s*+([^\s=;"*]++)(?:\*(\d{1,3}))?(\*)?\s*+=\s*+("(?>(?:[^"\\]++|\\.)*)"?|[^;"]*+)', re.DOTALL
)
_MAX_PARAMETERS = 1000
"""Of one field; what comes after them is left out."""
_ESCAPED = re.compile(r'\\(["\\])')

Piece = tuple[bool, str]
"""Whether a piece of a value is percent-encoded, and its text."""


@dataclass(frozen=True, slots=True)
class Written:
    """Parameters as they are written, by their names in lower case."""

    plain: dict[str, str] = field(default_factory=dict)
    in_pieces: dict[str, list[Piece]] = field(default_factory=dict)
    """Continued or percent-encoded, in order. RFC 2231 sections 3 and 4."""


def parameters(value: str) -> tuple[str, dict[str, str]]:
    """Return what stands before the first semicolon, lower case, and the parameters after it.

    RFC 2045 section 5.1, RFC 2183, and RFC 2231 sections 3 and 4 (continued and encoded values).
    Values are as written. For the name of a file see `file_names`.
    """
    if ";" not in value and value.isascii():
        return value.strip().lower(), {}
    value = decode_8bit(value)
    written = read_parameters(value) if ";" in value else Written()
    joined = {name: _joined(pieces) for name, pieces in written.in_pieces.items()}
    return value.partition(";")[0].strip().lower(), written.plain | joined


def read_parameters(value: str) -> Written:
    """Return the parameters in a field's value, the first of each name."""
    plain: dict[str, str] = {}
    numbered: dict[str, dict[int, Piece]] = {}
    for match in islice(_PARAMETER.finditer(value), _MAX_PARAMETERS):
        name, number, encoded, text = match.groups()
        if text.startswith('"'):
            text = text[1:].removesuffix('"')
            if "\\" in text:
                text = _ESCAPED.sub(r"\1", text)
        if number or encoded:
            pieces = numbered.setdefault(name.lower(), {})
            pieces.setdefault(int(number or 0), (bool(encoded), text))
        else:
            plain.setdefault(name.lower(), text.strip())
    if not numbered:
        return Written(plain)
    in_pieces = {
        name: [pieces[number] for number in sorted(pieces)] for name, pieces in numbered.items()
    }
    return Written(plain, in_pieces)


def joined_bytes(pieces: list[Piece]) -> tuple[bytes, str]:
    """Return the bytes of a value in pieces, and the label that it begins with, empty if none."""
    label = ""
    if pieces[0][0] and pieces[0][1].count("'") >= 2:
        label, _, first = pieces[0][1].split("'", 2)
        pieces = [(True, first), *pieces[1:]]
    written = ((encoded, raw_bytes(text)) for encoded, text in pieces)
    return b"".join(unquote_to_bytes(d) if encoded else d for encoded, d in written), label


def _joined(pieces: list[Piece]) -> str:
    return decode_bytes(*joined_bytes(pieces)).strip()
