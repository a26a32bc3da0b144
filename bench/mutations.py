"""Mutated mails, each known by a seed and a number: the same pair is the same mail again.

A mail of `tests/mail`, or a small crafted structure, is changed in one to eight places by what
follows. A replay needs the mails as they were: the names and the bytes of all seeds count.
"""

import base64
import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.structures import STRUCTURES

MAILS = Path(__file__).parent.parent / "tests" / "mail"
MAX_BYTES = 200_000
"""No repetition makes a mail longer than that."""
_REAL = 0.7
"""The share of those that are made from a mail of `tests/mail`."""
_CHARSETS = (
    *("utf-8", "utf-7", "utf-16", "utf-16le", "utf-32", "utf-8-sig", "us-ascii", "macintosh"),
    *("iso-8859-1", "iso-8859-8-i", "windows-1252", "windows-1256", "koi8-r", "cp437", "big5"),
    *("gb2312", "gb18030", "shift_jis", "euc-jp", "euc-kr", "iso-2022-jp", "iso-2022-kr", "hz"),
    *("punycode", "idna", "unicode_escape", "rot13", "base64", "zlib", '""', "x", "?"),
)
_ENCODINGS = ("base64", "quoted-printable", "7bit", "8bit", "binary", "x-uuencode", "BASE64;x", "")
_PIECES = (
    *(b"\0", b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\n\n", b"\t", b" ", b"\x85", b"\xff", b"\xc3"),
    *(b"\xed\xa0\x80", b"\xed\xb0\x80", b"\xf0\x9f\x92", b"\xef\xbb\xbf", b"\xe2\x80\xae", b"\x1b"),
    *(b"\x1b$B", b"~{", b"=?utf-8?b?", b"=?gb2312?q?=A1?=", b"?=", b"=?", b"=", b"=\r\n", b"=3D"),
    *(b'"', b"\\", b"(", b")", b"<", b">", b"<>", b"@", b"@@", b":", b";", b",", b"--", b"----"),
    *(b"&#0;", b"&#xd800;", b"&#x1f600;", b"&nbsp;", b"&lt;b&gt;", b"<!--", b"-->", b"<![CDATA["),
    *(b"<script>", b"</p>", b"<a href=", b"<img src=cid:", b"<table><td>", b"<style>", b"<svg>"),
    *(b"<b>", b"<blockquote type=cite>", b"<p title='", b"<base href=//x>", b"<plaintext>"),
    *(b"\nFrom: a@b\n", b"\nDate: 1 Jan 2026 10:00\n", b"\nOn 1.1.2026 10:00 a@b wrote:\n"),
    *(
        b"\n> ",
        b"\n-- \n",
        b"-----Original Message-----\n",
        b"---------- Forwarded message ---------\n",
    ),
    *(b"BEGIN:VEVENT\n", b"END:VEVENT\n", b"TZID=", b"DTSTART:99999999T999999Z\n", b"RRULE:"),
    *(b"charset*0*=", b"filename*1*=''%00%ff", b"boundary=", b"multipart/mixed;", b"xn--a-.b"),
)
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_CHARSET = re.compile(rb"charset=\"?[\w-]*", re.IGNORECASE)
_ENCODING = re.compile(rb"(?<=ransfer-Encoding: )[\w-]*", re.IGNORECASE)
_BOUNDARY = re.compile(rb"^--[^\n]*|boundary=\"?[^\"\s;]*", re.MULTILINE)
_BASE64 = re.compile(rb"^[A-Za-z0-9+/]{20,}=*\r?$", re.MULTILINE)
_TAG = re.compile(rb"</?[a-z][^<>\n]{0,200}>", re.IGNORECASE)

Mutation = Callable[[bytearray, random.Random, Sequence[bytes]], None]


def _at(raw: bytearray, chance: random.Random) -> int:
    return chance.randrange(len(raw) + 1)


def _lines(raw: bytearray) -> list[bytes]:
    return _LINE.findall(raw)


def _replace_one(
    raw: bytearray, chance: random.Random, pattern: re.Pattern[bytes], by: Callable[[bytes], bytes]
) -> None:
    """Change one of the places that a pattern finds."""
    if found := list(pattern.finditer(raw)):
        place = chance.choice(found)
        raw[place.start() : place.end()] = by(place[0])


def _flip_bits(raw: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    for _number in range(chance.randint(1, 8) if raw else 0):
        raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)


def _insert(raw: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    at = _at(raw, chance)
    raw[at:at] = chance.randbytes(chance.randint(1, 20))


def _insert_piece(raw: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    at = _at(raw, chance)
    raw[at:at] = chance.choice(_PIECES) * chance.choice((1, 1, 1, 2, 3, 10, 100))


def _delete(raw: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    at = _at(raw, chance)
    del raw[at : at + chance.choice((1, 1, 2, 10, 200))]


def _truncate(raw: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    del raw[_at(raw, chance) :]


def _change_lines(raw: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    """Repeat, remove or exchange lines."""
    lines = _lines(raw)
    if lines:
        one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
        match chance.randrange(3):
            case 0:
                lines[one:one] = [lines[other]] * chance.choice((1, 1, 2, 20))
            case 1:
                del lines[one]
            case _:
                lines[one], lines[other] = lines[other], lines[one]
        raw[:] = b"".join(lines)


def _splice_header(raw: bytearray, chance: random.Random, mails: Sequence[bytes]) -> None:
    """Put header lines of another mail in."""
    head, empty, body = bytes(raw).partition(b"\n\n" if b"\n\n" in raw else b"\r\n\r\n")
    lines = _LINE.findall(chance.choice(mails)[:4000])
    start = chance.randrange(len(lines)) if lines else 0
    taken = b"".join(lines[start : start + chance.randint(1, 6)])
    raw[:] = taken + head + empty + body if chance.random() < 0.5 else head + b"\n" + taken + body


def _splice(raw: bytearray, chance: random.Random, mails: Sequence[bytes]) -> None:
    """Put some bytes of another mail in."""
    other, at = chance.choice(mails), _at(raw, chance)
    start = chance.randrange(len(other) + 1)
    raw[at:at] = other[start : start + chance.choice((20, 200, 2000))]


def _damage_boundary(raw: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    def damaged(boundary: bytes) -> bytes:
        changed = (boundary[:-1], boundary + b" ", boundary * 2, boundary + b"--", b"--", b"")
        return chance.choice(changed)

    _replace_one(raw, chance, _BOUNDARY, damaged)


def _change_charset(raw: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    label = chance.choice(_CHARSETS).encode()
    _replace_one(raw, chance, _CHARSET, lambda _: b"charset=" + label)


def _change_encoding(raw: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    encoding = chance.choice(_ENCODINGS).encode()
    _replace_one(raw, chance, _ENCODING, lambda _: encoding)


def _encode(raw: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    """Say base64 or quoted-printable in the header, whatever the body is."""
    if chance.random() < 0.5:
        head, empty, body = bytes(raw).partition(b"\n\n")
        raw[:] = head + empty + base64.encodebytes(body)
    raw[:0] = f"Content-Transfer-Encoding: {chance.choice(_ENCODINGS)}\n".encode()


def _damage_base64(raw: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    def damaged(line: bytes) -> bytes:
        at = chance.randrange(len(line))
        other = chance.choice((b"", b"=", b"====", b"-_", b"\0", b"\n\n"))
        return line[:at] + other + line[at + 1 :]

    _replace_one(raw, chance, _BASE64, damaged)


def _damage_html(raw: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    def damaged(tag: bytes) -> bytes:
        changed = (b"", tag * 2, tag[:-1], tag[1:], tag[:-1] + b" x=" + tag, tag.upper() + b"\0")
        return chance.choice(changed)

    _replace_one(raw, chance, _TAG, damaged)


def _insert_text(raw: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    """Put random Unicode in, in one encoding or another; halves of characters, too."""
    highest = chance.choice((0xFF, 0x7FF, 0xFFFF, 0x10FFFF))
    text = "".join(chr(chance.randint(0, highest)) for _number in range(chance.randint(1, 30)))
    encoding = chance.choice(("utf-8", "utf-8", "utf-16-le", "utf-16-be"))
    at = _at(raw, chance)
    raw[at:at] = text.encode(encoding, "surrogatepass")


def _change_line_ends(raw: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    end = chance.choice((b"\r", b"\n", b"\r\n", b"\n\r", b"\r\r\n", b"\0\n"))
    start = _at(raw, chance)
    rest = bytes(raw[start:]).replace(b"\r\n", b"\n").replace(b"\n", end)
    raw[start:] = rest


def _nest(raw: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    """Put the mail into many others, as parts or as messages."""
    for level in range(chance.choice((1, 2, 4, 6, 49, 51, 120))):
        kind = chance.choice((b"mixed", b"alternative", b"digest", b"report", b"related"))
        edge = b"e%d" % level
        inner = b"\n" if chance.random() < 0.5 else b"Content-Type: message/rfc822\n\n"
        head = b"From: a@b\nContent-Type: multipart/%s; boundary=%s\n\n" % (kind, edge)
        if len(raw) > MAX_BYTES // 2:
            return
        raw[:] = head + b"--%s\n%s" % (edge, inner) + raw + b"\n--%s--\n" % edge


def _repeat(raw: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    """Repeat some bytes often, seldom very often."""
    at = _at(raw, chance)
    piece = chance.choice((bytes(raw[at : at + chance.choice((1, 5, 40))]), chance.choice(_PIECES)))
    size = chance.choice((1_000,) * 60 + (10_000,) * 8 + (50_000, MAX_BYTES))
    raw[at:at] = piece * (max(0, size - len(raw)) // max(1, len(piece)))


MUTATIONS: tuple[Mutation, ...] = (
    *(_flip_bits, _insert, _insert_piece, _insert_piece, _insert_piece, _delete, _delete),
    *(_truncate, _change_lines, _change_lines, _splice_header, _splice, _damage_boundary),
    *(_change_charset, _change_encoding, _encode, _damage_base64, _damage_html, _damage_html),
    *(_insert_text, _change_line_ends, _nest, _repeat),
)


class Mutations:
    """All mutated mails of one seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        files = {
            str(path.relative_to(MAILS)): path.read_bytes() for path in sorted(MAILS.rglob("*.eml"))
        }
        self._structures = list(STRUCTURES)
        self._items = list(files.items())
        self._mails = list(files.values())

    def mail(self, number: int) -> tuple[str, bytes]:
        """Return what the mail of that number was made from, and the mail."""
        chance = random.Random(f"{self._seed}/{number}")
        if chance.random() < _REAL:
            name, source = chance.choice(self._items)
        else:
            name = chance.choice(self._structures)
            source = STRUCTURES[name].make(chance.choice((1, 2, 3, 10, 40)))
        raw = bytearray(source)
        for _ in range(chance.choice((1, 1, 2, 3, 5, 8))):
            chance.choice(MUTATIONS)(raw, chance, self._mails)
        return name, bytes(raw[: MAX_BYTES + 50_000])
