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
        (b"\xef\xbb\xbfBcc: secret\r\n x\r\nTo: a\r\n\r\n", b"To: a\r\n\r\n"),
        (b"\xef\xbb\xbf\r\nBcc: secret\r\nTo: a\r\n\r\n", b"To: a\r\n\r\n"),
        (b"\xef\xbb\xbfTo: a\r\nBcc: secret\r\n\r\n", b"To: a\r\n\r\n"),
        (b"X-A: b\r\n\xef\xbb\xbfBcc\t: secret\r\nTo: a\r\n\r\n", b"X-A: b\r\nTo: a\r\n\r\n"),
        (b"To: a\r\n\r\n\xef\xbb\xbfBcc: text", b"To: a\r\n\r\n\xef\xbb\xbfBcc: text"),
    ],
)
def test_bcc_is_taken_out_of_the_header_alone(raw: bytes, shown: bytes) -> None:
    assert without_bcc(raw) == shown


def test_trace_fields_do_not_count() -> None:
    raw = b"Received: a\r\n b\r\nDKIM-Signature: x\r\nX-Spam: y\r\nTo: a\r\n\r\nReceived: text"
    assert without_trace(raw) == b"To: a\r\n\r\nReceived: text"


def test_a_byte_order_mark_makes_no_other_mail() -> None:
    raw = b"To: a\r\n\r\nText"
    for marked in (b"\xef\xbb\xbf" + raw, b"Received : x\r\n\xef\xbb\xbf" + raw):
        assert without_trace(marked) == raw
    in_body = b"To: a\r\n\r\n\xef\xbb\xbfText"
    assert without_trace(in_body) == in_body
