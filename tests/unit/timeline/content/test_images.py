import base64
import random
from collections.abc import Callable

import pytest

from services.timeline.content.data_images import images_set_aside
from services.timeline.content.images import (
    MAX_INLINE_BYTES,
    has_remote_images,
    with_inline_images,
    with_remote_images,
)
from services.timeline.content.reader import read
from services.timeline.content.safe_html import read_html
from shared.mail.mime import leaves
from shared.mail.part import Part, by_content_id
from tests.cost import LINEAR, growth

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
IMAGES = {
    "image/png": PNG,
    "image/jpeg": b"\xff\xd8\xff\xe0",
    "image/gif": b"GIF89a",
    "image/webp": b"RIFF\0\0\0\nWEBPVP8 ",
}
URL = "https://images.example/a.png?b=1&c=%20"
SHOWN = f'<img alt="x" src="{URL.replace("&", "&amp;")}" referrerpolicy="no-referrer">'


def _safe(source: str) -> str:
    return read_html(source)[0] or ""


def _part(data: bytes, content_id: str = "logo@mail.example") -> dict[str, Part]:
    return {content_id: Part("application/octet-stream", "", 0, False, "", data, content_id)}


@pytest.mark.parametrize(
    "source",
    [
        f'<img alt=x src="{URL}">',
        f'<img alt=x src=" {URL[:9]}\n{URL[9:]} ">',
        f'<img alt=x src="{URL.removeprefix("https:")}">',
        f'<img alt=x srcset="{URL} 1x, https://images.example/b.png 2x">',
        f'<picture><source srcset="{URL}&d"><img alt=x src="{URL}" srcset="{URL}&e"></picture>',
        f'<input type=Image alt=x src="{URL}">',
        f'<image alt=x src="{URL}">',
        f'<video alt=x poster="{URL}" src="{URL}&f" autoplay></video>',
        f'<img alt=x src="{URL}" data-remote-src="https://other.example/">',
    ],
)
def test_a_remote_image_waits_until_it_is_asked_for(source: str) -> None:
    html = _safe(source)
    assert " src=" not in html
    assert has_remote_images(html)
    assert with_remote_images(html) == SHOWN
    assert not has_remote_images(SHOWN)


@pytest.mark.parametrize(
    "source",
    [
        "<img src=relative.png>",
        "<img src=/absolute.png>",
        "<img src='javascript:alert(1)'>",
        "<img src='ftp://images.example/a.png'>",
        "<img src='http:///a.png'>",
        "<img src='https:\\\\images.example/a.png'>",
        "<img src='data:image/svg+xml;base64,AAAA'>",
        "<img data-remote-src='https://images.example/a.png'>",
        "<img data-remote-src='javascript:alert(1)'>",
        "<input src='https://images.example/a.png'>",
        "<table background='https://images.example/a.png'><td>x</table>",
        "<p style='background:url(https://images.example/a.png)'>x</p>",
        "<audio src='https://images.example/a'></audio><embed src='https://images.example/a'>",
        '<p>&lt;img data-remote-src="https://images.example/a.png"&gt;</p>',
        "<p title='<img data-remote-src=\"https://images.example/a.png\">'>x</p>",
    ],
)
def test_what_is_no_remote_image_never_comes_back(source: str) -> None:
    html = _safe(source)
    assert not has_remote_images(html)
    assert with_remote_images(html) == html


def test_a_value_cannot_leave_its_attribute() -> None:
    html = _safe("<img src='https://images.example/\"onerror=\"alert(1)' alt='\"><img src=\"x'>")
    assert with_remote_images(html) == '<img alt="&quot;&gt;&lt;img src=&quot;x">'
    html = _safe("<img src=\"https://images.example/'onerror='alert(1)\">")
    shown = "https://images.example/'onerror='alert(1)"
    assert with_remote_images(html) == f'<img src="{shown}" referrerpolicy="no-referrer">'


def test_only_addresses_of_the_web_are_shown_whoever_wrote_the_html() -> None:
    assert with_remote_images('<img data-remote-src="javascript:alert(1)">') == "<img>"


@pytest.mark.parametrize("content_type", IMAGES)
def test_an_image_of_the_mail_is_shown_as_what_it_is(content_type: str) -> None:
    data = IMAGES[content_type]
    html = _safe('<p><img alt="a" src="cid:logo@mail.example" width="9"></p>')
    uri = f"data:{content_type};base64,{base64.b64encode(data).decode()}"
    expected = f'<p><img alt="a" width="9" src="{uri}"></p>'
    assert with_inline_images(html, _part(data)) == expected


def test_an_image_is_found_by_its_name_as_a_link_writes_it() -> None:
    html = _safe('<img src="CID:a%20%26&amp;b@mail.example">')
    assert "data:image/png" in with_inline_images(html, _part(PNG, "a &&b@mail.example"))


@pytest.mark.parametrize(
    "data", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<html>", b"BM"]
)
def test_what_is_no_image_is_not_shown(data: bytes) -> None:
    html = _safe('<img src="cid:logo@mail.example" alt="logo">')
    assert with_inline_images(html, _part(data)) == '<img alt="logo">'
    assert with_inline_images(html, {}) == '<img alt="logo">'


def test_images_have_a_size_that_all_of_them_together_may_have() -> None:
    parts = _part(PNG + b"\0" * (MAX_INLINE_BYTES // 2 - len(PNG))) | _part(PNG, "small")
    html = _safe('<img src="cid:logo@mail.example">' * 3 + '<img src="cid:small">')
    shown = with_inline_images(html, parts)
    assert [len(image) > 9 for image in shown.split("<img")[1:]] == [True, True, False, False]
    assert len(shown) < 1.4 * MAX_INLINE_BYTES


def test_other_images_stay_as_they_are() -> None:
    html = _safe(f'<img src="data:image/png;base64,AAAA"><img src="{URL}"><b>x</b>')
    assert with_inline_images(html, _part(PNG)) == html


def test_parts_have_the_names_that_their_mail_gives_them() -> None:
    raw = (
        b"Content-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\n\nx\n"
        b"--b\nContent-Type: image/png\nContent-ID: <logo@mail.example>\n\n1\n"
        b"--b\nContent-Type: image/png\nContent-ID: <logo@mail.example>\n\n2\n"
        b"--b\nContent-Type: image/png\nContent-ID:\n\n3\n--b--"
    )
    parts, _ = leaves(raw)
    assert {name: part.data for name, part in by_content_id(parts).items()} == {
        "logo@mail.example": b"1"
    }


@pytest.mark.cost
@pytest.mark.parametrize(
    "piece",
    ["<img src=cid:logo@mail.example>", "<img src=//a.example>", "<img alt='", "<img ", "<", '"'],
)
def test_many_images_take_linear_time(piece: str) -> None:
    def work(times: int) -> Callable[[], object]:
        html = _safe(piece * times) + piece * times
        return lambda: (
            has_remote_images(html),
            with_inline_images(with_remote_images(html), _part(PNG)),
        )

    assert growth(work, 2_000, tries=3) < LINEAR


# -- images in a large HTML ---------------------------------------------------------------------


def _screenshot(size: int, number: int) -> bytes:
    return PNG + random.Random(number).randbytes(size)


def _pasted(images: list[bytes], kind: str = "image/png") -> bytes:
    shown = "".join(
        f'<p>{number}</p><img alt="s{number}" src="data:{kind};base64,'
        f'{base64.b64encode(image).decode()}">'
        for number, image in enumerate(images)
    )
    return f"Content-Type: text/html; charset=utf-8\n\n<p>Hello</p>{shown}<p>Bye</p>".encode()


def _shown(raw: bytes) -> str:
    parts, _ = leaves(raw)
    return with_inline_images(
        read(raw).html or "", by_content_id([*images_set_aside(parts), *parts])
    )


def test_a_mail_of_large_pasted_images_is_shown_with_them() -> None:
    images = [_screenshot(700_000, number) for number in range(4)]
    raw = _pasted(images)
    mail = read(raw)
    assert mail.text.split() == ["Hello", "0", "1", "2", "3", "Bye"]
    assert not mail.incomplete
    assert len(mail.html or "") < 1000
    html = _shown(raw)
    assert [
        f'src="data:image/png;base64,{base64.b64encode(i).decode()}"' in html for i in images
    ] == [True] * 4


def test_pasted_images_that_are_too_large_together_make_a_mail_incomplete() -> None:
    raw = _pasted([_screenshot(3 << 20, number) for number in range(2)])
    mail = read(raw)
    assert mail.text.split() == ["Hello", "0", "1", "Bye"]
    assert mail.incomplete
    assert _shown(raw).count("data:image/png") == 1
    assert 'alt="s1"' in _shown(raw)


def test_an_html_that_is_large_without_images_is_cut_as_before() -> None:
    mail = read(b"Content-Type: text/html\n\n<p>Hello</p>" + b"<p>word</p>" * 200_000)
    assert mail.incomplete


@pytest.mark.parametrize("kind", ["image/svg+xml", "text/html"])
def test_large_data_that_is_no_picture_is_not_put_in(kind: str) -> None:
    assert "data:" not in _shown(_pasted([_screenshot(900_000, 1)], kind))


def test_what_calls_itself_an_image_and_is_none_is_not_put_in() -> None:
    assert "data:" not in _shown(_pasted([b"<script>" + _screenshot(900_000, 1)]))
