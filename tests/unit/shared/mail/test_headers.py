"""Header blocks and structured fields: what any bytes are read as, and in linear time."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.parser import BytesHeaderParser
from email.policy import compat32
from functools import partial

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.mail.file_names import file_name
from shared.mail.headers import (
    MAX_HEADER_BYTES,
    MAX_HEADER_LINES,
    HeaderBlock,
    Mailbox,
    addresses,
    decode_text,
    message_id,
    message_ids,
    parameters,
    parse_date,
    read_header_block,
)
from tests.cost import LINEAR, growth
from tests.header_parts import ANY_TEXT, storable

PIECES = [
    b"From ",
    b"To:",
    b"a@b",
    b":",
    b" ",
    b"\t",
    b"\r\n",
    b"\n",
    b"\r",
    b"\xe9",
    b"\x00",
    b",",
]
HEADER_LIKE = st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join)


def _block(raw: bytes) -> dict[str, list[str]]:
    block = read_header_block(raw)
    return {name.lower(): block.all(name) for name, _ in block.fields}


def _header(name: str, value: str) -> HeaderBlock:
    return HeaderBlock(((name, value),), truncated=False)


# -- the block ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "fields", "body"),
    [
        (b"To: a\r\nCc: b\r\n\r\nbody", {"to": ["a"], "cc": ["b"]}, b"body"),
        (b"To: a\nCc: b\n\nbody", {"to": ["a"], "cc": ["b"]}, b"body"),
        (b"To: a\rCc: b\r\rbody", {"to": ["a"], "cc": ["b"]}, b"body"),
        (b"To: a", {"to": ["a"]}, b""),
        (b"To: a\nto: b\nTO: c\n", {"to": ["a", "b", "c"]}, b""),
        (b"To: a,\r\n\tb,\r\n   c\r\n", {"to": ["a,\tb,   c"]}, b""),
        (b"To:\r\n a\r\n", {"to": ["a"]}, b""),
        (b"From x@y Mon Jan 5\nTo: a\n\nbody", {"to": ["a"]}, b"body"),
        (b"To: a\nno header\nCc: b\n\nbody", {"to": ["a"]}, b"no header\nCc: b\n\nbody"),
        (b" lost\nTo: a\n: nameless\n of it\nCc: b\n", {"to": ["a"], "cc": ["b"]}, b""),
        (b"\nTo: a\n\nbody", {}, b"To: a\n\nbody"),
        (b"To: \xe9\n", {"to": ["\udce9"]}, b""),
        (b"", {}, b""),
    ],
)
def test_a_header_block_is_read(raw: bytes, fields: dict[str, list[str]], body: bytes) -> None:
    assert _block(raw) == fields
    block = read_header_block(raw)
    assert raw[block.body_start :] == body
    assert not block.truncated


@settings(deadline=None)
@given(HEADER_LIKE)
@example(b"To: a\nFrom me to you\n\nb")
def test_it_is_read_as_the_standard_library_reads_it(raw: bytes) -> None:
    raw = re.sub(rb"(?:\A|(?<=[\r\n]))([!-9;-~]+)[ \t]+(?=:)", rb"\1", raw)  # the one difference
    message = BytesHeaderParser(policy=compat32).parsebytes(raw)
    expected = [
        (name, value.replace("\r", "").replace("\n", "").strip(" \t"))
        for name, value in message.raw_items()
    ]
    assert list(read_header_block(raw).fields) == expected


@settings(deadline=None)
@given(st.binary() | HEADER_LIKE)
def test_any_bytes_are_read(raw: bytes) -> None:
    block = read_header_block(raw)
    assert not block.truncated
    assert 0 <= block.body_start <= len(raw)


def test_names_are_as_written_and_first_is_the_first() -> None:
    block = read_header_block(b"X-One: 1\nx-one: 2\n")
    assert block.fields == (("X-One", "1"), ("x-one", "2"))
    assert block.first("X-ONE") == "1"
    assert block.first("X-Two") is None
    assert block.all("X-Two") == []


def test_a_block_of_just_the_lines_allowed_is_whole() -> None:
    block = read_header_block(b"To: a\n" * MAX_HEADER_LINES + b"\nbody")
    assert len(block.fields) == MAX_HEADER_LINES
    assert not block.truncated


def test_more_lines_are_cut_and_the_body_still_found() -> None:
    raw = b"To: a\r\n" * (MAX_HEADER_LINES + 5) + b"\r\nbody"
    block = read_header_block(raw)
    assert len(block.fields) == MAX_HEADER_LINES
    assert block.truncated
    assert raw[block.body_start :] == b"body"


def test_more_bytes_are_cut_between_two_addresses() -> None:
    everyone = [f"someone{number}@example.com" for number in range(9000)]
    raw = b"To: " + ", ".join(everyone).encode() + b"\n\nbody"
    block = read_header_block(raw)
    assert block.truncated
    assert raw[block.body_start :] == b"body"
    read = [mailbox.address for mailbox in addresses(block.all("To"))]
    assert 0 < len(read) < 9000
    assert read == everyone[: len(read)]


def test_a_long_body_is_no_long_header() -> None:
    raw = b"To: a\n\n" + b"x" * 2 * MAX_HEADER_BYTES
    assert read_header_block(raw) == HeaderBlock((("To", "a"),), truncated=False, body_start=7)


# -- structured fields --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "date"),
    [
        ("Mon, 5 Jan 2026 09:30:00 +0100", "2026-01-05T08:30:00"),
        ("Mon, 5 Jan 2026 09:30:00 -0000", "2026-01-05T09:30:00"),
        ("5 Jan 2026 09:30 GMT", "2026-01-05T09:30:00"),
        ("Mon, 5 Jan 26 09:30:00 EST", "2026-01-05T14:30:00"),
        ("Mon, 5 Jan 126 09:30:00 Z", "2026-01-05T09:30:00"),
        ("Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", "1997-11-21T15:55:06"),
        ("Mon (a (nested) comment), 5 Jan 2026 09:30:00 +0000 (UTC)", "2026-01-05T09:30:00"),
        ("Sat, 31 Dec 2016 23:59:60 +0000", "2016-12-31T23:59:59"),
        ("Mon, 5 Jan 2026 09:30:00 +9999", "2026-01-05T09:30:00"),
        ("Mon, 5 Jan 2026 09:30:00 NOWHERE", "2026-01-05T09:30:00"),
        ("Thu, 1 Jan 1970 00:00:00 +0000", "1970-01-01T00:00:00"),
        ("Thu, 1 Jan 1970 00:00:00 +0100", None),
        ("Fri, 1 Jan 2101 00:00:00 +0000", None),
        ("Mon, 5 Jan 0026 09:30:00 +0000", "2026-01-05T09:30:00"),
        ("Fri, 31 Dec 9999 23:59:59 -2300", None),
        ("Mon, 45 Jan 2026 09:30:00 +0000", None),
        ("Mon, 5 Jan 2026 25:30:00 +0000", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_dates_are_read(value: str | None, date: str | None) -> None:
    expected = datetime.fromisoformat(date).replace(tzinfo=UTC) if date else None
    assert parse_date(value) == expected


@settings(deadline=None)
@given(ANY_TEXT | st.text(st.sampled_from("0123456789 :,.-+/()JanMon\udce9GMT")))
def test_any_date_is_read_or_not(value: str) -> None:
    date = parse_date(value)
    if date is not None:
        assert date.utcoffset() == timedelta()
        assert 1970 <= date.year <= 2100


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("<a.b@example.com>", "a.b@example.com"),
        ("  < a.b@example.com >  ", "a.b@example.com"),
        ("(by <x@y> (me)) <a@example.com> (again)", "a@example.com"),
        ("a@example.com (no brackets)", "a@example.com"),
        ("<a@example.com", "a@example.com"),
        ("a@example.com>", "a@example.com"),
        ("<a@example.com><b@example.com>", "a@example.com"),
        ("<long\t part@example.com>", "longpart@example.com"),
        ("<a(b)@example.com>", "a(b)@example.com"),
        ("<no-at-sign>", "no-at-sign"),
        ("<a\0b@example.com>", "ab@example.com"),
        ("<\udce9@example.com>", "é@example.com"),
        ("<" + "x" * 250 + ">", "x" * 250),
        ("<" + "x" * 251 + ">", None),
        ("<" + "é" * 126 + ">", None),
        ("<>", None),
        ("(<a@example.com>", None),
        ("", None),
    ],
)
def test_message_ids_are_read(value: str, expected: str | None) -> None:
    assert message_id(_header("Message-Id", value)) == expected


@settings(deadline=None)
@given(ANY_TEXT)
def test_any_message_id_can_be_stored(value: str) -> None:
    found = message_id(_header("message-id", value))
    if found is not None:
        assert storable(found)
        assert 0 < len(found.encode()) <= 250
        assert not set(found) & set(" \t\r\n>")


def test_without_the_field_there_is_no_message_id() -> None:
    assert message_id(HeaderBlock((), truncated=False)) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Text/Plain; Charset=UTF-8", ("text/plain", {"charset": "UTF-8"})),
        ('a/b; boundary="x;y=\\"z"; c=d', ("a/b", {"boundary": 'x;y="z', "c": "d"})),
        ('attachment; filename="C:\\new\\x.txt"', ("attachment", {"filename": "C:\\new\\x.txt"})),
        ("a; filename*=UTF-8'de'%C3%BCber.pdf", ("a", {"filename": "über.pdf"})),
        ("a; filename*=iso-8859-1''%FCber; filename=uber", ("a", {"filename": "über"})),
        ("a; f*1*=%BC; f*0*=utf-8''%C3; f*2=\" x\"", ("a", {"f": "ü x"})),
        ("a; f*0=one; f*1=two", ("a", {"f": "onetwo"})),
        ("a; f*=x'; f*0=y", ("a", {"f": "x'"})),
        ("a; f*=nonsense", ("a", {"f": "nonsense"})),
        ("a; name==?utf-8?q?x?=; b", ("a", {"name": "=?utf-8?q?x?="})),
        ('a; name="open; b=c', ("a", {"name": "open; b=c"})),
        ("a; name=first; NAME=second", ("a", {"name": "first"})),
        ("", ("", {})),
    ],
)
def test_parameters_are_read(value: str, expected: tuple[str, dict[str, str]]) -> None:
    assert parameters(value) == expected


@settings(deadline=None)
@given(ANY_TEXT)
def test_any_parameters_are_read(value: str) -> None:
    kind, found = parameters(value)
    "".join([kind, *found, *found.values()]).encode()


def test_names_of_addresses_are_decoded_after_the_list_is_read() -> None:
    value = "=?utf-8?q?Me=2C_victim=40example.org?= <me@example.com>, \udce9 <\udce9@example.com>"
    assert addresses([value, "x@example.com"]) == [
        Mailbox("Me, victim@example.org", "me@example.com"),
        Mailbox("é", "é@example.com"),
        Mailbox("", "x@example.com"),
    ]


# -- time ---------------------------------------------------------------------------------------


@pytest.mark.cost
@pytest.mark.parametrize(
    "crafted",
    [
        lambda n: decode_text("=?utf-8?B?SGVsbG8=?= " * n),
        lambda n: decode_text("=?utf-8?Q?=C3=B6?= =?latin1?Q?=F6?= " * n),
        lambda n: decode_text("".join(f"=?x{i}?Q?=C3=B6?=" for i in range(n))),
        lambda n: decode_text("=?utf-8?B?SGVsbG8?= " * n),
        lambda n: decode_text("=?utf-8?B?S?=" * n),
        lambda n: decode_text("=?utf-8?B?" + "S=" * n + "?="),
        lambda n: decode_text("=?utf-8?Q?=C?= =?utf-8?Q?3=B6?=" * n),
        lambda n: decode_text("=?utf-7?Q?+?=" * n),
        lambda n: decode_text("=?utf-7?Q?+2D0-+AAA" + "AAA+" * n + "?="),
        lambda n: decode_text("=?koi8-r?Q?\udcc3?=\udcc3" * n),
        lambda n: decode_text("=?utf-8?q?" * n),
        lambda n: decode_text("=?" * n),
        lambda n: decode_text("=?a?q?" + "=?=" * n),
        lambda n: decode_text("a" + "\u0327\u0301" * n),
        lambda n: decode_text("\udcc3" * n),
        lambda n: parse_date(":" * n + "1 " * n),
        lambda n: message_id(_header("message-id", "(" * n + ")" * n + "\\" * n)),
        lambda n: message_ids("<=?utf-8?q?a?= " * n),
        lambda n: message_ids("=?utf-8?q?=3Ca=40b?= x " * n),
        lambda n: file_name(_header("Content-Disposition", "a" + "; filename*0*=%\udcc3" * n)),
        lambda n: file_name(_header("Content-Disposition", 'a; filename="' + "=?x?q?\udcc3?=" * n)),
        lambda n: parameters(";" * n + '; a="' * n + "\\" * n),
        lambda n: parameters("a" + "; f*0*=%" * n),
        lambda n: read_header_block(b"a:" + b"\r\n " * n),
        lambda n: read_header_block(b"\xff" * n * 100),
    ],
)
def test_crafted_headers_take_linear_time(crafted: Callable[[int], object]) -> None:
    assert growth(lambda size: partial(crafted, size), 5_000) < LINEAR
