"""Attacks on whoever reads a mail, in a real browser: `tests/xss.json`, each named.

Each goes through the reader as the HTML of a mail. What comes out is one section of a page; no
script runs in it and nothing is fetched, as it is and after the browser read its own HTML again.
`{n}` stands for the attack's name, so that a dialog or a request says whose it is.
"""

import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Dialog, Page, Route, async_playwright

from dev.browser import ARGUMENTS
from dev.install import Unavailable, ensure_chromium
from services.timeline.content.body import read_body
from services.timeline.content.images import with_inline_images, with_remote_images
from services.timeline.content.reader import read
from shared.mail.mime import leaves
from shared.mail.part import by_content_id
from tests.deadline import DEADLINE

ATTACKS: dict[str, str] = {
    name: attack.replace("{n}", name)
    for name, attack in json.loads((Path(__file__).parents[1] / "xss.json").read_text()).items()
}
KINDS = sorted({name.rpartition("-")[0] for name in ATTACKS})
PAGE = "http://page.example/"
_SETTLE_MS = 200
PARTS = (
    ("svg", b"image/png", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
    ("html", b"image/gif", b"<script>alert(1)</script>"),
    ("png", b"text/html", b"\x89PNG\r\n\x1a\n<script>alert(1)</script>"),
)
CHECK = """
(styled) => {
  const tags = new Set(`A ABBR ACRONYM ARTICLE ASIDE B BDI BDO BLOCKQUOTE BR CAPTION CENTER
    CITE CODE COL COLGROUP DATA DD DEL DETAILS DFN DIV DL DT EM FIGCAPTION FIGURE FOOTER H1 H2 H3
    H4 H5 H6 HEADER HGROUP HR I IMG INS KBD LI MARK NAV OL P PRE Q RP RT RTC RUBY S SAMP SMALL SPAN
    STRIKE STRONG SUB SUMMARY SUP TABLE TBODY TD TH THEAD TIME TR TT U UL VAR WBR`.split(/\\s+/));
  const attributes = new Set(`align alt char charoff cite colspan data-remote-src datetime dir
    headers height href hreflang lang referrerpolicy rel rowspan scope size span src start summary
    target title width`.split(/\\s+/));
  if (styled) {
    tags.add('FONT');
    for (const name of `bgcolor border cellpadding cellspacing color data-quoted face nowrap style
      valign`.split(/\\s+/)) attributes.add(name);
  }
  const found = [];
  for (const section of document.querySelectorAll('body > section'))
    for (const element of section.querySelectorAll('*')) {
      const tell = what => found.push(`${section.id}: ${what}: ${element.outerHTML.slice(0, 200)}`);
      if (!tags.has(element.tagName)) tell('element');
      for (const {name} of element.attributes) if (!attributes.has(name)) tell(name);
      const scheme = element.protocol ?? '';
      if (element.hasAttribute('href') && !/^(https?|mailto|tel):$/.test(scheme)) tell('link');
      if (element.tagName === 'A' && element.target !== '_blank') tell('target');
      if (element.tagName === 'A' && element.rel !== 'noopener noreferrer nofollow') tell('rel');
      const source = element.getAttribute('src') ?? '';
      const isRemote = /^https?:/.test(source) && element.referrerPolicy === 'no-referrer';
      const style = getComputedStyle(element);
      if (style.position !== 'static' || style.transform !== 'none') tell('position');
      for (const name of ['backgroundImage', 'listStyleImage', 'borderImageSource'])
        if (style[name] !== 'none') tell(name);
      for (const side of ['Top', 'Right', 'Bottom', 'Left'])
        if (parseFloat(style[`margin${side}`]) < 0) tell('margin');
      if (source && !isRemote && !/^data:image\\/[a-z]+;base64,/.test(source)) tell('src');
    }
  for (const child of document.body.children)
    if (child.tagName !== 'SECTION') found.push(child.outerHTML);
  return found;
}
"""
READ_AGAIN = """
() => {
  for (const section of document.querySelectorAll('body > section'))
    for (let time = 0; time < 3; time++) section.innerHTML = section.innerHTML;
}
"""


@dataclass
class Seen:
    """What a page did."""

    dialogs: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    def strikes(self) -> list[str]:
        return self.dialogs + self.requests + self.images + self.findings


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A headless Chromium."""
    try:
        chromium = ensure_chromium()
    except Unavailable as missing:
        pytest.skip(str(missing))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        await browser.close()


def _shown(attack: str, *, styles: bool = False) -> str:
    """Return the HTML of a mail with the attack as it is shown, in a frame with its styles."""
    raw = b"Content-Type: multipart/related; boundary=b\n\n"
    raw += b"--b\nContent-Type: text/html; charset=utf-8\n\n" + attack.encode() + b"\n"
    for name, label, data in PARTS:
        raw += b"--b\nContent-Type: %s\nContent-ID: <%s>\n\n%s\n" % (label, name.encode(), data)
    parts, _ = leaves(raw + b"--b--\n")
    html = read_body(parts, styles=True).html if styles else read(raw).html
    return with_inline_images(html or "", by_content_id(parts))


def _page(sections: dict[str, str]) -> str:
    body = "\n".join(f'<section id="{name}">{html}</section>' for name, html in sections.items())
    return f"<!DOCTYPE html><meta charset=utf-8><title>mails</title><body>{body}</body>"


async def _seen(browser: Browser, html: str, *, check: bool = True, styled: bool = False) -> Seen:
    """Load a page, and return what it did; nothing leaves the browser.

    Without a check it is an attack, which is waited for.
    """
    seen = Seen()
    page: Page = await browser.new_page()

    async def answer(route: Route) -> None:
        request = route.request
        if request.url == PAGE and not seen.requests:
            await route.fulfill(body=html, content_type="text/html; charset=utf-8")
            return
        kind = seen.images if request.resource_type == "image" else seen.requests
        kind.append(f"{request.resource_type} {request.url}")
        await route.abort()

    async def dismiss(dialog: Dialog) -> None:
        seen.dialogs.append(f"dialog {dialog.message}")
        await dialog.dismiss()

    page.on("dialog", dismiss)
    await page.route("**/*", answer)
    await page.goto(PAGE)
    await page.wait_for_timeout(_SETTLE_MS)
    if check:
        seen.findings += await _findings(page, styled)
        await page.evaluate(READ_AGAIN)
        await page.wait_for_timeout(_SETTLE_MS)
        seen.findings += await _findings(page, styled)
    deadline = time.monotonic() + DEADLINE
    while not check and not seen.strikes() and time.monotonic() < deadline:
        await page.wait_for_timeout(_SETTLE_MS)
    await page.close()
    return seen


async def _findings(page: Page, styled: bool) -> list[str]:
    found: Any = await page.evaluate(CHECK, styled)
    return [str(finding) for finding in found]


def test_there_are_many_attacks() -> None:
    assert len(set(ATTACKS.values())) >= 200


async def test_what_is_wrong_in_a_page_is_found(browser: Browser) -> None:
    wrong = ["<p onclick=x>", "<form>", "<a href=data:,x>", "<p style=color:red>", "<img src=x>"]
    for html in wrong:
        seen = await _seen(browser, _page({"wrong-1": html}))
        assert any(finding.startswith("wrong-1: ") for finding in seen.findings), html


@pytest.mark.parametrize("kind", KINDS)
async def test_nothing_runs_and_nothing_is_fetched(browser: Browser, kind: str) -> None:
    sections = {name: _shown(attack) for name, attack in ATTACKS.items() if name.startswith(kind)}
    seen = await _seen(browser, _page(sections))
    assert seen.strikes() == []


@pytest.mark.parametrize("kind", KINDS)
async def test_a_design_runs_nothing_and_fetches_nothing(browser: Browser, kind: str) -> None:
    sections = {
        name: _shown(attack, styles=True)
        for name, attack in ATTACKS.items()
        if name.startswith(kind)
    }
    seen = await _seen(browser, _page(sections), styled=True)
    assert seen.strikes() == []


async def test_what_is_wrong_in_a_design_is_found(browser: Browser) -> None:
    for style in ("position:fixed", "margin:-9px", "background:url(//evil.example/x)"):
        seen = await _seen(browser, _page({"wrong-1": f"<p style='{style}'>x</p>"}), styled=True)
        assert seen.strikes(), style


async def test_only_images_are_fetched_when_they_are_asked_for(browser: Browser) -> None:
    sections = {name: with_remote_images(_shown(attack)) for name, attack in ATTACKS.items()}
    seen = await _seen(browser, _page(sections))
    assert seen.dialogs + seen.requests + seen.findings == []
    assert "image https://evil.example/load-1" in seen.images
    assert all(image.startswith("image https://evil.example/") for image in seen.images)


STRIKING = ["script-1", "script-5", "handler-1", "handler-8", "svg-1", "svg-3", "mutation-1"]
STRIKING += ["frame-1", "frame-5", "meta-2", "meta-3", "meta-9", "css-1", "css-13", "load-1"]


@pytest.mark.parametrize("name", STRIKING)
async def test_a_browser_falls_for_an_attack_that_is_left_as_it_is(
    browser: Browser, name: str
) -> None:
    seen = await _seen(browser, f"<!DOCTYPE html><body>{ATTACKS[name]}", check=False)
    assert seen.strikes()
