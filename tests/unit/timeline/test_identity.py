import pytest

from services.timeline.identity import without_bcc, without_trace


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"To: a\r\nBcc: secret\r\n\r\nBcc: text\r\n", b"To: a\r\n\r\nBcc: text\r\n"),
        (b"BCC : secret,\r\n\tsecret\r\nTo: a\r\n\r\n", b"To: a\r\n\r\n"),
        (b"Bcc: secret\nTo: a\n\nx", b"To: a\n\nx"),
        (b"Resent-Bcc: secret\r\nTo: a\r\n\r\n", b"To: a\r\n\r\n"),
        (b"To: a\r\nBcc: secret", b"To: a\r\n"),
        (b"\r\nBcc: text\r\n", b"\r\nBcc: text\r\n"),
        (b"To: a\rBcc: secret\r\rtext", b"To: a\r\rtext"),
    ],
)
def test_bcc_is_taken_out_of_the_header_alone(raw: bytes, shown: bytes) -> None:
    assert without_bcc(raw) == shown


def test_trace_fields_do_not_count() -> None:
    raw = b"Received: a\r\n b\r\nDKIM-Signature: x\r\nX-Spam: y\r\nTo: a\r\n\r\nReceived: text"
    assert without_trace(raw) == b"To: a\r\n\r\nReceived: text"
