import base64
import binascii
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.mail.transfer import decode_base64, decode_body, encoding_of, uu_name

SENTENCE = "Das Gehalt, über das wir sprachen, ist in Ordnung, grüßt Cara.\n".encode()


def encoded(data: bytes) -> bytes:
    return base64.b64encode(data)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("base64", "base64"),
        (" BASE64 ", "base64"),
        ("Base64;", "base64"),
        ('"base64"', "base64"),
        ("(as ever) base64 (really)", "base64"),
        ("base-64", "base64"),
        ("Quoted-Printable", "quotedprintable"),
        ("quoted printable", "quotedprintable"),
        ("8 bit", "8bit"),
        ("X-UUEncode", "xuuencode"),
        ("", ""),
    ],
)
def test_the_name_of_an_encoding_is_read_as_mailers_write_it(value: str, name: str) -> None:
    assert encoding_of(value) == name


# -- base64 -------------------------------------------------------------------------------------


@pytest.mark.parametrize("line_end", [b"\r\n", b"\n", b"\r", b"", b" \t\r\n \r\n"])
@pytest.mark.parametrize("size", [1, 2, 3, 19, 40, 58])
def test_pieces_with_padding_are_all_read(size: int, line_end: bytes) -> None:
    text = SENTENCE * 20
    pieces = [encoded(text[at : at + size]) for at in range(0, len(text), size)]
    assert decode_base64(line_end.join(pieces), is_text=True) == (text, True)
    assert decode_base64(line_end.join(pieces), is_text=False) == (text, True)


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_missing_padding_is_no_error(cut: int) -> None:
    assert decode_base64(encoded(b"x" * cut).rstrip(b"="), is_text=True) == (b"x" * cut, True)


def test_what_cannot_be_decoded_is_reported() -> None:
    assert decode_base64(encoded(b"abc") + b"Q", is_text=True) == (b"abc", False)
    assert decode_base64(b"Q==" + encoded(b"abc"), is_text=True) == (b"abc", False)


@pytest.mark.parametrize("noise", [b"!", b"\0", b"\xa0", b"-", b" > "])
def test_noise_inside_is_skipped(noise: bytes) -> None:
    lines = base64.encodebytes(SENTENCE * 9).split(b"\n")
    lines[2] = lines[2][:30] + noise + lines[2][30:]
    assert decode_base64(b"\r\n".join(lines), is_text=True) == (SENTENCE * 9, True)


FOOTER = (
    b"_______________________________________________\r\njobs mailing list\r\n\r\nUnsubscribe\r\n"
)


@pytest.mark.parametrize("size", [3, 58, 570, 571, 572])
def test_a_footer_after_base64_is_text_and_never_garbage(size: int) -> None:
    text = (SENTENCE * 20)[:size]
    body = base64.encodebytes(text) + b"\r\n" + FOOTER
    assert decode_base64(body, is_text=True) == (text + b"\n" + FOOTER, True)
    assert decode_base64(body, is_text=False) == (text, True)


def test_a_word_after_the_end_is_no_base64() -> None:
    body = base64.encodebytes(b"Dear Rita,\n") + b"\nUnsubscribe\n"
    assert decode_base64(body, is_text=True) == (b"Dear Rita,\n\nUnsubscribe\n", True)


def test_a_warning_before_base64_is_text() -> None:
    warning = b"CAUTION: this mail comes from outside.\r\n"
    body = warning + base64.encodebytes(SENTENCE * 2)
    assert decode_base64(body, is_text=True) == (warning + SENTENCE * 2, True)


def test_text_that_is_only_called_base64_stays_as_it_is() -> None:
    text = b"Hello Rita, I am not encoded at all. Regards, Cara\n"
    assert decode_base64(text, is_text=True) == (text, True)
    assert decode_base64(b"%PDF-1.4 %%\xff\xfe not <<encoded>>", is_text=False)[0][:4] == b"%PDF"


def test_so_many_tiny_pieces_are_not_all_read() -> None:
    decoded, whole = decode_base64(b"QQ==\n" * 100_000, is_text=True)
    assert not whole
    assert set(decoded) == {ord("A")}
    assert 10_000 < len(decoded) <= 10_000 + 500_000 // 32


@given(st.binary(max_size=200), st.integers(1, 60), st.booleans())
def test_what_was_encoded_is_decoded(data: bytes, size: int, is_text: bool) -> None:
    pieces = [encoded(data[at : at + size]) for at in range(0, len(data), size)]
    assert decode_base64(b"".join(pieces), is_text=is_text) == (data, True)


@given(st.binary(), st.sampled_from(["base64", "quotedprintable", "xuuencode", "8bit"]))
def test_any_bytes_are_decoded(data: bytes, encoding: str) -> None:
    decoded, _ = decode_body(data, encoding, is_text=True)
    assert len(decoded) <= 3 * len(data) + 1


# -- quoted-printable ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"a=\r\nb", b"ab"),
        (b"a= \t \r\nb", b"ab"),
        (b"a=\rb\rc", b"ab\rc"),
        (b"a=\nb=", b"ab"),
        (b"a=  ", b"a"),
        (b"=c3=bc=C3=BC", "üü".encode()),
        ("ü=C3=BC".encode(), "üü".encode()),
        (b"1 + 1 = 2, 2=\x3d4, =ZZ", b"1 + 1 = 2, 2=4, =ZZ"),
    ],
)
def test_quoted_printable_is_read_as_mailers_write_it(body: bytes, text: bytes) -> None:
    assert decode_body(body, "quotedprintable", is_text=True) == (text, True)


# -- uuencode -----------------------------------------------------------------------------------


def test_uuencoded_files_are_decoded() -> None:
    chance = random.Random(7)
    data = chance.randbytes(1000)
    lines = [binascii.b2a_uu(data[at : at + 45]) for at in range(0, len(data), 45)]
    body = b"see below\nbegin 644 cv final.pdf\n" + b"".join(lines) + b"`\nend\nafter\n"
    assert decode_body(body, "xuuencode", is_text=False) == (data, True)
    assert uu_name(body) == b"cv final.pdf"
    checked = body.replace(b"\n", b"x\n").replace(b"pdfx", b"pdf").replace(b"endx", b"end")
    assert decode_body(checked, "uuencode", is_text=False) == (data, True)
    assert decode_body(body.replace(b"end", b""), "uuencode", is_text=False)[1] is False
