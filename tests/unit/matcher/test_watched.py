"""What a set-up window shows of a mail, from any sender."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from services.matcher.directory.capture_addresses import AddressRecord
from services.matcher.watched import (
    MAX_LINK,
    MAX_LINKS,
    MAX_LINKS_BYTES,
    MAX_SUBJECT,
    MAX_TEXT,
    watched,
)
from shared.contracts.events import MAX_EVENT_BYTES, MailReceived, MailWatched, Named
from shared.mail.headers import read_header_block

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
CAPTURE = "anna.key@in.satchel.test"
ADDRESS = AddressRecord(CAPTURE, "acme", "u1", "k", "active", NOW, None)


def shown(
    body: str,
    *,
    kind: str = "text/plain",
    subject: str = "Confirm",
    sender: str = "Mail <no-reply@provider.example>",
) -> MailWatched:
    raw = (
        f"From: {sender}\r\nTo: {CAPTURE}\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n"
        f"Content-Type: {kind}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{body}\r\n"
    ).encode()
    received = MailReceived(
        capture_id=uuid4(),
        capture_address=CAPTURE,
        account_tag="x" * 8,
        received_at=NOW,
        door="smtp",
        size=len(raw),
    )
    event = watched(received, ADDRESS, read_header_block(raw), raw)
    assert len(event.encode()) < MAX_EVENT_BYTES
    return event


def test_it_shows_sender_subject_text_and_links() -> None:
    event = shown("確認はこちらhttps://provider.example/yes?t=1&u=2。\r\n\r\n\r\n\r\nThanks.")
    assert (event.account, event.owner, event.capture_address) == ("acme", "u1", CAPTURE)
    assert event.sender == Named(name="Mail", address="no-reply@provider.example")
    assert event.subject == "Confirm"
    assert event.text == "確認はこちらhttps://provider.example/yes?t=1&u=2。\n\nThanks."
    assert event.links == ("https://provider.example/yes?t=1&u=2",)


def test_of_html_it_shows_the_text_and_where_anchors_lead() -> None:
    event = shown(
        "<style>a { background: url(https://x.example/style) }</style>"
        "<!-- <a href='https://x.example/comment'>no</a> -->"
        "<p title='https://x.example/title'>Hello</p><img src='https://x.example/pixel'>"
        '<a class="b" href="https://provider.example/yes?a=1&amp;b=2">https://bank.example</a>'
        "<A HREF=https://provider.example/no>Cancel</A> <a href='javascript:alert(1)'>x</a>"
        "<a data-href='https://x.example/data' name=y>y</a>",
        kind="text/html",
    )
    assert event.text.startswith("Hello\n")
    assert event.links == (
        "https://provider.example/yes?a=1&b=2",
        "https://provider.example/no",
        "https://bank.example",
    )


def test_of_alternatives_the_plain_text_is_shown_and_links_of_both() -> None:
    event = shown(
        "--b\r\nContent-Type: text/plain\r\n\r\nPlain https://a.example/1\r\n"
        '--b\r\nContent-Type: text/html\r\n\r\n<a href="https://a.example/2">Rich</a>\r\n--b--',
        kind="multipart/alternative; boundary=b",
    )
    assert event.text == "Plain https://a.example/1"
    assert event.links == ("https://a.example/1", "https://a.example/2")


@pytest.mark.parametrize("character", ["x", "é", "漢", "😀", '"', "\\"])
def test_it_is_bounded_whatever_is_written(character: str) -> None:
    links = " ".join(f"https://x.example/{n}/{'y' * 900}" for n in range(100))
    event = shown(
        f"https://x.example/{'z' * MAX_LINK} {links}\r\n" + character * 100_000,
        subject=character * 5000,
        sender=f'"{character * 5000}" <{"a" * 3000}@x.example>',
    )
    assert len(event.subject) <= MAX_SUBJECT
    assert len(event.text) <= MAX_TEXT
    assert 0 < len(event.links) <= MAX_LINKS
    assert sum(map(len, event.links)) <= MAX_LINKS_BYTES
    assert all(len(link) <= MAX_LINK for link in event.links)
    many = shown(" ".join(f"https://x.example/{n}" for n in range(100)))
    assert len(many.links) == MAX_LINKS


def test_control_characters_and_broken_bytes_are_gone() -> None:
    event = shown("a\x00b\x1b[31mc\ud800".encode("utf-8", "replace").decode(), sender="")
    assert event.sender is None
    assert event.text == "ab[31mc?"


def test_a_mail_without_anything_is_shown_as_that() -> None:
    event = shown("", subject="", sender="nobody")
    assert (event.sender, event.subject, event.text, event.links) == (None, "", "", ())


@pytest.mark.parametrize(
    "piece", ["<a ", "<a href='", "<!--", "https://", "<style>", '<a href="https://x.example/">']
)
def test_hostile_markup_takes_linear_time(piece: str) -> None:
    shown(piece * (500_000 // len(piece)), kind="text/html")
