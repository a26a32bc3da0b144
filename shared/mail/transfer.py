"""Undoing the transfer encoding of a part: base64, quoted-printable, uuencode. RFC 2045 section 6.

Rules:

* Nothing raises. Time is linear, and what cannot be decoded is reported.
* Programs encode piece by piece, so padding also stands in the middle: each piece is decoded.
* Gateways and mailing lists put plain lines before or after base64. In a text these lines stay as
  they are. In a file they are left out: the bytes are those of the pieces.
* A name of an encoding is read whatever its case, comments, quotes and punctuation.
"""

import binascii
import re
from functools import lru_cache

_MIN_LINES, _LINE_BYTES = 10_000, 32
"""So many lines are decoded one by one, and one more for every so many bytes."""
_SPACE = b" \t\r\n"
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOISE = bytes(byte for byte in range(256) if byte not in _ALPHABET + b"=")
_LINE = re.compile(rb"[^\r\n]+")
_PIECE = re.compile(rb"([^=]*+)(=*+)")
_WORD = re.compile(rb"[A-Z]?[a-z]{1,23}|[A-Z]{1,24}")
_LONG = 60
"""Characters; so long a line without anything else in it is base64."""
_SOFT_BREAK = re.compile(rb"=[ \t]*+(?:\r\n?|\n|\Z)")
_COMMENT = re.compile(r"\([^()]*\)")
_UU_BEGIN = re.compile(rb"(?:\A|[\r\n])begin [0-7]{3,4} ([^\r\n]{0,255})[^\r\n]*+(?:\r\n?|\n|\Z)")


@lru_cache(maxsize=256)
def encoding_of(value: str) -> str:
    """Return an encoding's name without case, comments and punctuation: `quotedprintable`."""
    name = _COMMENT.sub("", value[:200]).partition(";")[0]
    return re.sub("[^a-z0-9]", "", name.lower())


def decode_body(data: bytes, encoding: str, *, is_text: bool) -> tuple[bytes, bool]:
    """Return a part's content, and whether that is all of it. `encoding` as `encoding_of` has it.

    An unknown encoding changes nothing. RFC 2045 section 6.4.
    """
    if encoding == "base64":
        return decode_base64(data, is_text=is_text)
    if encoding == "quotedprintable":
        return binascii.a2b_qp(_SOFT_BREAK.sub(b"", data)), True
    if encoding in ("xuuencode", "uuencode", "xuue", "uue"):
        return _decode_uu(data)
    return data, True


def decode_base64(data: bytes, *, is_text: bool) -> tuple[bytes, bool]:
    """Return what a base64 body holds, and whether that is all of it. RFC 2045 section 6.8.

    Characters outside the alphabet are skipped; missing padding is no error. A character that is
    left over cannot be decoded.
    """
    characters = data.translate(None, _SPACE)
    try:
        return binascii.a2b_base64(characters, strict_mode=True), True
    except binascii.Error:
        characters = characters.rstrip(b"=")
    if not characters.translate(None, _ALPHABET):
        return _decode_characters(characters)
    pieces = _Pieces(data, is_text=is_text)
    pieces.read()
    if not pieces.found and not is_text:
        return data, True  # the label is wrong: nothing here is base64
    return b"".join(pieces.found), pieces.whole


def _decode_characters(characters: bytes) -> tuple[bytes, bool]:
    left_over = len(characters) % 4 == 1
    characters = characters[: len(characters) - left_over]
    return binascii.a2b_base64(characters + b"=="), not left_over


class _Pieces:
    """The pieces of a base64 body, and the plain lines around them."""

    def __init__(self, data: bytes, *, is_text: bool) -> None:
        self.found: list[bytes] = []
        self.whole = True
        self._data, self._is_text = data, is_text
        self._characters: list[bytes] = []  # of the piece that has not ended yet
        self._is_padded = False  # the last piece has ended
        self._plain_from = -1  # where plain lines begin, -1 outside of them

    def read(self) -> None:
        """Read all lines, or as many as are read one by one."""
        left = _MIN_LINES + len(self._data) // _LINE_BYTES
        for match in _LINE.finditer(self._data):
            if not left:
                self.whole = False
                break
            left -= 1
            line = match[0].strip(b" \t")
            if line:
                left = self._read_line(line, match.start(), left)
        self._end_piece()
        self._end_plain(len(self._data))

    def _read_line(self, line: bytes, start: int, left: int) -> int:
        """Read a line; return how many lines and pieces may still be read."""
        characters = line.translate(None, _NOISE)
        if self._is_plain(line, characters):
            if self._plain_from < 0:
                self._end_piece()
                self._plain_from = start
            return left
        self._end_plain(start)
        for piece in _PIECE.finditer(characters):
            if not left:
                break
            if piece[1]:
                left -= self._is_padded and piece.start() > 0  # the line itself is counted
                self._characters.append(piece[1])
                self._is_padded = False
            if piece[2]:
                self._end_piece()
                self._is_padded = True
        return left

    def _is_plain(self, line: bytes, characters: bytes) -> bool:
        """Return whether a person or a program wrote the line to be read as it is."""
        noise = len(line) - len(characters)
        if self._plain_from >= 0:
            return bool(noise) or len(line) < _LONG or len(line.rstrip(b"=")) % 4 == 1
        if self._is_padded:
            return noise > (len(line) >= _LONG) or _WORD.fullmatch(line) is not None
        return noise > max(1, len(line) // 20)

    def _end_piece(self) -> None:
        if self._characters:
            decoded, whole = _decode_characters(b"".join(self._characters))
            self._characters.clear()
            self.found.append(decoded)
            self.whole = self.whole and whole

    def _end_plain(self, end: int) -> None:
        if self._plain_from >= 0 and self._is_text:
            separator = b"\n" if self.found else b""
            self.found.append(separator + self._data[self._plain_from : end])
        self._plain_from = -1


def uu_name(data: bytes) -> bytes:
    """Return the file name in the first line of uuencoded data, empty if there is none."""
    begin = _UU_BEGIN.search(data[:8192])
    return begin[1] if begin else b""


def _decode_uu(data: bytes) -> tuple[bytes, bool]:
    """Return what stands between `begin` and `end`, and whether that is all of it."""
    begin = _UU_BEGIN.search(data)
    if begin is None:
        return data, True
    found: list[bytes] = []
    left = _MIN_LINES + len(data) // _LINE_BYTES
    whole = True
    for match in _LINE.finditer(data, begin.end()):
        if match[0].rstrip() == b"end":
            return b"".join(found), whole
        if not left:
            break
        left -= 1
        line_whole = _decode_uu_line(match[0], found)
        whole = whole and line_whole
    return b"".join(found), False


def _decode_uu_line(line: bytes, found: list[bytes]) -> bool:
    """Append what a line holds; return whether it could be decoded."""
    size = (line[0] - 32) & 63
    for encoded in (line, line[: (size * 4 + 5) // 3]):  # some programs append a checksum
        try:
            found.append(binascii.a2b_uu(encoded))
        except binascii.Error:
            continue
        return True
    return False
