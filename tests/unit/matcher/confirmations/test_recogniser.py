"""A provider's question, by what else stands in the mail and how it came."""

import pytest

from services.matcher.confirmations import Confirmation
from tests.questions import (
    ASKING,
    CAPTURE,
    CODE,
    DOMAIN,
    GMAIL,
    GMAIL_CANCEL,
    GMAIL_LINK,
    Question,
    read,
)

ASKED = Confirmation("gmail", ASKING, CODE, GMAIL_LINK)
NO_LINK = GMAIL.but(body=f"{ASKING}\nCode: {CODE}\n")
HTML = GMAIL.but(kind="text/html", body=f"{ASKING} {CODE} <a href='{GMAIL_LINK}'>Yes</a>")


def beside(html: str) -> Confirmation | None:
    """Return what is asked by a page that has this beside a link that confirms."""
    return read(HTML.but(body=f"{HTML.body} {html}").raw())


def parts(*bodies: tuple[str, str]) -> bytes:
    """Return a question of several texts, of these kinds."""
    head, _, _ = (
        GMAIL.but(kind='multipart/alternative; boundary="b"', encoding="7bit")
        .raw()
        .partition(b"\r\n\r\n")
    )
    texts = "".join(f"--b\r\nContent-Type: text/{kind}\r\n\r\n{body}\r\n" for kind, body in bodies)
    return head + f"\r\n\r\n{texts}--b--".encode()


def test_it_may_come_without_a_recipient() -> None:
    question = GMAIL.but(to="")
    assert read(question.raw()) == ASKED
    assert read(question.raw(), None) == ASKED, "and whom it came to may not be known"


def test_without_a_recipient_it_names_no_other_than_the_one_it_came_to() -> None:
    other = GMAIL.but(to="", body=f"{GMAIL.body}\nbo.key@{DOMAIN}\n")
    assert read(other.raw()) is None
    assert read(other.raw(), None) == ASKED


def test_it_may_come_without_a_subject() -> None:
    raw = GMAIL.raw()
    head, _, body = raw.partition(b"\r\n\r\n")
    fields = [
        field
        for field in head.replace(b"\r\n ", b" ").split(b"\r\n")
        if not field.startswith(b"Subject")
    ]
    assert read(b"\r\n".join(fields) + b"\r\n\r\n" + body) == ASKED


def test_a_link_that_shows_another_is_a_decoy() -> None:
    assert beside("") == ASKED
    assert beside(f"<a href='https://x.example/'>{GMAIL_LINK}</a>") is None
    assert beside("<a href='https://x.example/'>https://y.example/</a>") == ASKED
    assert beside(f"<a href='{GMAIL_LINK}'>{GMAIL_LINK[:-5]}</a>") == ASKED


def test_a_decoy_in_one_of_several_texts_is_enough() -> None:
    plain = ("plain", f"{ASKING}\r\nCode: {CODE}\r\n")
    assert read(parts(plain, ("html", f"{ASKING}"))) is not None
    assert read(parts(plain, ("html", f"{ASKING} <!-- {GMAIL_LINK} -->"))) is None


def test_a_code_alone_has_to_stand_out() -> None:
    question = NO_LINK.but(subject="Gmail")
    assert read(question.raw()) == Confirmation("gmail", ASKING, CODE, None)
    assert read(question.but(body=f"{ASKING}\nenter {CODE} now\n").raw()) is None
    found = read(question.but(body=f"{ASKING}\nenter {CODE} now\n{GMAIL_LINK}\n").raw())
    assert found == ASKED


@pytest.mark.parametrize(
    "body",
    [
        f"Code: {CODE}\n",
        f"Code: {CODE}\nfor {CAPTURE}, by forwarding-noreply@google.com\n",
        f"Code: {CODE}\na@localhost\n",
    ],
)
def test_a_code_alone_needs_who_asks(body: str) -> None:
    """That is neither the provider nor the capture address, and has a domain."""
    assert read(NO_LINK.but(subject="Gmail", body=body).raw()) is None
    assert read(NO_LINK.but(subject="Gmail", body=f"{body}{ASKING}\n").raw()) is not None


def test_the_first_who_asks_counts() -> None:
    body = f"{CAPTURE} a@localhost bo@x.example {ASKING}\n{GMAIL_LINK}\n"
    found = read(GMAIL.but(subject="Gmail", body=body).raw())
    assert found is not None
    assert found.requested_by == "bo@x.example"


@pytest.mark.parametrize(
    ("link", "counts"),
    [
        ("https://shop.example/", False),
        ("https://mail.google.com.x.example/", False),
        ("HTTPS://SUPPORT.GOOGLE.COM/mail", True),
        (GMAIL_CANCEL, True),
    ],
)
def test_beside_a_code_alone_all_links_lead_to_the_provider(link: str, counts: bool) -> None:
    question: Question = NO_LINK.but(body=f"{NO_LINK.body}{link}\n")
    assert (read(question.raw()) is not None) is counts
