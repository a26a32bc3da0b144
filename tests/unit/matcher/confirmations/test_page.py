"""What a reader sees of a text, and what they can open."""

import pytest

from services.matcher.confirmations.page import Anchor, Page, read_page, unescape, urls

URL = "https://provider.example/yes?a=1&b=2"


def page(source: str) -> Page:
    return read_page(source, is_html=True)


def text(source: str) -> str:
    return page(source).text


def test_of_plain_text_the_urls_are_links_and_the_rest_is_text() -> None:
    found = read_page(f"Open {URL}. Or http://x.example/&amp;c <b>now</b>", is_html=False)
    assert found == Page("Open   Or   <b>now</b>", [URL, "http://x.example/&c"], [])


@pytest.mark.parametrize(
    ("written", "url"),
    [
        (f"({URL}).", URL),
        (f"<{URL}>", URL),
        (f'"{URL}"', URL),
        (f"{URL}!?:;,*}}]", URL),
        ("HTTPS://X.example/確認", "HTTPS://X.example/"),
    ],
)
def test_what_is_around_a_url_is_no_part_of_it(written: str, url: str) -> None:
    assert [*urls(f"see {written} there")] == [url]


def test_entities_stand_for_characters() -> None:
    assert unescape("a &amp; b &lt;c&#x41;&#66;") == "a & b <cAB"
    digits = "9" * 5000
    assert unescape(f"&#{digits};") == f"&#{digits};"
    assert unescape("plain") == "plain"


def test_of_html_what_is_shown_is_text_and_what_is_written_out_is_a_link_too() -> None:
    found = page(
        f'<p>Open <b>this</b>: <a href="{URL}">the &lt;link&gt;</a> or https://x.example/</p>'
    )
    assert found.text == "\nOpen this: the <link> or  \n"
    assert found.links == [URL, "https://x.example/"]
    assert found.anchors == [Anchor(URL, "the <link>")]


def test_blocks_stand_on_lines_of_their_own_and_blanks_are_one() -> None:
    assert text("a<div>b \r\n\t c</div>d<br/>e<i>f</i>g") == "a\nb c\nd\ne" + "fg"


@pytest.mark.parametrize("name", ["script", "style", "title", "template", "textarea", "iframe"])
@pytest.mark.parametrize("end", ["</{}>", "</{} >", ""])
def test_what_is_in_a_raw_element_is_not_shown(name: str, end: str) -> None:
    inner = f'<a href="{URL}">x</a> {URL}'
    found = page(f"a<{name.upper()}>{inner}{end.format(name)}b")
    assert (found.links, found.text.split()) == ([], ["a", "b"] if end else ["a"])


@pytest.mark.parametrize("name", ["noembed", "noframes"])
def test_what_is_for_other_programs_is_not_shown(name: str) -> None:
    assert page(f"<{name}>{URL}</{name}>").links == []


@pytest.mark.parametrize(
    "hides",
    [
        "hidden",
        'HIDDEN=""',
        'style="display:none"',
        "style='DISPLAY : NONE; color: red'",
        "style=visibility:hidden",
        'style="font-size:0"',
        'style="font-size: 0.0px"',
        'style="display:none" style="display:block"',
    ],
)
def test_what_an_element_hides_ends_with_it(hides: str) -> None:
    inner = f'<p>x<div>y</div></p><a href="{URL}">z</a>'
    found = page(f"a<div {hides}>{inner}</div>b")
    assert (found.text, found.links, found.anchors) == ("ab", [], [])
    nested = page(f"a<div {hides}>x<div>y</div>z</div>b<div>c</div>")
    assert nested.text.split() == ["ab", "c"]


@pytest.mark.parametrize(
    "shows",
    ['style="font-size:0.8em"', 'style="font-size:05px"', 'style="display:block"', "id=hidden"],
)
def test_what_other_attributes_say_hides_nothing(shows: str) -> None:
    assert text(f"a<b {shows}>c</b>") == "ac"


@pytest.mark.parametrize(
    "name",
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"],
)
def test_an_element_that_has_no_content_hides_none(name: str) -> None:
    assert text(f"a<{name} hidden>b").replace("\n", "") == "ab"


def test_what_is_left_open_in_a_hidden_element_ends_with_it() -> None:
    assert text("a<div hidden><p>x<br>y<i></div>b") == "ab"


def test_an_end_tag_has_no_link() -> None:
    found = page(f"a</a href='{URL}'>b")
    assert (found.text, found.links, found.anchors) == ("ab", [], [])


def test_a_hidden_end_tag_hides_nothing() -> None:
    assert text("a</b hidden>c") == "ac"


def test_a_link_in_a_comment_or_an_unfinished_tag_is_none() -> None:
    for source in (
        f"a<!-- <a href='{URL}'>x</a> -->b",
        f"a<!doctype {URL}>b",
        f"ab<!-- {URL}",
        f"ab<a href='{URL}'",
    ):
        found = page(source)
        assert (found.text.split(), found.links) == (["ab"], []), source


def test_an_anchor_ends_where_the_next_begins_or_the_text_ends() -> None:
    found = page("<a href='https://a.example/'>one<a href=https://b.example/>two<b>!</b>")
    assert found.anchors == [
        Anchor("https://a.example/", "one"),
        Anchor("https://b.example/", "two!"),
    ]
    assert found.text == "onetwo!"


def test_an_anchor_has_its_first_href_as_a_browser_reads_it() -> None:
    written = URL.replace("&", "&amp;").replace("yes", "\tyes\n")
    found = page(f'<A name=x HREF=" {written} " href="https://x.example/">y</A>z')
    assert found.links == [URL]
    assert found.anchors == [Anchor(URL, "y")]
    assert found.text == "yz"


def test_an_anchor_without_a_link_is_none() -> None:
    found = page("a<a name=x>b</a>c")
    assert (found.text, found.links, found.anchors) == ("abc", [], [])


def test_the_text_of_an_anchor_may_show_a_url_which_is_no_link() -> None:
    found = page(f'<a href="https://x.example/">{URL}</a>')
    assert found.links == ["https://x.example/"]
    assert found.anchors == [Anchor("https://x.example/", URL)]
    assert found.text.strip() == ""
