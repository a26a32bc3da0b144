"""HTML as the lines that a reader sees, enough to find a header block in it.

Own code, one pass over the tags: linear, whatever is nested or left open. The result is never
shown. The address of a `mailto:` link is appended to its text, unless it is there already.
"""

import html
import re
from functools import lru_cache
from urllib.parse import unquote

_TAG = re.compile(
    r"<(/?)([a-zA-Z][a-zA-Z0-9:]{0,20})((?>[^<>\"']|\"[^\"<>]*+\"|'[^'<>]*+'|[\"'])*)>"
)
_BLOCK_NAMES = """
address article aside blockquote body caption center dd div dl dt fieldset figure footer form h1 h2
h3 h4 h5 h6 header hr li main ol p pre section table tbody thead tfoot tr ul
"""
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_CELLS = {"td", "th"}
_RAW = {"style", "script", "title"}
_MAILTO = re.compile(r"""\bhref\s{0,3}=\s{0,3}["']?\s?mailto:([^"'?>\s]{3,320})""", re.IGNORECASE)
_ENTITY = re.compile(r"&#?[0-9A-Za-z]{1,31};?")
"""Bounded: `html.unescape` raises on a number of 5,000 digits."""
_SPACE = re.compile(r"[ \t\r\n\f]+")
_MAX_TAGS = 25_000
"""What comes after so many is not looked at."""
_RULE = "_" * 32
_unescape = lru_cache(maxsize=1024)(html.unescape)


def text_of_html(source: str) -> str:
    """Return the text of HTML, a line for every line and block."""
    writer = _Writer()
    at = start = 0
    for _ in range(_MAX_TAGS):
        start = source.find("<", start)
        if start < 0:
            writer.text(source[at:])
            break
        end = _end_of_comment(source, start)
        tag = None if end else _TAG.match(source, start)
        if not end and tag is None:  # a `<` that is text
            start += 1
            continue
        if start > at:
            writer.text(source[at:start])
        at = start = end if tag is None else writer.skip(source, tag)
    return "".join(writer.pieces)


def _end_of_comment(source: str, start: int) -> int:
    """Return the end of the comment or declaration that begins there, 0 if there is none."""
    if source[start + 1 : start + 2] not in ("!", "?"):
        return 0
    closing = "-->" if source.startswith("<!--", start) else ">"
    end = source.find(closing, start)
    return end + len(closing) if end >= 0 else len(source)


def _character(entity: re.Match[str]) -> str:
    return _unescape(entity[0])


class _Writer:
    """The text so far."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.is_at_line_start = True
        self.preformatted = 0
        self.link = ""
        self.linked: list[str] = []

    def skip(self, source: str, tag: re.Match[str]) -> int:
        """Handle a tag; return where the text goes on."""
        name = tag[2].lower()
        if name in _RAW and not tag[1]:
            close = re.compile(f"</{name}", re.IGNORECASE).search(source, tag.end())
            return close.start() if close else len(source)
        self.tag(name, bool(tag[1]), tag[3])
        return tag.end()

    def tag(self, name: str, closes: bool, attributes: str) -> None:
        """Write what a tag means for the lines."""
        if name == "br":
            self.pieces.append("\n")
            self.is_at_line_start = True
        elif name == "hr":
            self._break()
            self.pieces.append(f"{_RULE}\n")
        elif name in _BLOCKS:
            self._break()
            if name == "pre":
                self.preformatted = max(0, self.preformatted + (1, -1)[closes])
        elif name in _CELLS:
            self.pieces.append(" ")
        elif name == "a":
            self._end_link()
            if not closes and (target := _MAILTO.search(attributes)):
                self.link = unquote(html.unescape(target[1]))

    def text(self, source: str) -> None:
        """Write text."""
        if not self.preformatted:
            source = _SPACE.sub(" ", source)
            if self.is_at_line_start:
                source = source.lstrip(" ")
        if source:
            text = _ENTITY.sub(_character, source) if "&" in source else source
            self.pieces.append(text)
            self.is_at_line_start = False
            if self.link:
                self.linked.append(text)

    def _break(self) -> None:
        if self.link:
            self._end_link()
        if not self.is_at_line_start:
            self.pieces.append("\n")
            self.is_at_line_start = True

    def _end_link(self) -> None:
        if self.link and self.link.lower() not in "".join(self.linked).lower():
            self.pieces.append(f" <{self.link}>")
        self.link, self.linked = "", []
