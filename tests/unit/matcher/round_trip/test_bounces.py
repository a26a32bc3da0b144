"""Why a challenge was refused, in words, by the code that servers write in every language."""

from collections.abc import Callable

import pytest

from services.matcher.round_trip.bounces import _BY_CODE, read_refusal, refusal_of
from shared.mail.headers import read_header_block
from tests.cost import LINEAR, growth

REPORT = """\
From: MAILER-DAEMON@mx.team.example
To: return--x@in.satchel.test
Subject: Undeliverable
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b

{text}
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.team.example

Final-Recipient: rfc822; user@team.example
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {diagnostic}

--b--
"""


def report(
    status: str = "5.0.0", diagnostic: str = "550", text: str = "", action: str = "failed"
) -> bytes:
    filled = REPORT.format(status=status, diagnostic=diagnostic, text=text, action=action)
    return filled.replace("\n", "\r\n").encode()


def status_of(raw: bytes) -> str | None:
    found = read_refusal(read_header_block(raw), raw)
    assert found
    assert found.reason.endswith(".")
    assert found.advice
    return found.status


def test_blocked_forwarding_is_told_from_all_other_codes_of_the_report() -> None:
    said = "550 5.7.520 Access denied, Your organization does not allow external forwarding."
    assert status_of(report("5.7.1", said, "Remote server returned 5.1.1")) == "5.7.520"
    assert status_of(report(text="La organización no lo permite (5.7.520).")) == "5.7.520"


@pytest.mark.parametrize("code", _BY_CODE)
def test_each_known_code_is_told_by_field_and_by_diagnostic(code: str) -> None:
    assert status_of(report(code)) == status_of(report("5.0.0", f"550 {code} x")) == code
    assert refusal_of(f"{code} no").reason == _BY_CODE[code][0]


@pytest.mark.parametrize(
    ("code", "word"), [("5.7.9", "policy"), ("5.1.99", "address"), ("5.9.9", "without a reason")]
)
def test_an_unknown_code_is_told_by_its_class(code: str, word: str) -> None:
    raw = report(code)
    found = read_refusal(read_header_block(raw), raw)
    assert found
    assert word in found.reason


@pytest.mark.parametrize("text", ["10.5.7.520", "5.7.520.1", "version 15.7.520", "4.7.520"])
def test_what_only_looks_like_a_code_is_none(text: str) -> None:
    assert refusal_of(text).status is None


def test_a_delay_a_reply_and_nothing_at_all_are_no_refusal() -> None:
    for raw in (
        report("4.4.1", "451 later", action="delayed"),
        b"From: anna@team.example\r\nAuto-Submitted: auto-replied\r\n\r\nI am away. 5.7.520\r\n",
        b"",
        b"\xff\x00" * 500,
    ):
        assert read_refusal(read_header_block(raw), raw) is None


def test_nothing_that_a_server_writes_is_told() -> None:
    raw = report("5.7.520", "550 5.7.520 <script>zq</script>", "zq " * 1000)
    assert "zq" not in str(read_refusal(read_header_block(raw), raw))


@pytest.mark.cost
def test_it_takes_linear_time() -> None:
    def reading(size: int) -> Callable[[], object]:
        raw = report(text="5.7.5 " * size)
        return lambda: read_refusal(read_header_block(raw), raw)

    assert growth(reading, 1000) < LINEAR
