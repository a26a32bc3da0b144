"""HTML of a mail: safe to show, and as text.

* It is parsed by libxml2, which takes linear time and stops at depth 256, and handed to nh3 as a
  tree that is well nested: nh3 alone takes minutes for 1 MiB of `<div>`, and gigabytes for
  formatting elements left open. nh3 has the last word: what it wrote, nothing parses again.
* It is free of styles, but where they are asked for: `inline_styles` says which, and why. Then what
  quotes a mail is marked by `data-quoted`, so that a page can fold it.
* Nothing is fetched. The address of a remote image waits in `data-remote-src`, its `alt` is shown
  in its place, and `images` puts it back when the reader asks. Pictures in backgrounds go.
* Images that the mail brings stay: as `data:`, or as `cid:` until `images` puts them in.
* In the text, lines of a blockquote that quotes a mail begin with `>`.
"""

import re
from collections.abc import Iterator
from itertools import chain

from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.html_engine import Inscriptis
from inscriptis.model.config import ParserConfig
from inscriptis.model.html_element import HtmlElement
from lxml import etree
from lxml.html import document_fromstring

from services.timeline.content.allowed_html import BROUGHT_IMAGE, PLAIN, QUOTED, STYLED, UNSEEN
from services.timeline.content.images import REMOTE_SRC, REMOTE_URL
from services.timeline.content.inline_styles import safe_colour
from shared.mail.part import MAX_TEXT, without_control

_FORMATTING = {"a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong"}
_FORMATTING |= {"tt", "u"}
"""Left open, they are opened again in every block that follows: HTML standard, section 13.2.4.3."""
_FLAT = {"table": "div", "tbody": "div", "thead": "div", "tr": "div", "td": "cell", "th": "cell"}
_MAX_HTML_DEPTH, _MAX_COPIES, _MAX_LINES, _MAX_IN_TAG = 200, 200_000, 40_000, 5_000
_FEW_ELEMENTS, _LEAST_PER_ELEMENT = 1_500, 8  # characters; a cell of a table takes ten and more
_MAX_ELEMENTS, _MAX_ESCAPES, _MAX_ESCAPING = 100_000, 3_000, 5_000_000_000
_TAG = re.compile("<[A-Za-z/]")
_IN_TAG = re.compile(r"[\s/\"']")  # stands before each attribute but the first
_VALUE_START = re.compile(r"=\s*+[\"']")
_VALUE = re.compile(r"=\s*+(?:\"([^\"]*+)\"|'([^']*+)')")
_PLAIN_DATA = re.compile(r"(?<=\ssrc=)data:image/[a-z]{1,5};base64,[A-Za-z0-9+/=]++", re.IGNORECASE)
_AMBIGUOUS = re.compile(r"=\s*+[\"']|=\s*+\Z|>")
_TAKEN_OUT = "label"  # by nh3; what is in it stays
_SHOWS_IMAGE = {"img": "src", "image": "src", "input": "src", "video": "poster"}
_FALLBACK = ("noscript", "object", "plaintext", "template", "xmp")
_QUOTES_MAIL = re.compile("quote", re.IGNORECASE)  # gmail_quote, protonmail_quote and others
_INTRODUCES_QUOTE = re.compile(r"(?:^|\s)(?:gmail_attr|moz-cite-prefix|yahoo_quoted)(?:\s|$)")
_QUOTE_START, _QUOTE_END = "\U000fd1d1", "\U000fd1d2"  # for private use
_QUOTE_MARKS = _QUOTE_START + _QUOTE_END
_QUOTE_MARK = re.compile(f"[{_QUOTE_MARKS}]")
_MAX_QUOTE_DEPTH = 9


_LAYOUT = ParserConfig(css={**CSS_PROFILES["strict"], "cell": HtmlElement(suffix=" ")})


def read_html(source: str, *, styles: bool = False) -> tuple[str | None, str, bool]:
    """Return HTML that is safe to show, its text, and whether this is all of it.

    `styles`: keep safe inline styles, for a frame of its own.
    """
    source = _VALUE.sub(_unambiguous, source)
    if _most_attributes(source) > _MAX_IN_TAG:
        return None, re.sub(r"<[^<>]*+>", " ", source), False
    try:
        tree = document_fromstring(source.encode(), parser=etree.HTMLParser(encoding="utf-8"))
    except etree.ParserError:
        return None, "", True  # there is nothing in it
    except etree.LxmlError:
        return None, source, False
    etree.strip_elements(tree, etree.Comment, etree.PI, *UNSEEN, with_tail=False)
    html, lays_out = None, False
    if tree.xpath("count(//*)") <= _MAX_ELEMENTS:
        etree.strip_tags(tree, *_FALLBACK)
        for anchor in tree.iter("a"):
            if "href" not in anchor.attrib:  # it leads nowhere, and nh3 would say how safely
                anchor.tag = _TAKEN_OUT
        _set_remote_images_aside(tree)
        if styles:
            _prepare_design(tree)
        depth, elements, copies = _measured(tree)
        if depth <= _MAX_HTML_DEPTH:
            html = _cleaned(tree, styles) if copies <= _MAX_COPIES else None
            lays_out = elements + source.count("\n") <= _MAX_LINES and (
                elements <= _FEW_ELEMENTS or _LEAST_PER_ELEMENT * elements <= len(source)
            )
    _mark_quotes(tree)
    text = (_laid_out(tree) if lays_out else None) or "\n".join(tree.itertext())
    text = "\n".join(_with_quote_signs(text.split("\n")))
    return html, re.sub("\n{3,}", "\n\n", text), html is not None


def _most_attributes(source: str) -> int:
    """Return how many attributes a tag of this HTML has at most; libxml2 takes quadratic time.

    What stands in a style or a comment may look like a tag or a quote, and be none, so that what is
    a value is not always certain. It is where each `=` before a quote begins a value that holds no
    `>`; each that does not may hide the end of a tag.
    """
    values = sum(1 for _ in _VALUE.finditer(source))
    hidden = sum(1 for _ in _VALUE_START.finditer(source)) - values
    hidden += sum(">" in value[0] for value in _VALUE.finditer(source))
    if not hidden:
        source = _VALUE.sub("= ", _PLAIN_DATA.sub("", source))
    most = 0
    for piece in source.split(">"):
        start = _TAG.search(piece)
        if hidden or start:
            most = max(
                most, len(_IN_TAG.findall(piece, start.start() if start and not hidden else 0))
            )
    return most * (hidden + 1)


def _unambiguous(value: re.Match[str]) -> str:
    """Return a value in which nothing looks like its end; one with a tag in it, as it is."""
    written = value[0][value[0].index("=") + 1 :].lstrip()
    if not _AMBIGUOUS.search(written, 1, len(written) - 1) or _TAG.search(written):
        return value[0]
    inner = written[1:-1].replace("=", "&#61;").replace(">", "&gt;")
    return f"={written[0]}{inner}{written[0]}"


def _cleaned(tree: etree._Element, styles: bool) -> str | None:
    """Return the HTML made safe, None if it is too much."""
    text = "".join(tree.itertext())  # all of it stays, escaped
    if len(text) + 3 * (text.count("<") + text.count(">")) + 4 * text.count("&") > MAX_TEXT:
        return None
    source = etree.tostring(tree, encoding="unicode", method="html")
    if source.count("&") + source.count("\xa0") > _MAX_ESCAPES:
        # nh3 escapes them in time that grows with their number and the length of their text.
        texts = chain(tree.itertext(), tree.xpath("//@*"))
        escaping = sum(len(text) * (text.count("&") + text.count("\xa0")) for text in texts)
        if escaping > _MAX_ESCAPING:
            return None
    html = without_control((STYLED if styles else PLAIN).clean(source)).strip()
    return html if len(html.encode()) <= MAX_TEXT else None


def _set_remote_images_aside(tree: etree._Element) -> None:
    """Move the address of each remote image to where it fetches nothing."""
    for element in [*tree.iter(*_SHOWS_IMAGE)]:
        source = element.attrib.pop(_SHOWS_IMAGE[element.tag], "").strip()
        candidates = element.attrib.pop("srcset", "").split(maxsplit=1)
        element.attrib.pop(REMOTE_SRC, None)
        image = element
        if element.tag != "img":
            if element.tag == "input" and element.get("type", "").strip().lower() != "image":
                continue
            image = etree.Element("img", alt=element.get("alt", ""))
            element.addprevious(image)
            element.tag = _TAKEN_OUT
        if BROUGHT_IMAGE.match(source):
            image.set("src", source)
        elif url := _remote(source) or _remote(next(iter(candidates), "").rstrip(",")):
            image.set(REMOTE_SRC, url)


def _prepare_design(tree: etree._Element) -> None:
    """Keep the ground that a mail gives its whole page, and mark what quotes another mail."""
    for element in tree.iter("*"):
        element.attrib.pop(QUOTED, None)
        of_class = element.get("class", "")
        if _quotes_mail(element) or _INTRODUCES_QUOTE.search(of_class):
            element.set(QUOTED, "")
    for body in tree.iter("body"):
        if body.get("style") or body.get("bgcolor"):
            ground = safe_colour(body.get("bgcolor", ""))
            first = f"background-color:{ground};" if ground else ""
            body.set("style", first + body.get("style", ""))
            body.tag = "div"


def _remote(source: str) -> str:
    """Return the address in full, empty if it is not one of the web."""
    url = re.sub(r"[\t\r\n]", "", source).replace(" ", "%20")
    url = f"https:{url}" if url.startswith("//") else url
    return url if REMOTE_URL.match(url) else ""


def _mark_quotes(tree: etree._Element) -> None:
    """Mark where a mail is quoted; a blockquote may also be there to indent."""
    for element in tree.iter("blockquote"):
        if _quotes_mail(element):
            element.text = _QUOTE_START + (element.text or "")
            element.tail = _QUOTE_END + (element.tail or "")


def _quotes_mail(element: etree._Element) -> bool:
    return element.tag == "blockquote" and bool(
        element.get("type") == "cite" or _QUOTES_MAIL.search(element.get("class", ""))
    )


def _with_quote_signs(lines: list[str]) -> Iterator[str]:
    """Yield the lines; those between marks begin with `>`."""
    depth, is_quoted, is_blank = 0, False, False
    for line in lines:
        is_marked = _QUOTE_START in line or _QUOTE_END in line
        text = line.lstrip(_QUOTE_MARKS) if is_marked else line
        if is_marked:
            depth = _depth_after(depth, line[: len(line) - len(text)])
        inside = (_QUOTE_MARK.sub("", text) if is_marked else text).rstrip()
        if inside:
            if is_blank:
                yield ">" if depth and is_quoted else ""
            yield f"{'>' * min(depth, _MAX_QUOTE_DEPTH)} {inside}" if depth else inside
        is_quoted = depth > 0 if inside else is_quoted
        is_blank = not inside and (is_blank or not line)
        if is_marked:
            depth = _depth_after(depth, text)


def _depth_after(depth: int, text: str) -> int:
    return max(0, depth + text.count(_QUOTE_START) - text.count(_QUOTE_END))


def _measured(tree: etree._Element) -> tuple[int, int, int]:
    """Return depth, elements, and how often an HTML5 parser may copy a formatting element."""
    depth = deepest = elements = formatting = copies = 0
    for event, element in etree.iterwalk(tree, events=("start", "end")):
        if event == "end":
            depth -= 1
            formatting -= element.tag in _FORMATTING
            continue
        depth += 1
        elements += 1
        if depth > deepest:
            deepest = depth
        if element.tag in _FORMATTING:
            formatting += 1
        else:
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
