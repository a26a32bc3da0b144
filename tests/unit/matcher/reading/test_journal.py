"""Journal reports, as Exchange writes them."""

from collections.abc import Callable

import pytest

from services.matcher.reading.journal import may_be_journal, read_journal
from shared.mail.headers import read_header_block
from tests.cost import LINEAR, growth

INNER = b"From: anna@team.example\r\nTo: cand@mail.example\r\nSubject: Hello\r\n\r\nThe text.\r\n"
LINES = """\
Sender: anna@team.example
Subject: Bcc: forged@mail.example
Message-Id: <1@team.example>
To: Cand@Mail.example
Cc: ben@team.example
Bcc: hidden@mail.example
To: cara@team.example, Expanded: team@team.example
Bcc: dora@team.example, Forwarded: ben@team.example
Recipient: else@mail.example
On-Behalf-Of: boss@team.example
"""


def report(lines: str = LINES, *enclosed: bytes, field: str = "X-MS-Journal-Report: ") -> bytes:
    head = (
        f"From: MicrosoftExchange@team.example\r\n{field}\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n"
    )
    raw = head.encode() + lines.replace("\n", "\r\n").encode()
    for mail in enclosed:
        raw += b"\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n" + mail
    return raw + b"\r\n--b--\r\n"


def test_it_tells_the_mail_and_everyone_who_got_it() -> None:
    raw = report(LINES, INNER)
    journal = read_journal(raw, read_header_block(raw))
    assert journal
    assert journal.mail.rstrip() == INNER.rstrip()
    assert journal.recipients == (
        "cand@mail.example",
        "ben@team.example",
        "hidden@mail.example",
        "cara@team.example",
        "dora@team.example",
        "else@mail.example",
    )


def test_only_its_field_tells_that_a_mail_may_be_one() -> None:
    assert may_be_journal(read_header_block(report()))
    assert may_be_journal(read_header_block(report(field="x-ms-journal-report:")))
    assert not may_be_journal(read_header_block(report(field="Subject: X-MS-Journal-Report:")))


@pytest.mark.parametrize("mails", [(), (INNER, INNER)], ids=["none", "two"])
def test_it_has_one_mail(mails: tuple[bytes, ...]) -> None:
    raw = report(LINES, *mails)
    assert read_journal(raw, read_header_block(raw)) is None


@pytest.mark.parametrize("raw", [b"", b"\xff\x00" * 5000, report("\x00" * 100, b"")])
def test_hostile_bytes_raise_nothing(raw: bytes) -> None:
    read_journal(raw, read_header_block(raw))


@pytest.mark.cost
def test_it_takes_linear_time() -> None:
    def reading(size: int) -> Callable[[], object]:
        raw = report("To: a" * size + "\n" + "To: a@x.example\n" * size, INNER)
        return lambda: read_journal(raw, read_header_block(raw))

    assert growth(reading, 500) < LINEAR
