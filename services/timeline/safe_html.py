"""HTML of a mail: safe to show, and as text.

It is parsed by libxml2, which takes linear time and stops at depth 256, and handed to nh3 as a tree
that is well nested: nh3 alone takes minutes for 1 MiB of `<div>`, and gigabytes for formatting
elements left open. No image is fetched: those stay that the mail brings.
"""

import re

import nh3
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.html_engine import Inscriptis
from inscriptis.model.config import ParserConfig
from inscriptis.model.html_element import HtmlElement
from lxml import etree
from lxml.html import HTMLParser, document_fromstring

from shared.mime import CONTROL, MAX_TEXT

_UNSEEN = {"head", "math", "script", "style", "svg", "textarea", "title"}
_FORMATTING = {"a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong"}
_FORMATTING |= {"tt", "u"}
"""Left open, they are opened again in every block that follows: HTML standard, section 13.2.4.3."""
_FLAT = {"table": "div", "tbody": "div", "thead": "div", "tr": "div", "td": "cell", "th": "cell"}
_MAX_HTML_DEPTH, _MAX_COPIES, _MAX_LINES, _MAX_IN_TAG = 200, 200_000, 40_000, 5_000
_IN_TAG = re.compile(r"[\s/\"']")  # many attributes in one tag take quadratic time
_LINK = re.compile(r"(?:https?|mailto|tel):", re.IGNORECASE)
_BROUGHT_IMAGE = re.compile(r"cid:|data:image/(?:bmp|gif|jpeg|png|webp);base64,", re.IGNORECASE)


def _kept(_tag: str, attribute: str, value: str) -> str | None:
    allowed = {"href": _LINK, "src": _BROUGHT_IMAGE}.get(attribute)
    return value if allowed is None or allowed.match(value) else None


_CLEANER = nh3.Cleaner(
    attribute_filter=_kept,
    clean_content_tags=_UNSEEN,
    link_rel="noopener noreferrer nofollow",
    url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
    url_relative="deny",
)
_LAYOUT = ParserConfig(css={**CSS_PROFILES["strict"], "cell": HtmlElement(suffix=" ")})


def read_html(source: str) -> tuple[str | None, str, bool]:
    """Return HTML as it may be shown, as text, and whether that is all of it."""
    if max(len(_IN_TAG.findall(tag)) for tag in source.split(">")) > _MAX_IN_TAG:
        return None, re.sub(r"<[^<>]*+>", " ", source), False
    try:
        tree = document_fromstring(source.encode(), parser=HTMLParser(encoding="utf-8"))
    except etree.ParserError:
        return None, "", True  # there is nothing in it
    except etree.LxmlError:
        return None, source, False
    etree.strip_elements(tree, etree.Comment, etree.PI, *_UNSEEN, with_tail=False)
    depth, elements, copies = _measured(tree)
    html = None
    if depth <= _MAX_HTML_DEPTH and copies <= _MAX_COPIES:
        html = _CLEANER.clean(etree.tostring(tree, encoding="unicode", method="html"))
        html = CONTROL.sub("", html).strip()
        html = html if len(html.encode()) <= MAX_TEXT else None
    lays_out = depth <= _MAX_HTML_DEPTH and elements + source.count("\n") <= _MAX_LINES
    text = (_laid_out(tree) if lays_out else None) or "\n".join(tree.itertext())
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    return html, re.sub("\n{3,}", "\n\n", text), html is not None


def _measured(tree: etree._Element) -> tuple[int, int, int]:
    """Return depth, elements, and how often an HTML5 parser may copy a formatting element."""
    depth = deepest = elements = formatting = copies = 0
    for event, element in etree.iterwalk(tree, events=("start", "end")):
        step = 1 if event == "start" else -1
        depth += step
        deepest = max(deepest, depth)
        elements += step > 0
        if element.tag in _FORMATTING:
            formatting += step
        elif step > 0:
            copies += formatting
    return deepest, elements, copies


def _laid_out(tree: etree._Element) -> str | None:
    """Return the text in lines and lists, None if that fails."""
    # Inscriptis pads as styles and tables ask, to gigabytes if a mail likes.
    for element in tree.iter("*"):
        element.attrib.clear()
        if element.tag in _FLAT:
            element.tag = _FLAT[element.tag]
    try:
        return str(Inscriptis(tree, _LAYOUT).get_text())
    except Exception:  # a foreign library on anyone's HTML: there is a plainer way
        return None
