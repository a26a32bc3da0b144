"""The text of quotes, and what is too much. What is safe is tested in a browser."""

from functools import partial

import pytest

from services.timeline.new_part import split
from services.timeline.safe_html import read_html
from shared.mail.mime import MAX_TEXT
from tests.cost import LINEAR, growth

ATTRIBUTION = "On Fri, Jan 9, 2026 at 10:00 Anna Lind &lt;anna@lind.example&gt; wrote:"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a<blockquote type=cite>b<br>c</blockquote>d", "a\n> b\n> c\nd"),
        ('<blockquote class="gmail_quote"><p>a</p><p>b</p></blockquote>', "> a\n>\n> b"),
        (
            "a<blockquote type=cite>b<blockquote type=cite>c</blockquote>d</blockquote>e",
            "a\n> b\n>> c\n> d\ne",
        ),
        ("a<blockquote type=cite></blockquote>b", "a\nb"),
        ("<p>a</p><blockquote type=cite><p>b</p></blockquote><p>c</p>", "a\n\n> b\n\nc"),
        ("<blockquote>indented</blockquote>", "indented"),
        ("<blockquote type=cite>" * 20 + "a", ">" * 9 + " a"),
    ],
)
def test_a_quoted_mail_is_marked_in_the_text(source: str, text: str) -> None:
    assert read_html(source)[1].strip("\n") == text


def test_an_answer_in_html_alone_is_told_from_what_it_quotes() -> None:
    quote = f'<div class="gmail_attr">{ATTRIBUTION}<br></div><blockquote class="gmail_quote">'
    _, text, _ = read_html(f"<p>Yes</p><div>{quote}<p>old</p></blockquote></div><p>more</p>")
    parts = split(text)
    assert parts.new == "Yes\n\nmore"
    assert parts.quoted.endswith("> old")


def test_a_fallback_is_shown_where_what_it_stands_for_is_not() -> None:
    html, text, _ = read_html("<noscript><b>a</b></noscript><object data=x><i>b</i></object>")
    assert html == "<b>a</b><i>b</i>"
    assert text == "ab"


def test_direction_is_kept() -> None:
    assert read_html('<p dir="rtl">x</p>')[0] == '<p dir="rtl">x</p>'


def test_an_anchor_that_leads_nowhere_is_its_text() -> None:
    html, text, whole = read_html('<p>a <a name="x">b</a> <a href="https://c.example">c</a></p>')
    link = '<a href="https://c.example" target="_blank" rel="noopener noreferrer nofollow">c</a>'
    assert html == f"<p>a b {link}</p>"
    assert (text, whole) == ("a b c", True)


MEGABYTES = [
    *("&", "\xa0", "&nbsp;", "<a>", "<p>", "<img>", "<br>", "<iframe>", "<xmp>", "<", "<b>&</b>"),
    *("<blockquote type=cite>", "<blockquote type=cite>x</blockquote>", "<video poster=//a>"),
    *("<img src=//a>", "<p title='&&&&&&&&'>", "<noscript>x</noscript>", "<image src=//a>"),
]


@pytest.mark.parametrize("piece", MEGABYTES)
def test_a_megabyte_is_read_whole_or_not_at_all(piece: str) -> None:
    html, _, whole = read_html(piece * (MAX_TEXT // len(piece)))
    assert (html is None) == (not whole)


@pytest.mark.parametrize("piece", MEGABYTES)
def test_html_takes_linear_time(piece: str) -> None:
    assert growth(lambda size: partial(read_html, piece * (size // len(piece))), 6_000) < LINEAR


def test_lines_in_deep_quotes_take_linear_time() -> None:
    quotes = "<pre>" + "<blockquote type=cite>" * 150
    assert growth(lambda lines: partial(read_html, quotes + "x\n" * lines), 1_000) < LINEAR
