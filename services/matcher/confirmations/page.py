"""What a reader sees of a text, and what they can open: of HTML without what it hides.

A link is the `href` of an anchor, or a URL that is written out. A URL in a comment, a style, a
title, another attribute or an element that is not displayed is none. Own code, one pass over the
tags: linear whatever is nested or left open.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

URL = re.compile(r"https?://[!#-&(-;=?-~]*+", re.IGNORECASE)
"""ASCII, no quotes or angle brackets: in Japanese, say, text goes on without a space."""
_TOKEN = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<[!?][^<>]*+>?"
    r"|<(?P<close>/?)(?P<name>[a-z][a-z0-9:]{0,30})"
    r"(?P<attributes>(?>[^<>\"']|\"[^\"<>]*+\"|'[^'<>]*+'|[\"'])*)>",
    re.IGNORECASE | re.DOTALL,
)
_ATTRIBUTE = re.compile(
    r"([^\s\"'<>/=]{1,40}+)(?:\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s\"'>]++)))?"
)
_HIDES = re.compile(
    r"display\s{0,5}:\s{0,5}none|visibility\s{0,5}:\s{0,5}hidden|font-size\s{0,5}:\s{0,5}0(?![.\d]*[1-9])"
)
_ENTITY = re.compile(r"&#?[0-9A-Za-z]{1,31};")
"""Bounded: `html.unescape` raises on a number of 5,000 digits."""
_RAW = {"iframe", "noembed", "noframes", "script", "style", "template", "textarea", "title"}
_VOID = {
    "area",
    "base",
    "br",
    "col",
    "embed",
    "hr",
    "img",
    "input",
    "link",
    "meta",
    "source",
    "wbr",
}
_INLINE_NAMES = """
a abbr acronym b bdi bdo big center cite code em font i ins kbd mark nobr o:p q s samp small span
strike strong sub sup tt u var wbr
"""
_INLINE = frozenset(_INLINE_NAMES.split())
_UNFINISHED = re.compile(r"<[a-zA-Z/][^<>]*+")
"""A tag without its end: no text either."""
_LINE_END = re.compile(r"[\t\r\n]+")
_BLANK = "".join(map(chr, range(0x21)))
"""What browsers leave out of an address: line ends within, and blanks around it."""
_SPACE = re.compile(r"[ \t\r\n\f]+")
_END = ".,;:!?)]}*"
_MAX_TAGS = 10_000
"""What comes after so many is not looked at: confirmations have a few hundred."""


class Anchor(NamedTuple):
    """A link with a text of its own."""

    link: str
    text: str


@dataclass(slots=True)
class Page:
    """One text of a mail, as it is read."""

    text: str = ""
    """Without URLs: what stands between them."""
    links: list[str] = field(default_factory=list)
    anchors: list[Anchor] = field(default_factory=list)


def read_page(source: str, is_html: bool) -> Page:
    """Return what is seen of a text, and what can be opened."""
    page = Page()
    if not is_html:
        page.links = [url.replace("&amp;", "&") for url in urls(source)]
        page.text = URL.sub(" ", source)
        return page
    pieces: list[str] = []
    _Reader(source, page, pieces).read()
    written = "".join(pieces)
    page.links += urls(written)
    page.text = URL.sub(" ", written)
    return page


def urls(text: str) -> Iterator[str]:
    """Yield the URLs that are written out in a text."""
    return (found[0].rstrip(_END) for found in URL.finditer(text))


@lru_cache(maxsize=1024)
def _unescape(entity: str) -> str:
    return html.unescape(entity)


def unescape(text: str) -> str:
    """Return the characters that entities stand for."""
    return _ENTITY.sub(lambda entity: _unescape(entity[0]), text) if "&" in text else text


class _Reader:
    """One pass over the tags of HTML."""

    def __init__(self, source: str, page: Page, pieces: list[str]) -> None:
        self.source, self.page, self.pieces = source, page, pieces
        self.href: str | None = None
        self.anchored: list[str] = []
        self.hidden, self.depth = "", 0

    def read(self) -> None:
        """Read it all."""
        at = 0
        for _ in range(_MAX_TAGS):
            found = _TOKEN.search(self.source, self._next_tag(at))
            if not found:
                self._text(self.source[at:])
                break
            self._text(self.source[at : found.start()])
            at = found.end()
            name = (found["name"] or "").lower()
            if name in _RAW and not found["close"]:
                at = self._after(name, at)
            elif name:
                self._tag(name, bool(found["close"]), found["attributes"])
        self._end_anchor()

    def _next_tag(self, at: int) -> int:
        start = self.source.find("<", at)
        return len(self.source) if start < 0 else start

    def _after(self, name: str, at: int) -> int:
        end = re.compile(f"</{name}", re.IGNORECASE).search(self.source, at)
        return end.start() if end else len(self.source)

    def _text(self, source: str) -> None:
        if not source or self.depth:
            return
        text = unescape(_SPACE.sub(" ", _UNFINISHED.sub(" ", source) if "<" in source else source))
        if self.href is None:
            self.pieces.append(text)
        else:
            self.anchored.append(text)
            self.pieces.append(URL.sub(" ", text))

    def _tag(self, name: str, closes: bool, attributes: str) -> None:
        if self.depth:
            if name == self.hidden:
                self.depth += -1 if closes else 1
            return
        given: dict[str, str] = {}
        if not closes and attributes:
            for key, *values in _ATTRIBUTE.findall(attributes):
                given.setdefault(key.lower(), "".join(values))
            if name not in _VOID and _is_hidden(given):
                self.hidden, self.depth = name, 1
                return
        if name == "a":
            self._end_anchor()
            if "href" in given:
                self.href = _LINE_END.sub("", unescape(given["href"])).strip(_BLANK)
                self.page.links.append(self.href)
        elif name not in _INLINE:
            self.pieces.append("\n")

    def _end_anchor(self) -> None:
        if self.href is not None:
            self.page.anchors.append(Anchor(self.href, "".join(self.anchored)))
        self.href, self.anchored = None, []


def _is_hidden(given: dict[str, str]) -> bool:
    style = given.get("style", "").lower()
    return "hidden" in given or bool(style and _HIDES.search(style))
