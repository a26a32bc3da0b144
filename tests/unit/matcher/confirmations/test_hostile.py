"""Crafted mails of every provider: nothing raises, and time is linear."""

import random
from collections.abc import Callable

import pytest

from services.matcher.confirmations import Confirmation
from services.matcher.confirmations.page import read_page
from tests.cost import LINEAR, growth
from tests.questions import (
    CAPTURE,
    COLLEAGUE,
    EXMAIL,
    GMAIL,
    GMAIL_CANCEL,
    GMAIL_LINK,
    GMAIL_SETTINGS,
    MOBILE,
    QQ,
    QQ_LINK,
    YAHOO,
    ZOHO,
    read,
)

PIECES = [
    "https://",
    f"{GMAIL_SETTINGS}/vf-",
    f"{GMAIL_SETTINGS}/vf-a/",
    f"{GMAIL_LINK} ",
    f"{GMAIL_CANCEL} ",
    f"{QQ_LINK} ",
    f'<a href="{QQ_LINK}">{QQ_LINK}</a>',
    "https://mail.yahoo.com/forward/verify?a=1&",
    "forward",
    "?t=verify",
    "<",
    "<!--",
    "<style",
    "<style></style",
    "<title>",
    "<a href=",
    '<a href="',
    "<a b=\"c' ",
    "<p hidden>",
    "<p style='display:none",
    "</a>",
    "&#",
    "&#1",
    "&amp;",
    "%2",
    "1",
    "1.",
    "1:",
    "12345678 ",
    "12345678\n",
    ": \n",
    "a",
    "a@",
    "a@b",
    "a@b.c ",
    "a@google.com ",
    f"{CAPTURE} ",
    f"{COLLEAGUE}x ",
    "forwar",
    ".",
    "'",
    "\x00",
    "\u200b",
    "é",
    "確",
]


def _each_in_turn() -> list[object]:
    """Return every piece in a text and in a page; one of the two with `--full` alone."""
    marks = ((), (pytest.mark.full,))
    kinds = ("text/plain", "text/html")
    return [
        pytest.param(piece, kind, marks=marks[(n + m) % 2])
        for n, piece in enumerate(PIECES)
        for m, kind in enumerate(kinds)
    ]


@pytest.mark.cost
@pytest.mark.parametrize(("piece", "kind"), _each_in_turn())
def test_hostile_text_takes_linear_time(piece: str, kind: str) -> None:
    def reading(size: int) -> Callable[[], object]:
        body = piece * (size // len(piece.encode()))
        subject = "x" * (size // 2) + "(#1" * (size // 8)
        questions = (
            GMAIL.but(body=body, subject=subject),
            GMAIL.but(body=f"{GMAIL_LINK}\n&#{body};", subject=subject),
            GMAIL.but(body=f"https://{body}", subject=subject),
            QQ.but(body=body, charset="utf-8"),
            MOBILE.but(body=body),
            ZOHO.but(body=f"{ZOHO.body}{body}"),
        )
        mails = [question.but(kind=kind).raw() for question in questions]
        return lambda: [read(raw) for raw in mails]

    assert growth(reading, 1 << 12) < LINEAR


def test_nothing_raises_whatever_is_cut_out_or_put_in(share: float) -> None:
    chance = random.Random(7)
    for _ in range(int(2000 * share)):
        question = chance.choice([GMAIL, ZOHO, QQ, EXMAIL, MOBILE, YAHOO])
        body = question.body
        for _ in range(chance.randint(1, 4)):
            at, length = chance.randrange(len(body)), chance.randrange(20)
            piece = chance.choice([*PIECES, "", "", body[at : at + length]])
            body = f"{body[:at]}{piece}{body[at + length :]}"
        found = read(question.but(body=body, charset="utf-8").raw())
        assert found is None or isinstance(found, Confirmation)
        if found and found.link:
            assert found.link.startswith("https://")
            assert found.link.isascii()


@pytest.mark.parametrize(("tags", "is_read"), [(9_000, True), (10_000, False)])
def test_a_link_behind_ten_thousand_tags_is_not_looked_for(tags: int, is_read: bool) -> None:
    page = read_page("<p>" * tags + f'<a href="{GMAIL_LINK}">Confirm</a>', is_html=True)
    assert page.links == [GMAIL_LINK] * is_read
