"""The parameters of Content-Type and Content-Disposition. RFC 2045, RFC 2183, RFC 2231."""

import re
from urllib.parse import unquote_to_bytes

from shared.mail.decoding import decode_bytes
from shared.mail.text import decode_8bit

_PARAMETER = re.compile(
    r';\s*+([^\s=;"*]++)(?:\*(\d{1,3}))?(\*)?\s*+=\s*+("(?>(?:[^"\\]++|\\.)*)"?|[^;"]*+)', re.DOTALL
)


def parameters(value: str) -> tuple[str, dict[str, str]]:
    """Return what stands before the first semicolon, lower case, and the parameters after it.

    RFC 2045 section 5.1, RFC 2183, and RFC 2231 sections 3 and 4 (continued and encoded values).
    Values are as written; file names may hold encoded words too (`decode_text`).
    """
    value = decode_8bit(value)
    found: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[bool, str]]] = {}
    for match in _PARAMETER.finditer(value):
        name, number, encoded, text = match.groups()
        if text.startswith('"'):
            text = re.sub(r'\\(["\\])', r"\1", text[1:].removesuffix('"'))
        if number or encoded:
            pieces.setdefault(name.lower(), {}).setdefault(int(number or 0), (bool(encoded), text))
        else:
            found.setdefault(name.lower(), text.strip())
    for name, numbered in pieces.items():
        found[name] = _joined([numbered[number] for number in sorted(numbered)])
    return value.partition(";")[0].strip().lower(), found


def _joined(pieces: list[tuple[bool, str]]) -> str:
    charset = ""
    if pieces[0][0] and pieces[0][1].count("'") >= 2:
        charset, _, first = pieces[0][1].split("'", 2)
        pieces = [(True, first), *pieces[1:]]
    data = [unquote_to_bytes(text) if encoded else text.encode() for encoded, text in pieces]
    return decode_bytes(b"".join(data), charset).strip()
