"""The text of header fields, as a reader sees it. RFC 2047, RFC 6532."""

import base64
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.mail.file_names import file_name
from shared.mail.headers import (
    Mailbox,
    addresses,
    decode_base64,
    decode_bytes,
    decode_text,
    read_header_block,
)
from tests.header_parts import ANY_TEXT, storable

JIS_NAME, JIS_FILE = "山田 太郎", "応募書類一覧.pdf"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Hello", "Hello"),
        ("  two \t words\r\n folded ", "two words folded"),
        ("=?utf-8?q?J=C3=B6rg?=", "Jörg"),
        ("=?UTF-8?B?SsO2cmc?=", "Jörg"),
        ("=?utf-8?b?SsO2cmc===?= (=?iso-8859-1?q?=FC?=)", "Jörg (ü)"),
        ("=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        ("=?utf-8?q?a?=\r\n =?iso-8859-15?q?=A4?=", "a€"),
        ("=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c"),
        ("Re:=?utf-8?q?_x?=!", "Re: x!"),
        # a character split between words, as many mailers do it
        ("=?utf-8?q?J=C3?= =?utf-8?q?=B6rg?=", "Jörg"),
        ("=?utf-8?B?SsM=?= =?UTF-8?B?tnJn?=", "Jörg"),
        ("=?iso-2022-jp?B?GyRCTExAXBsoQg==?=", "面接"),
        ("=?gb2312?B?1tzI1Q==?=", "周日"),
        ("=?windows-1252?Q?=80=96?=", "€\u2013"),
        ("=?iso-8859-1?Q?=80=96?=", "€\u2013"),
        # wrong labels
        ("=?us-ascii?q?J=C3=B6rg?=", "Jörg"),
        ("=?us-ascii?q?J=F6rg?=", "Jörg"),
        ("=?utf-8?q?J=F6rg?=", "Jörg"),
        ("=?no-such-charset?q?J=C3=B6rg?=", "Jörg"),
        ("=?utf-8*de?q?J=C3=B6rg?=", "Jörg"),
        ("=?unicode_escape?q?=5Cud800?=", "\\ud800"),
        ("=?utf-7?q?+2AA-?=", "\ufffd"),
        ("=?punycode?q?a-b?=", "a-b"),
        ("=?shift_jis?q?=E3=81=82=E3=81=84?=", "縺ゅ\uff1e"),
        # damage in a few places
        ("=?utf-8?q?=C3=A4=C3=B6=C3=BC=C3?=", "äöü\ufffd"),
        # what is no encoded word
        ("=?utf-8?q?open", "=?utf-8?q?open"),
        ("=?utf-8?x?a?=", "=?utf-8?x?a?="),
        ("a =? b ?= c", "a =? b ?= c"),
        ("=?utf-8?q?=3D=3Futf-8=3Fq=3Fx=3F=3D?=", "=?utf-8?q?x?="),
        # what mailers forget to encode
        ("=?utf-8?Q?Really? Yes?=", "Really? Yes"),
        (b"J\xc3\xb6rg".decode("ascii", "surrogateescape"), "Jörg"),
        (b"J\xf6rg \x96 \x80".decode("ascii", "surrogateescape"), "Jörg \u2013 €"),
        # what must not come out
        ("a\0b\x1b[31mc\x7fd", "ab[31mcd"),
        ("=?utf-8?q?a=00b=0D=0ABcc:_c?=", "ab Bcc: c"),
        ("\u202eelif\u202c", "elif"),
        ("o\u0308", "ö"),
        ("", ""),
    ],
)
def test_text_is_decoded(value: str, text: str) -> None:
    assert decode_text(value) == text


@settings(deadline=None)
@given(ANY_TEXT)
def test_decoded_text_can_be_stored_and_shown(value: str) -> None:
    text = decode_text(value)
    assert storable(text)
    assert text == unicodedata.normalize("NFC", " ".join(text.split()))


@settings(deadline=None)
@given(st.binary(), st.text(max_size=20) | st.sampled_from(["utf-16", "iso-2022-kr", "hz", "utf7"]))
def test_any_bytes_are_text_under_any_label(data: bytes, label: str) -> None:
    decode_bytes(data, label).encode()
    decode_text(f"=?{label}?q?{data.hex('=')}?=").encode()


@settings(deadline=None)
@given(st.binary(), st.sampled_from(["", "=", "\n", " =\n"]))
def test_base64_needs_no_padding_and_skips_what_is_none(data: bytes, noise: str) -> None:
    encoded = base64.encodebytes(data).rstrip(b"=\n") + noise.encode()
    assert decode_base64(encoded) == data
    decode_base64(data)


def test_more_marks_than_any_script_has_are_dropped() -> None:
    assert len(decode_text("a" + "\u0327\u0301" * 50)) == 30
    assert decode_text("★" * 100) == "★" * 100


def test_raw_iso_2022_jp_is_read() -> None:
    def jis(text: str) -> str:
        return text.encode("iso2022_jp").decode()

    written = jis(JIS_NAME)
    assert {"@", ";"} < set(written)  # bytes that would end a name
    assert decode_text(f"Re: {written} (2)") == f"Re: {JIS_NAME} (2)"
    assert decode_text(f"{written} =?utf-8?Q?=C3=A4?=") == f"{JIS_NAME} ä"
    for value in (f"{written} <taro@mail.example>", f'"{written}" <taro@mail.example>'):
        assert addresses([value, "b@mail.example"]) == [
            Mailbox(JIS_NAME, "taro@mail.example"),
            Mailbox("", "b@mail.example"),
        ]
    block = read_header_block(f'Content-Disposition: a; filename="{jis(JIS_FILE)}"'.encode())
    assert file_name(block) == JIS_FILE


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("\x1b$Bab <a@mail.example>", "$Bab <a@mail.example>"),  # no character set goes on so
        ("price \x1b$5", "price $5"),
        ("=?iso-2022-jp?Q?\x1b$B8xJ8\x1b(B?=", "公文"),
        ("\x1b$B\x1b(B", ""),
    ],
)
def test_what_only_begins_like_iso_2022_jp_stays(value: str, text: str) -> None:
    assert decode_text(value) == text
