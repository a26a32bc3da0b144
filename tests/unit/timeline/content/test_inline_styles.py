"""Inline styles: what stays of them, and what no style may say."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.timeline.content.inline_styles import safe_colour, safe_style
from services.timeline.content.safe_html import read_html
from tests.cost import LINEAR, growth


@pytest.mark.parametrize(
    "style",
    [
        "color:#27323f",
        "background-color:rgba(0, 0, 0, .5)",
        "padding:24px 28px",
        "margin:0 auto",
        "border:1px solid rgb(204, 204, 204)",
        "border-radius:8px 8px 0 0",
        "font:italic bold 14px/1.5 Helvetica, Arial, sans-serif",
        "font-family:'Segoe UI',\"Open Sans\",Arial,sans-serif",
        "width:33.333333%",
        "line-height:24px",
        "display:none",
        "text-decoration:none",
        "vertical-align:middle",
    ],
)
def test_what_a_designer_writes_stays(style: str) -> None:
    assert safe_style(style) == style


@pytest.mark.parametrize(
    ("style", "kept"),
    [
        ("color: red !important", "color:red"),
        ("COLOR:\n  Red ;", "color:Red"),
        ("background:#0f4c5c url(https://a.example/x.png) no-repeat", "background-color:#0f4c5c"),
        ("background:navy", "background-color:navy"),
        ("mso-line-height-rule:exactly;color:red", "color:red"),
    ],
)
def test_what_is_written_otherwise_is_understood(style: str, kept: str) -> None:
    assert safe_style(style) == kept


@pytest.mark.parametrize(
    "style",
    [
        "background:url(https://evil.example/x)",
        "background-image:url(https://evil.example/x)",
        "background-color:url(https://evil.example/x)",
        "background:image-set('https://evil.example/x' 1x)",
        "list-style:url(https://evil.example/x)",
        "list-style-image:url(https://evil.example/x)",
        "border-image:url(https://evil.example/x) 1",
        "content:url(https://evil.example/x)",
        "cursor:url(https://evil.example/x),auto",
        "font-family:url(https://evil.example/x)",
        "b\\61ckground:red",
        "background-color:u\\72l(x)",
        "color:r\\65 d",
        "color:/**/red",
        "color:red/*",
        "position:fixed",
        "position:absolute;top:0;left:0;inset:0;z-index:9",
        "transform:scale(9)",
        "margin:-500px",
        "margin:0 -1px",
        "margin-left:-.5em",
        "margin-top:calc(0px - 9px)",
        "text-indent:-9999px",
        "letter-spacing:-1px",
        "width:100vw",
        "height:100vh",
        "width:99999px",
        "width:expression(alert(1))",
        "width:var(--x)",
        "--x:red",
        "behavior:url(x.htc)",
        "-moz-binding:url(x.xml)",
        "animation:a 1s",
        "filter:blur(9px)",
        "opacity:0",
        "display:flex",
        "display:contents",
        "float:inline-start",
        "color:red}body{color:blue",
        "color:red<style>",
        "@import 'https://evil.example/x'",
        "font-family:'a\\' onload='",
    ],
)
def test_what_reaches_out_goes(style: str) -> None:
    assert safe_style(style) is None


_CHARACTERS = st.sampled_from([*"abcurl():;-0123456789.#%'\"\\/*@<>{}!,_ \n", "url(", "rgb(", "px"])


@given(
    st.lists(_CHARACTERS, max_size=60).map("".join), st.sampled_from(["color", "font", "margin"])
)
def test_nothing_that_is_kept_can_reach_out(value: str, name: str) -> None:
    kept = safe_style(f"{name}:{value}") or ""
    assert not re.search(r"[\\<>{}@*]", kept)
    assert not re.search(r"(?<![a-z0-9_-])-[0-9.]", kept, re.IGNORECASE)
    functions = re.findall(r"([a-z-]*)\(", kept, re.IGNORECASE)
    assert {function.lower() for function in functions} <= {"rgb", "rgba", "hsl", "hsla"}
    assert safe_style(kept) == (kept or None)


@pytest.mark.parametrize("value", ["#fff", "red", "rgb(1, 2, 3)"])
def test_a_colour_is_one(value: str) -> None:
    assert safe_colour(value) == value


@pytest.mark.parametrize("value", ["", "url(x)", "#ggg", "red;x:y", "re d"])
def test_another_thing_is_no_colour(value: str) -> None:
    assert safe_colour(value) is None


def test_html_has_styles_only_where_they_are_asked_for() -> None:
    source = '<td bgcolor="#eee" style="color:red" width="9"><font color="blue">x</font></td>'
    source = f"<table cellpadding=4><tr>{source}</tr></table>"
    plain, _, _ = read_html(source)
    styled, _, _ = read_html(source, styles=True)
    assert "style" not in (plain or "")
    assert "bgcolor" not in (plain or "")
    assert '<td bgcolor="#eee" style="color:red" width="9">' in (styled or "")
    assert '<font color="blue">' in (styled or "")


def test_a_mail_keeps_the_ground_of_its_page() -> None:
    html, _, _ = read_html('<body bgcolor="#123456" style="margin:9px"><p>x</p>', styles=True)
    assert html == '<div style="background-color:#123456;margin:9px"><p>x</p></div>'


@pytest.mark.parametrize(
    ("source", "marked"),
    [
        ("<blockquote type=cite>x</blockquote>", True),
        ('<blockquote class="gmail_quote">x</blockquote>', True),
        ('<div class="gmail_attr">x</div>', True),
        ("<blockquote>indented</blockquote>", False),
        ("<div data-quoted>x</div>", False),
    ],
)
def test_what_quotes_a_mail_is_marked_for_its_page(source: str, marked: bool) -> None:
    styled, _, _ = read_html(source, styles=True)
    assert ("data-quoted" in (styled or "")) == marked
    assert "data-quoted" not in (read_html(source)[0] or "")


@pytest.mark.cost
@pytest.mark.parametrize(
    "piece",
    [
        "color:red;",
        "font-family:a , b , c , d , e , f , g , h , i , j , k , l , m , n , o , p !;",
        "border:1px solid red red red red;",
        "font:bold bold bold bold bold 1px/1 a b c d e f g h;",
        "background:rgb(1,2,3) url((((((((((;",
        ";",
        ":",
        "'",
        "(",
    ],
)
def test_any_style_takes_linear_time(piece: str) -> None:
    def work(size: int) -> Callable[[], object]:
        source = f'<p style="{piece * 20}">x</p>' * (size // len(piece) // 20)
        return lambda: read_html(source, styles=True)

    assert growth(work, 20_000) < LINEAR
