"""The text of quotes, and what is too much. What is safe is tested in a browser."""

import base64
import random
import re
from collections.abc import Callable

import pytest

from services.timeline.content.new_part import split
from services.timeline.content.safe_html import read_html
from shared.mail.part import MAX_TEXT
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
def test_a_megabyte_is_shown_or_said_to_be_too_much(piece: str) -> None:
    html, _, whole = read_html(piece * (MAX_TEXT // len(piece)))
    assert (html is None) == (not whole)


_SIZES = {"\xa0": 1_000}
"""nh3 escapes it in time that is quadratic for many: `_MAX_ESCAPING` bounds that."""


@pytest.mark.cost
@pytest.mark.parametrize("piece", MEGABYTES)
def test_any_html_takes_linear_time(piece: str) -> None:
    def work(size: int) -> Callable[[], object]:
        source = piece * (size // len(piece))
        return lambda: read_html(source)

    assert growth(work, _SIZES.get(piece, 6_000)) < LINEAR


@pytest.mark.cost
def test_many_lines_in_deep_quotes_take_linear_time() -> None:
    def work(lines: int) -> Callable[[], object]:
        source = "<pre>" + "<blockquote type=cite>" * 150 + "x\n" * lines
        return lambda: read_html(source)

    assert growth(work, 6_000) < LINEAR


# -- attributes and data ------------------------------------------------------------------------


def _data(size: int) -> str:
    return base64.b64encode(random.Random(size).randbytes(size * 3 // 4)).decode()


@pytest.mark.parametrize(
    "source",
    [
        f'<p>a</p><img src="data:image/png;base64,{_data(235_000)}"><p>b</p>',
        f"<p>a</p><img alt='1 > 0' src='data:image/jpeg;base64,{_data(900_000)}'><p>b</p>",
        f"<p>a</p><img src=data:image/gif;base64,{_data(100_001)} width=3><p>b</p>",
        "<p>a</p>"
        + f'<img src="data:image/webp;base64,{_data(50_000)}" alt="?a=">' * 5
        + "<p>b</p>",
        f'<p>a</p><img src="data:image/jpg;base64,{_data(9_000)}"><p>b</p>',
        f'<p>a</p><img src="data:image/bmp;base64,{_data(9_000)}"><p>b</p>',
    ],
)
def test_a_pasted_image_stays_however_large(source: str) -> None:
    html, text, whole = read_html(source)
    assert html is not None
    assert html.count("data:image/") == source.count("data:image/")
    assert sorted(re.findall('base64,[^" ]+', html)) == sorted(
        re.findall("base64,[^\"' ]+", source)
    )
    assert text.split() == ["a", "b"]
    assert whole


@pytest.mark.parametrize(
    "address", ["data:image/svg+xml;base64,PHN2Zz4=", "data:text/html;base64,PGI+", "data:,x"]
)
def test_data_that_is_no_picture_is_left_out(address: str) -> None:
    html, text, _ = read_html(f'<img src="{address}" alt="x"><a href="{address}">y</a>')
    assert "data:" not in (html or "")
    assert '<img alt="x">' in (html or "")
    assert text == "y"


def test_a_long_text_between_two_tags_is_shown() -> None:
    source = f"<p>{'word ' * 20_000}</p>"
    assert read_html(source) == (source, ("word " * 20_000).strip(), True)


@pytest.mark.parametrize(
    ("before", "each", "after"),
    [
        ("<p ", "a{}=1 ", ">x"),
        ("<p ", "a{} ", ">x"),
        ("<p ", "a{}/", ">x"),
        ("<p ", 'a{}=">" ', ">x"),
        ("<p ", 'a{}="<b>"', ">x"),
        ('="<p a="', '><b c=" a{}="', '">x'),
        ('<style><a b="</style><p ', 'a{}=">" ', ">x"),
        ("='<p ", 'a{}=">" ', "'>x"),
        ('<!-- a=" --><p ', 'a{}=">" ', ">x"),
        ("<p =data:image/png;base64,", "a{}/", ">x"),
        ('<p x="="data:image/png;base64,', "a{}/", ">x"),
        ("<p a= src = data:image/png;base64,", "a{}/", ">x"),
    ],
)
def test_thousands_of_attributes_in_one_tag_are_refused(before: str, each: str, after: str) -> None:
    """libxml2 compares each with all before it: 80,000 take half a minute."""
    attributes = "".join(each.format(number) for number in range(20_000))
    html, _, whole = read_html(before + attributes + after)
    assert html is None
    assert not whole
