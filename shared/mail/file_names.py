"""The file name of a part, as its sender meant it.

Names come in every form that some program ever understood: percent-encoded with a label (RFC 2231),
percent-encoded without one, as encoded words (RFC 2047, which forbids it), as raw 8-bit bytes, in
`filename` of Content-Disposition and in `name` of Content-Type. The first form that can be decoded
wins, in the order of that standard.
"""

import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote_to_bytes

from shared.mail.decoding import decode_bytes
from shared.mail.header_block import HeaderBlock
from shared.mail.labels import codec_of
from shared.mail.parameters import Piece, joined_bytes, read_parameters
from shared.mail.text import decode_around_words, decode_text, is_raw, raw_bytes

_ESCAPED_8BIT = re.compile(r"%[89A-Fa-f][0-9A-Fa-f]")
_LABELLED = re.compile(r"([\w.:-]{1,40})'[A-Za-z0-9-]{0,20}'(.*)", re.DOTALL)
_DAMAGE = re.compile(r"\ufffd|\?\?|=\?[^?\s]{1,60}\?[bqBQ]\?")
"""Characters that somebody could not decode, or the rest of an encoded word."""

_Named = tuple[int, str]
"""How sure a name is (0 sure, 1 a guess, 2 damaged), and the name."""


def file_name(header: HeaderBlock, hint: Callable[[], str] = str) -> str:
    """Return the name of a part's file, empty if it has none.

    RFC 2183 section 2.3, RFC 2231 sections 3 and 4. The hint is asked for names in raw 8-bit
    bytes: the label of another text of the mail (`charset.charset_of_text`).
    """
    named = [
        *_names(header.first("Content-Disposition") or "", "filename", hint),
        *_names(header.first("Content-Type") or "", "name", hint),
    ]
    return min((name for name in named if name[1]), key=lambda name: name[0], default=(0, ""))[1]


def _names(value: str, parameter: str, hint: Callable[[], str]) -> Iterator[_Named]:
    """Yield the names that a field's value gives, the best form first."""
    if parameter not in value.lower():
        return
    has_raw = is_raw(value)
    label = hint() if has_raw and not _is_utf_8(value) else ""
    written = read_parameters(value)
    if pieces := written.in_pieces.get(parameter):
        yield _ranked(*_of_pieces(pieces, label))
    if has_raw:
        written = read_parameters(decode_around_words(value, label))
    if plain := written.plain.get(parameter):
        is_sure = not has_raw or bool(label) or _is_utf_8(value)
        yield _ranked(is_sure, decode_text(_unescaped(plain), label))


def _ranked(is_sure: bool, name: str) -> _Named:
    return (2 if _DAMAGE.search(name) else int(not is_sure)), name


def _of_pieces(pieces: list[Piece], hint: str) -> tuple[bool, str]:
    """Return whether a name in pieces says what it is, and the name."""
    if not any(encoded for encoded, _ in pieces):  # encoded words may be cut between pieces
        text = "".join(text for _, text in pieces)
        return bool(hint) or _is_utf_8(text), decode_text(_unescaped(text), hint)
    data, label = joined_bytes(pieces)
    if not label and hint and not _is(data, "utf_8"):
        label = hint
    codec = codec_of(label) or "utf_8"
    return _is(data, codec), decode_text(decode_bytes(data, label))


def _unescaped(name: str) -> str:
    """Undo percent encoding where nothing announces it, but the text leaves no doubt."""
    labelled = _LABELLED.fullmatch(name)
    if labelled and codec_of(labelled[1]):
        return decode_bytes(_unquoted(labelled[2]), labelled[1])
    if _ESCAPED_8BIT.search(name):
        data = _unquoted(name)
        return data.decode() if _is(data, "utf_8") else name
    return name


def _unquoted(text: str) -> bytes:
    return unquote_to_bytes(raw_bytes(text))


def _is_utf_8(text: str) -> bool:
    return _is(raw_bytes(text), "utf_8")


def _is(data: bytes, codec: str) -> bool:
    try:
        data.decode(codec)
    except UnicodeError:
        return False
    return True
