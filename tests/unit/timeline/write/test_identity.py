import pytest

from services.timeline.content.reader import read
from services.timeline.write.identity import (
    mail_id,
    token,
    token_without_id,
    without_bcc,
    without_trace,
)


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


PLAIN = (
    b"From: B@x.example, a@x.example\r\nMessage-ID: <1@x>\r\n"
    b"Date: Thu, 15 Jan 2026 12:00:00 +0000\r\nSubject: S\r\n\r\nText\r\n"
)
NAMELESS = b"Received: by mx\r\nFrom: a@x.example\r\nSubject: S\r\n\r\nText\r\n"


def id_of(raw: bytes, account: str = "acme") -> str:
    return mail_id(account, read(raw), raw)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Subject: S", b"Subject: [EXTERNAL] S"),
        (b"Text", b"Text, and a footer"),
        (b"From: B@x.example, a@x.example", b"From: A@x.example, b@X.example"),
        (b"From: B", b"Received: by mx\r\nFrom: B"),
        (b"12:00:00 +0000", b"13:00:00 +0100"),
    ],
)
def test_what_is_changed_on_the_way_makes_no_other_mail(old: bytes, new: bytes) -> None:
    assert id_of(PLAIN.replace(old, new)) == id_of(PLAIN)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<1@x>", b"<2@x>"),
        (b"a@x.example", b"c@x.example"),
        (b", a@x.example", b""),
        (b"12:00:00", b"12:00:01"),
        (b"Date: Thu, 15 Jan 2026 12:00:00 +0000\r\n", b""),
        (b"Message-ID: <1@x>\r\n", b""),
    ],
)
def test_another_id_author_or_date_is_another_mail(old: bytes, new: bytes) -> None:
    assert id_of(PLAIN.replace(old, new)) != id_of(PLAIN)


def test_an_account_has_mails_and_conversations_of_its_own() -> None:
    assert id_of(PLAIN) != id_of(PLAIN, "other")
    assert id_of(NAMELESS) != id_of(NAMELESS, "other")
    assert token("acme", "1@x") != token("other", "1@x")
    assert token_without_id("acme", "m1") != token_without_id("other", "m1")


def test_an_address_is_the_same_however_its_letters_are_made() -> None:
    composed, decomposed = "josé@x.example", "jose\u0301@x.example"
    ids = {
        id_of(PLAIN.replace(b"a@x.example", address.encode())) for address in (composed, decomposed)
    }
    assert len(ids) == 1


def test_without_a_message_id_the_content_counts_less_what_is_written_on_the_way() -> None:
    other_way = NAMELESS.replace(b"by mx", b"by mx2").replace(b"From", b"X-Spam: no\r\nFrom", 1)
    assert id_of(other_way) == id_of(NAMELESS)
    assert id_of(NAMELESS.replace(b"Text", b"Other text")) != id_of(NAMELESS)
    assert id_of(NAMELESS.replace(b"Subject: S", b"Subject: T")) != id_of(NAMELESS)


def test_ids_and_tokens_stay_as_they_were() -> None:
    """They are stored: a change would make every mail that is captured again another mail."""
    assert id_of(PLAIN) == "n6opsu3ea6jodvvlaaicgxno33vqswh3"
    assert id_of(NAMELESS) == "4neg634z4bnnlnyitkolk7syo4r3fuxk"
    assert token("acme", "1@x") == "rvbmetjue6lk3nze2wwu6hpcpkww2zbn"
    assert token_without_id("acme", "m1") == "t53xkyxehjgp2jb4vmkkfen5ex27f4ip"
    with_no_date = PLAIN.replace(b"Date: Thu, 15 Jan 2026 12:00:00 +0000\r\n", b"")
    assert id_of(with_no_date) == "ys36eazrio3en26554dl4oesk6neno54"


@pytest.mark.parametrize(
    "field",
    [
        "Received",
        "Return-Path",
        "Delivered-To",
        "Envelope-To",
        "Authentication-Results",
        "Received-SPF",
        "DKIM-Signature",
        "ARC-Seal",
        "ARC-Message-Signature",
        "Resent-From",
        "X-Forwarded-To",
        "x-google-smtp-source",
    ],
)
def test_each_trace_field_is_left_out_with_its_folded_lines(field: str) -> None:
    raw = f"From: a\r\n{field} : b\r\n c\r\n\td\r\nTo: e\r\n\r\ntext".encode()
    assert without_trace(raw) == b"From: a\r\nTo: e\r\n\r\ntext"


@pytest.mark.parametrize("field", ["Subject", "Date", "Received-Later", "Xyz", "Sender", "Cc"])
def test_what_its_author_wrote_is_kept(field: str) -> None:
    raw = f"From: a\r\n{field}: b\r\n c\r\nTo: e\r\n\r\ntext".encode()
    assert without_trace(raw) == raw


def test_a_header_that_begins_with_a_folded_line_is_kept_whole() -> None:
    raw = b" folded\r\nTo: a\r\n\r\ntext"
    assert without_bcc(raw) == without_trace(raw) == raw


def test_a_byte_order_mark_after_the_first_field_of_the_author_is_kept() -> None:
    raw = b"\xef\xbb\xbfFrom: a\r\n\xef\xbb\xbfTo: b\r\n\r\ntext"
    assert without_trace(raw) == raw.removeprefix(b"\xef\xbb\xbf")
