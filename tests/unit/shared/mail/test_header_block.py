"""Where a header block begins and what a field is, as real software writes them."""

import pytest

from services.timeline.content.reader import read
from shared.mail.headers import read_header_block
from shared.mail.mime import leaves

MARK = b"\xef\xbb\xbf"
MAIL = b"From: cara@mail.example\r\nSubject: Dates\r\n\r\nThursday.\r\n"
TWO = [("From", "cara@mail.example"), ("Subject", "Dates")]


@pytest.mark.parametrize(
    ("before", "more"),
    [
        (MARK, []),
        (MARK * 2, []),
        (MARK + b"\r\n", []),
        (b"\xc3\xaf\xc2\xbb\xc2\xbf", []),  # encoded twice
        (MARK + b"From cara@mail.example Tue Feb 10 09:30:00 2026\r\n", []),
        (MARK + b"Received: by a.example\r\n", [("Received", "by a.example")]),
        # servers put their fields before it
        (b"Received: by a.example\r\n\tfor b\r\n" + MARK, [("Received", "by a.example\tfor b")]),
        (b"Return-Path: <>\r\nX-Seen: 1\r\n" + MARK, [("Return-Path", "<>"), ("X-Seen", "1")]),
        (b"Delivery-Date: 1\r\n" + MARK, [("Delivery-Date", "1")]),
        # and end them, since a line with a mark is no field to them
        (b"Received: a\r\n\r\n" + MARK, [("Received", "a")]),
        (b"Received: a\r\nDate: b\r\n\r\n" + MARK, [("Received", "a"), ("Date", "b")]),
        (b"Received: a\r\n" + MARK + b"\r\n", [("Received", "a")]),
    ],
)
def test_a_byte_order_mark_before_the_first_field_is_skipped(
    before: bytes, more: list[tuple[str, str]]
) -> None:
    raw = before + MAIL
    block = read_header_block(raw)
    assert list(block.fields) == more + TWO
    assert raw[block.body_start :] == b"Thursday.\r\n"
    mail = read(raw)
    assert (mail.subject, mail.text.strip()) == ("Dates", "Thursday.")
    assert [mailbox.address for mailbox in mail.from_] == ["cara@mail.example"]


@pytest.mark.parametrize(
    ("raw", "fields", "body"),
    [
        # in a value it is part of the value
        (
            b"To: a\nSubject: x " + MARK + b"y\n\nz",
            {"To": "a", "Subject": "x \udcef\udcbb\udcbfy"},
            b"z",
        ),
        # the body's own
        (b"To: a\n\n" + MARK + b"Note: b", {"To": "a"}, MARK + b"Note: b"),
        (b"\n" + MARK + b"Note: b", {}, MARK + b"Note: b"),
        (MARK + b"Hello there\n", {}, MARK + b"Hello there\n"),
        (b"Received: a\n\n" + MARK + b"Note: b", {"Received": "a"}, MARK + b"Note: b"),
        (b"To: a\n\n" + MARK + b"From: b\n\nx", {"To": "a"}, MARK + b"From: b\n\nx"),
        (b"Received: a\n\nFrom: b\n\nx", {"Received": "a"}, b"From: b\n\nx"),
        (MARK + b"From here it is far\n", {}, MARK + b"From here it is far\n"),
        # behind a field that the author wrote
        (b"To: a\n" + MARK + b"Note: b\n", {"To": "a"}, MARK + b"Note: b\n"),
        # half a mark
        (b"\xef\xbbTo: a\n\nx", {}, b"\xef\xbbTo: a\n\nx"),
        (MARK, {}, MARK),
    ],
)
def test_a_byte_order_mark_elsewhere_stays(raw: bytes, fields: dict[str, str], body: bytes) -> None:
    block = read_header_block(raw)
    assert dict(block.fields) == fields
    assert raw[block.body_start :] == body


def test_a_part_may_begin_with_a_byte_order_mark() -> None:
    raw = (
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n'
        + MARK
        + b"Content-Type: text/html\r\n\r\n<p>One</p>\r\n"
        + b"--b\r\nContent-Type: message/rfc822\r\n\r\n"
        + MARK
        + MAIL
        + b"\r\n--b--\r\n"
    )
    html, enclosed = leaves(raw)[0]
    assert (html.content_type, html.data) == ("text/html", b"<p>One</p>")
    assert list(read_header_block(enclosed.data).fields) == TWO


@pytest.mark.parametrize("label", ["", "; charset=utf-8", "; charset=us-ascii"])
def test_a_byte_order_mark_before_a_text_is_not_shown(label: str) -> None:
    raw = f"Content-Type: text/plain{label}\n\n".encode() + MARK + b"Hello"
    assert read(raw).text == "Hello"


@pytest.mark.parametrize("blanks", [b" ", b"\t", b" \t ", b"    "])
def test_blanks_before_a_colon_do_not_end_the_header(blanks: bytes) -> None:
    raw = (
        b"From%b: cara@mail.example\r\nSubject%b: Dates\r\n of\tFriday\r\n"
        b"Content-Type%b: text/html\r\n\r\n<p>One</p>\r\n"
    ) % (blanks, blanks, blanks)
    block = read_header_block(raw)
    assert block.first("subject") == "Dates of\tFriday"
    assert block.all("From") == ["cara@mail.example"]
    assert [name for name, _ in block.fields] == ["From", "Subject", "Content-Type"]
    assert read(raw).html == "<p>One</p>"


def test_blanks_before_a_colon_in_a_part() -> None:
    raw = (
        b"Content-Type : multipart/mixed; boundary=b\r\n\r\n--b\r\n"
        b"Content-Type\t: application/pdf\r\nContent-Disposition : attachment; filename=cv.pdf\r\n"
        b"Content-Transfer-Encoding \t: base64\r\n\r\nJVBERg==\r\n--b--\r\n"
    )
    (part,) = leaves(raw)[0]
    assert (part.content_type, part.filename, part.data) == ("application/pdf", "cv.pdf", b"%PDF")


@pytest.mark.parametrize(
    ("raw", "fields", "body"),
    [
        (b"To: a\nDear Anna : hello\nCc: b\n", {"To": "a"}, b"Dear Anna : hello\nCc: b\n"),
        (b"To: a\nFrom me : to you\n\nb", {"To": "a"}, b"b"),
        (b"To: a\n goes : on\n\nb", {"To": "a goes : on"}, b"b"),
        (b"From anna@x.example Sat Jan  3 10:00:00 2026\nTo : a\n\nb", {"To": "a"}, b"b"),
        (b"To: a\nM\xfcller : hello\n", {"To": "a"}, b"M\xfcller : hello\n"),
        (b"To: a\n : nameless\n\nb", {"To": "a : nameless"}, b"b"),
    ],
)
def test_what_is_no_field_with_a_blank_is_none(
    raw: bytes, fields: dict[str, str], body: bytes
) -> None:
    block = read_header_block(raw)
    assert dict(block.fields) == fields
    assert raw[block.body_start :] == body


def test_marks_and_blanks_without_end_are_no_field() -> None:
    assert not read_header_block(MARK * 100_000).fields
    assert not read_header_block(b"a" + b" " * 200_000).fields
