"""A link that confirms counts as a whole or not at all."""

import pytest

from services.matcher.confirmations.links import KEY, MAX_LINK, TOKEN, Link

HOST = "https://mail.provider.example/forward"
PLAIN = Link(r"mail\.provider\.example", "/forward")
CAPTURE = "anna.key@in.satchel.test"
SAYS_WHAT = Link(PLAIN.host, PLAIN.path, {"do": "verify"}, has_others=True, target="to")


def query(link: Link, text: str, capture_address: str | None = CAPTURE) -> bool:
    """Return whether the link counts with this query, and is shown as it is."""
    url = f"{HOST}?{text}"
    found = link.read(url, capture_address)
    assert found in (None, url)
    return found is not None


def test_a_link_is_shown_with_https_as_it_is() -> None:
    assert PLAIN.read(HOST, None) == HOST
    over_http = Link(PLAIN.host, PLAIN.path, over_http=True)
    for scheme in ("http", "https"):
        assert over_http.read(f"{scheme}://mail.provider.example/forward", None) == HOST


@pytest.mark.parametrize(
    "url",
    [
        "http://mail.provider.example/forward",
        "https://mail.provider.example/forward/x",
        "https://x.mail.provider.example/forward",
        "https://MAIL.provider.example/forward",
        "https://mail.provider.example:443/forward",
        "https://user@mail.provider.example/forward",
        "https://mail.provider.example/forward?a=b",
        "https://mail.provider.example/forward#a",
        "ftp://mail.provider.example/forward",
        "",
    ],
)
def test_what_differs_in_any_part_is_no_such_link(url: str) -> None:
    assert PLAIN.read(url, None) is None


def test_a_link_that_is_too_long_is_none() -> None:
    link = Link(PLAIN.host, PLAIN.path, has_others=True)
    parameters = "&".join(f"p{number}={'x' * 100}" for number in range(30))
    padding = f"{HOST}?{parameters}"
    assert len(padding) > MAX_LINK
    assert link.read(padding, None) is None


def test_a_fragment_is_there_as_the_form_says() -> None:
    link = Link(PLAIN.host, PLAIN.path, fragment="v=" + TOKEN)
    assert link.read(f"{HOST}#v=abc", None) == f"{HOST}#v=abc"
    for fragment in ("", "#", "#v=", "#v=a/b", "#x=abc"):
        assert link.read(f"{HOST}{fragment}", None) is None


def test_each_parameter_is_there_once() -> None:
    link = Link(PLAIN.host, PLAIN.path, {"k": KEY})
    assert query(link, "k=a%2Fb+c*")
    for text in ("", "k", "k=", "k=1&k=1", "k=1&k=2", "k=1&x=2", "x=1", "k=a..b"):
        assert not query(link, text), text


def test_other_parameters_stand_beside_those_that_say_what_the_link_does() -> None:
    assert query(SAYS_WHAT, "do=verify&token=abc")
    assert query(SAYS_WHAT, "token=a@b&do=verify&x=")
    for text in (
        "do=verify",
        "token=abc",
        "token=abc&more=1",
        "do=cancel&token=abc",
        "do=verify&token=a/b",
        "do=verify&to-ken=abc",
        "do=verify&=abc",
        "do=verify&op=Cancel",
        "do=verify&decline=1",
        "do=verify&token=abc&token=abc",
    ):
        assert not query(SAYS_WHAT, text), text


@pytest.mark.parametrize(("count", "counts"), [(20, True), (21, False)])
def test_a_link_has_twenty_parameters_at_most(count: int, counts: bool) -> None:
    others = "&".join(f"p{number}=1" for number in range(count - 1))
    assert query(SAYS_WHAT, f"do=verify&{others}") is counts


def test_a_link_that_names_an_address_names_the_capture_address() -> None:
    encoded = CAPTURE.replace("@", "%40")
    for own in (CAPTURE, encoded, encoded.upper().replace("%40", "%40")):
        assert query(SAYS_WHAT, f"do=verify&to={own}")
    for other in ("thief@x.example", "x" + encoded, ""):
        assert not query(SAYS_WHAT, f"do=verify&to={other}")
    assert query(SAYS_WHAT, "do=verify&to=thief@x.example", None), "who asks does not say which"
    assert query(SAYS_WHAT, "do=verify&from=thief@x.example")
