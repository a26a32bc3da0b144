"""Reading the header block of a mail, which anyone may have written.

Ingest, matcher and timeline must read the same mail the same way, so they read it here.

Rules:

* Nothing raises, whatever the bytes. Every function takes linear time.
* The block ends as the standard library's `compat32` ends it: at the first empty line (CRLF, LF or
  CR), or before the first line that is no header line. A header line without a name, a continuation
  of nothing and mbox's `From ` lines are skipped.
* At most 100 KiB or 1000 lines are read; what was cut is marked `truncated`, and the cut is made at
  the end of a line or at a comma, so that no address is ever half an address.
* Values are unfolded and otherwise as they came; 8-bit bytes are surrogate escapes in them, as the
  standard library has it. What the other functions return holds no surrogates and no control
  characters: it can be stored, logged and shown.
* Text is what its label says; where that fails UTF-8; where that fails Windows-1252. A label names
  the superset that mailers meant (`gb2312` is read as GB 18030), and only a character set: Python's
  other codecs raise, stall or make lone surrogates.
"""

import binascii
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_tz
from encodings import normalize_encoding
from encodings.aliases import aliases
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from shared.mail.address_list import Mailbox as Mailbox
from shared.mail.address_list import read_address_list

MAX_HEADER_BYTES = 100 * 1024
MAX_HEADER_LINES = 1000
MAX_MESSAGE_ID_BYTES = 250

_LINE = re.compile(rb"([^\r\n]*+)(?:\r\n|[\r\n]|\Z)")
_HEADER_LINE = re.compile(rb"From |[!-9;-~]*+:|[\t ]")
_EMPTY_LINE = re.compile(rb"(?:\r\n|\n|\r(?!\n)){2}")


@dataclass(frozen=True, slots=True)
class HeaderBlock:
    """The fields of a header block, in order."""

    fields: tuple[tuple[str, str], ...]
    """Names as written; values unfolded, not decoded."""
    truncated: bool
    """The block is longer than what was read of it."""
    body_start: int = 0
    """Where in the mail the body begins."""

    def all(self, name: str) -> list[str]:
        """Return the values of every field of that name, in any case."""
        name = name.lower()
        return [value for field, value in self.fields if field.lower() == name]

    def first(self, name: str) -> str | None:
        """Return the value of the first field of that name, in any case."""
        return next(iter(self.all(name)), None)


def read_header_block(raw: bytes) -> HeaderBlock:
    """Read the header block that a mail, or a part of one, begins with. RFC 5322 section 2.2."""
    bounded = raw
    if len(raw) > MAX_HEADER_BYTES:
        bounded = raw[:MAX_HEADER_BYTES]
        bounded = bounded[: max(bounded.rfind(end) for end in (b"\n", b"\r", b",")) + 1]
    fields: list[tuple[bytes, list[bytes]]] = []
    in_field, truncated, body_start = False, False, len(raw)
    for number, line in enumerate(_LINE.finditer(bounded)):
        text = line[1]
        at_end = line.start() == line.end()
        if at_end or (text and number == MAX_HEADER_LINES):
            truncated = not at_end or len(bounded) < len(raw)
            if truncated and (empty := _EMPTY_LINE.search(raw, max(0, line.start() - 2))):
                body_start = empty.end()
            break
        if not _HEADER_LINE.match(text):
            body_start = line.start() if text else line.end()
            break
        if not text.startswith((b" ", b"\t")):
            name, _, value = text.partition(b":")
            in_field = bool(name) and not text.startswith(b"From ")
            if in_field:
                fields.append((name, [value]))
        elif in_field:
            fields[-1][1].append(text)
    unfolded = (
        (name.decode("ascii"), b"".join(lines).strip(b"\t ").decode("ascii", "surrogateescape"))
        for name, lines in fields
    )
    return HeaderBlock(tuple(unfolded), truncated, body_start)


_NO_CHARSETS = "base64_codec bz2_codec hex_codec mbcs quopri_codec rot_13 utf_7 uu_codec zlib_codec"
_ALIASES = {**{codec: codec for codec in aliases.values()}, **aliases}
_CODECS = {
    **{name: codec for name, codec in _ALIASES.items() if codec not in _NO_CHARSETS.split()},
    **{"koi8_u": "koi8_u", "windows_874": "cp874", "iso_8859_8_i": "iso8859_8"},
    **{"windows_31j": "cp932", "x_sjis": "cp932", "unicode_1_1_utf_8": "utf_8"},
}
_SUPERSETS = {"latin_1": "cp1252", "gb2312": "gb18030", "gbk": "gb18030", "tis_620": "cp874"}
_SUPERSETS |= {"shift_jis": "cp932", "euc_kr": "cp949", "iso2022_jp": "iso2022_jp_ext"}

_ENCODED_WORD = re.compile(
    r"=\?([^?=\s]{1,60}+)\?([bBqQ])\?((?>(?:[^?=]++|=(?!\?(?!=))|\?(?!=))*))\?="
)
"""Neither `=?` nor `?=` is inside one: no character is looked at for two words."""
_NOT_BASE64 = re.sub(rb"[A-Za-z0-9+/]", b"", bytes(range(256)))
_LONE_SURROGATE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
"""Control characters that are not white space, and those that turn the text after them around."""
_MAX_MARKS = 30
"""Marks on one letter: UAX #15, Stream-Safe Text Format. Ordering more of them is quadratic."""
_MANY_MARKS = re.compile(rf"[^\w\s\x00-\x7f]{{{_MAX_MARKS + 1}}}")


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


def decode_text(value: str) -> str:
    """Return unstructured text as a reader sees it. RFC 2047 section 6, RFC 6532 section 3.

    Encoded words are decoded, those in a row together (a character may be split between them).
    White space is folded to single spaces. NFC, but for more marks on a letter than any script has.
    """
    if value.isascii() and value.isprintable() and "=?" not in value:
        return " ".join(value.split())
    text = _decode_words(_decode_8bit(value))
    text = " ".join(_UNWANTED.sub("", text).split())
    if _MANY_MARKS.search(text):
        text = _with_fewer_marks(text)
    return unicodedata.normalize("NFC", text)


def _decode_8bit(value: str) -> str:
    if value.isascii():
        return value
    return decode_bytes(_LONE_SURROGATE.sub("\ufffd", value).encode("utf-8", "surrogateescape"))


def _decode_words(text: str) -> str:
    pieces: list[str] = []
    row: list[bytes] = []
    row_charset, end = "", 0
    for word in _ENCODED_WORD.finditer(text):
        charset, encoding, content = word[1].lower(), word[2], word[3].encode()
        gap = text[end : word.start()]
        between_words = end > 0 and not gap.strip()
        if not between_words or charset != row_charset:
            pieces += decode_bytes(b"".join(row), row_charset), "" if between_words else gap
            row = []
        is_base64 = encoding in "bB"
        row.append(decode_base64(content) if is_base64 else binascii.a2b_qp(content, header=True))
        row_charset, end = charset, word.end()
    return "".join([*pieces, decode_bytes(b"".join(row), row_charset), text[end:]])


def _with_fewer_marks(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks <= _MAX_MARKS:
            kept.append(char)
    return "".join(kept)


_COMMENT_TOKEN = re.compile(r"\\.|[()<]|[^\\()<]++|\\", re.DOTALL)
_PARAMETER = re.compile(
    r';\s*+([^\s=;"*]++)(?:\*(\d{1,3}))?(\*)?\s*+=\s*+("(?>(?:[^"\\]++|\\.)*)"?|[^;"]*+)', re.DOTALL
)


def addresses(values: Iterable[str]) -> list[Mailbox]:
    """Return the mailboxes of address-list fields, names decoded. RFC 5322 section 3.4."""
    return [
        Mailbox(decode_text(mailbox.name), mailbox.address) if mailbox.name else mailbox
        for value in values
        for mailbox in read_address_list(_decode_8bit(value))
    ]


def parse_date(value: str | None) -> datetime | None:
    """Return a date in UTC, None if it is unreadable or not of the years 1970 to 2100.

    RFC 5322 section 3.3 with the obsolete forms of section 4.3. An unknown zone is UTC.
    """
    text = " ".join(_without_comments((value or "")[:1000]).split())
    try:
        read = parsedate_tz(re.sub(" ?: ?", ":", text.replace(" ,", ",")))
        if read is None:
            return None
        year = read[0] + 1900 if 100 <= read[0] < 1000 else read[0]
        second = min(read[5], 59)  # a leap second
        zone = timedelta(seconds=read[9] or 0)
        date = datetime(year, *read[1:5], second, tzinfo=UTC)
        date -= zone if abs(zone) < timedelta(days=1) else timedelta()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date if 1970 <= date.year <= 2100 else None


def message_id(block: HeaderBlock) -> str | None:
    """Return the first Message-ID without its brackets and white space. RFC 5322 section 3.6.4.

    Comments around it are skipped; without brackets it is the first word. None if there is none, or
    if it is longer than 250 bytes: such a mail is known by its content.
    """
    text = _decode_8bit(block.first("Message-ID") or "")
    outside, bracket, inside = _without_comments(text, until="<").partition("<")
    found = inside if bracket else next(iter(outside.split()), "")
    found = _UNWANTED.sub("", "".join(found.partition(">")[0].split())).lstrip("<")
    return found if 0 < len(found.encode()) <= MAX_MESSAGE_ID_BYTES else None


_BRACKETED = re.compile(r"<([^<>]*+)>")


def message_ids(value: str) -> list[str]:
    """Return the ids in an In-Reply-To or References field, as `message_id` returns its own.

    RFC 5322 section 3.6.4; without any brackets, the words with an `@`. Those that are longer than
    250 bytes are left out.
    """
    text = _decode_8bit(value)
    written = _BRACKETED.findall(text) or [word for word in text.split() if "@" in word]
    found = (_UNWANTED.sub("", "".join(id_.split())) for id_ in written)
    return [id_ for id_ in found if 0 < len(id_.encode()) <= MAX_MESSAGE_ID_BYTES]


def parameters(value: str) -> tuple[str, dict[str, str]]:
    """Return what stands before the first semicolon, lower case, and the parameters after it.

    RFC 2045 section 5.1, RFC 2183, and RFC 2231 sections 3 and 4 (continued and encoded values).
    Values are as written; file names may hold encoded words too (`decode_text`).
    """
    value = _decode_8bit(value)
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


def _without_comments(text: str, until: str = "") -> str:
    """Return the text outside of comments; all that follows `until` is outside of them."""
    kept: list[str] = []
    depth = 0
    for token in _COMMENT_TOKEN.finditer(text):
        if token[0] == "(":
            depth += 1
        elif token[0] == ")":
            depth = max(0, depth - 1)
        elif not depth:
            if token[0] == until:
                return "".join([*kept, text[token.start() :]])
            kept.append(token[0])
    return "".join(kept)
