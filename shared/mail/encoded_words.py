"""Encoded words, and the rows in which they stand. RFC 2047, language tags by RFC 2231 section 5.

Rules:

* Words in a row, with nothing but white space between, are one text where their character set
  agrees: a character may be split between them. Where the encoding agrees too, the encoded text may
  be cut anywhere, as many mailers do it. Words that are each complete are decoded each on its own.
* The bytes of a word are decoded once, by its label. Raw 8-bit bytes in one are UTF-8 where they
  can be, since transcoding relays write them so.
* Anything that is not written as a word stays as it is.
"""

import binascii
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.mail.decoding import decode_bytes
from shared.mail.labels import UTF_7, codec_of

ENCODED_WORD = re.compile(
    r"=\?([^?=\s]{1,60}+)\?([bBqQ])\?((?>(?:[^?=]++|=(?!\?(?!=))|\?(?!=))*))\?="
)
"""Neither `=?` nor `?=` is inside one: no character is looked at for two words."""
_NOT_BASE64 = re.sub(rb"[A-Za-z0-9+/=]", b"", bytes(range(256)))
_ESCAPE_CUT = re.compile(rb"=[0-9A-Fa-f]?\Z")
_SPARE_BITS = {0: b"", 2: b"AQgw", 3: b"AEIMQUYcgkosw048"}
"""What the last character of base64 may be, by the number of characters in the last group."""
_SURROGATE = re.compile("[\udc80-\udcff]")


@dataclass(slots=True)
class Row:
    """Words in a row, of one character set."""

    label: str
    start: int
    end: int
    words: list[tuple[str, str]] = field(default_factory=list)
    """The encoding, `b` or `q`, and the encoded text."""

    def decoded(self) -> str:
        """Return their text."""
        runs: list[tuple[str, list[bytes]]] = []
        has_raw = False
        for encoding, content in self.words:
            if content.isascii():
                data = content.encode()
            else:
                data = _bytes_of(content, self.label)
                has_raw = has_raw or _SURROGATE.search(content) is not None
            if runs and runs[-1][0] == encoding:
                runs[-1][1].append(data)
            else:
                runs.append((encoding, [data]))
        decoded = [_DECODE[encoding](contents, self.label) for encoding, contents in runs]
        return _text(b"".join(decoded), self.label, has_raw=has_raw)


def rows(text: str) -> Iterator[Row]:
    """Yield the rows of encoded words in a text, in order."""
    row: Row | None = None
    for word in ENCODED_WORD.finditer(text):
        label = word[1].partition("*")[0].lower()
        if row is None or not _continues(row, label, text[row.end : word.start()]):
            if row is not None:
                yield row
            row = Row(label, word.start(), word.end())
        row.words.append((word[2].lower(), word[3]))
        row.end = word.end()
    if row is not None:
        yield row


def decode_words(text: str) -> str:
    """Return the text with its encoded words decoded. White space between two words goes."""
    pieces: list[str] = []
    end = 0
    for row in rows(text):
        gap = text[end : row.start]
        pieces += "" if end and not gap.strip() else gap, row.decoded()
        end = row.end
    return "".join([*pieces, text[end:]])


def _continues(row: Row, label: str, gap: str) -> bool:
    if gap.strip():
        return False
    return label == row.label or codec_of(label) == codec_of(row.label) is not None


def _bytes_of(content: str, label: str) -> bytes:
    """Return the bytes that stand in a word; text that is decoded already goes back to its own."""
    if not content.isascii() and not _SURROGATE.search(content):
        try:
            return content.encode(codec_of(label) or "utf-8")
        except UnicodeError:
            pass
    return content.encode("utf-8", "surrogateescape")


def _text(data: bytes, label: str, *, has_raw: bool) -> str:
    if has_raw and _is_single_byte(label):
        try:
            return data.decode()
        except UnicodeError:
            pass
    return decode_bytes(data, label)


def _is_single_byte(label: str) -> bool:
    codec = codec_of(label)
    return codec is None or codec.startswith(("cp12", "iso8859", "koi8", "mac", "ascii", "cp8"))


def _decode_q(contents: list[bytes], label: str) -> bytes:
    """Decode words in Q; an escape may be cut between two. RFC 2047 section 4.2."""
    if len(contents) == 1:
        return binascii.a2b_qp(contents[0], header=True)
    alone = b"".join(binascii.a2b_qp(content, header=True) for content in contents)
    if not any(_ESCAPE_CUT.search(content) for content in contents[:-1]):
        return alone
    joined = binascii.a2b_qp(b"".join(contents), header=True)
    return joined if _fits(joined, label) else alone


def _decode_b(contents: list[bytes], label: str) -> bytes:
    """Decode words in B; the base64 text may be cut anywhere. RFC 2047 section 4.1."""
    texts = [content.translate(None, _NOT_BASE64) for content in contents]
    stripped = [text.rstrip(b"=") for text in texts]
    is_aligned = not any(len(text) % 4 for text in stripped[:-1])
    if is_aligned and not any(b"=" in text for text in stripped):  # as it should be
        return _decode_base64(b"".join(stripped))
    joined = b"".join(_joined(texts))
    if not all(_is_complete(text, len(text)) for text in stripped):
        return joined
    alone = b"".join(piece for text in texts for piece in _joined([text]))
    return joined if alone == joined else _likelier(alone, joined, label)


_DECODE = {"b": _decode_b, "q": _decode_q}


def _joined(texts: list[bytes]) -> Iterator[bytes]:
    """Decode base64 that was cut; padding ends a piece only where the piece is complete."""
    pending: list[bytes] = []
    length = 0
    for text in texts:
        for piece in re.findall(rb"[^=]++=*+|=++", text):
            chars = piece.rstrip(b"=")
            pending.append(chars)
            length += len(chars)
            padding = len(piece) - len(chars)
            is_padded = padding and (length + padding) % 4 == 0 and _is_complete(chars, length)
            if is_padded or length % 4 == 0:
                yield _decode_base64(b"".join(pending))
                pending, length = [], 0
    yield _decode_base64(b"".join(pending))


def _is_complete(text: bytes, length: int) -> bool:
    """Return whether base64 of that length can end with this text: no bits are left over."""
    last = _SPARE_BITS.get(length % 4)
    return last is not None and (not last or text[-1:] in last)


def _decode_base64(text: bytes) -> bytes:
    return binascii.a2b_base64(text[: len(text) - (len(text) % 4 == 1)] + b"==")


def _fits(data: bytes, label: str) -> bool:
    return "\ufffd" not in _as_labelled(data, label)


def _likelier(one: bytes, other: bytes, label: str) -> bytes:
    """Return the bytes that are text in the label's character set, the first when both are."""
    return min((one, other), key=lambda data: _strangeness(_as_labelled(data, label)))


def _as_labelled(data: bytes, label: str) -> str:
    codec = codec_of(label) or "utf_8"
    return decode_bytes(data, label) if codec == UTF_7 else data.decode(codec, "replace")


def _strangeness(text: str) -> float:
    strange = sum(char == "\ufffd" or unicodedata.category(char)[0] == "C" for char in text)
    odd = sum(not char.isascii() and unicodedata.category(char)[0] == "S" for char in text)
    return strange + odd / 4
