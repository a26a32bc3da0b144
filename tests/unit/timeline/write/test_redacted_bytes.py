"""The header of a mail's raw bytes without an erased person."""

import pytest

from services.timeline.content.reader import read
from services.timeline.write.redacted_bytes import redacted_bytes
from services.timeline.write.redacting import Redaction
from tests.erasing_parts import erased_person
from tests.write_parts import ACCOUNT

REDACTION = Redaction(ACCOUNT, [erased_person("c1", "jane@mail.example", name="Jane Roe")])


def redacted(header: str) -> str:
    return redacted_bytes(
        header.encode() + b"\r\n\r\nBody jane@mail.example\r\n", REDACTION
    ).decode()


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("To: jane@mail.example", "To: Erased <erased@erased.invalid>"),
        (
            "To: Jane Roe\r\n <JANE@mail.example>,\r\n Max <max@x.example>",
            "To: Erased <erased@erased.invalid>,\r\n Max <max@x.example>",
        ),
        ('Cc: "Roe, Jane" <j@x.example>', "Cc: Erased <j@x.example>"),
        (
            "Resent-To: =?utf-8?q?J=C3=A4ne?= <jane@mail.example>, =?utf-8?q?J=C3=BCrgen?= <j@x.y>",
            "Resent-To: Erased <erased@erased.invalid>,\r\n =?utf-8?q?J=C3=BCrgen?= <j@x.y>",
        ),
        ("To: Max <max@x.example>", "To: Max <max@x.example>"),
        (
            "Received: by mx for <jane@mail.example>; Thu, 1 Jan",
            "Received: by mx for <erased@erased.invalid>; Thu, 1 Jan",
        ),
        (
            "Authentication-Results: mx; spf=pass smtp.mailfrom=jane@mail.example",
            "Authentication-Results: mx; spf=pass smtp.mailfrom=erased@erased.invalid",
        ),
        ("Message-ID: <jane@mail.example>", "Message-ID: <jane@mail.example>"),
        ("References: <jane@mail.example>", "References: <jane@mail.example>"),
        ("Subject: About Jane Roe", "Subject: About Jane Roe"),
        ("To: jane@mail.example.org", "To: jane@mail.example.org"),
    ],
)
def test_addresses_go_where_they_stand(field: str, expected: str) -> None:
    assert redacted(field) == f"{expected}\r\n\r\nBody jane@mail.example\r\n"


def test_what_is_left_is_read_as_it_was() -> None:
    before = "From: Max <max@x.example>\r\nTo: a@x.example, jane@mail.example\r\nSubject: S"
    mail = read(redacted(before).encode())
    assert [box.address for box in mail.to] == ["a@x.example", "erased@erased.invalid"]
    assert (mail.subject, mail.from_[0].name) == ("S", "Max")


@pytest.mark.parametrize(
    "raw", [b"", b"\r\n", b"jane@mail.example", b"To jane@mail.example\r\n\r\n"]
)
def test_what_has_no_header_stays_as_it_is(raw: bytes) -> None:
    assert redacted_bytes(raw, REDACTION) == raw


def test_a_name_in_8_bits_stays_readable() -> None:
    raw = "To: Jürgen <j@x.example>, jane@mail.example\r\n\r\n".encode("latin-1")
    assert [box.name for box in read(redacted_bytes(raw, REDACTION)).to] == ["Jürgen", "Erased"]
