"""What HTML of a mail may contain: elements, attributes and the patterns of their values.

There are two cleaners, made once: `PLAIN` for any page, without styles; `STYLED` for a frame of its
own, with styles for the layout. nh3 removes everything that is in neither.
"""

import re

import nh3

from services.timeline.content.images import REMOTE_SRC, REMOTE_URL
from services.timeline.content.inline_styles import safe_colour, safe_style

UNSEEN = {"head", "iframe", "math", "noembed", "noframes", "script", "style", "svg", "textarea"}
UNSEEN |= {"title"}
_SIZE = re.compile(r"[0-9]{1,4}%?\Z", re.ASCII)
_WORD = re.compile(r"[a-zA-Z]{1,12}\Z", re.ASCII)
_FACE = re.compile(r"[A-Za-z0-9 ,'_-]{1,120}\Z", re.ASCII)
_LINK = re.compile(r"(?:https?|mailto|tel):", re.IGNORECASE)
BROUGHT_IMAGE = re.compile(r"cid:|data:image/(?:bmp|gif|jpe?g|png|webp);base64,", re.IGNORECASE)
QUOTED = "data-quoted"


def _kept(_tag: str, attribute: str, value: str) -> str | None:
    allowed = {"cite": _LINK, "href": _LINK, "src": BROUGHT_IMAGE, REMOTE_SRC: REMOTE_URL}
    pattern = allowed.get(attribute)
    return value if pattern is None or pattern.match(value) else None


def _kept_styled(tag: str, attribute: str, value: str) -> str | None:
    if attribute == "style":
        return safe_style(value)
    if attribute in ("bgcolor", "color"):
        return safe_colour(value)
    if attribute == QUOTED:
        return ""
    form = _FORMS.get(attribute)
    return _kept(tag, attribute, value) if form is None or form.match(value) else None


_FORMS = {
    **dict.fromkeys(("border", "cellpadding", "cellspacing", "height", "size", "width"), _SIZE),
    **dict.fromkeys(("align", "valign", "nowrap"), _WORD),
    "face": _FACE,
}
_TABLE = {"align", "bgcolor", "border", "cellpadding", "cellspacing", "height", "width"}
_CELL = {"align", "bgcolor", "height", "nowrap", "valign", "width"}
_PLAIN: dict[str, set[str]] = {
    **nh3.ALLOWED_ATTRIBUTES,
    "*": {"dir", "lang", "title"},
    "img": {*nh3.ALLOWED_ATTRIBUTES["img"], REMOTE_SRC},
}
_DESIGNED: dict[str, set[str]] = {
    "*": {"style", QUOTED},
    "font": {"color", "face", "size"},
    "img": {"border"},
    "table": _TABLE,
    **dict.fromkeys(("tbody", "td", "tfoot", "th", "thead", "tr"), _CELL),
    **{tag: {"align"} for tag in ("center", "div", "h1", "h2", "h3", "h4", "p")},
}


def _cleaner(styles: bool) -> nh3.Cleaner:
    more = _DESIGNED if styles else {}
    return nh3.Cleaner(
        tags=(nh3.ALLOWED_TAGS - {"area", "map"}) | ({"font"} if styles else set()),
        attributes={tag: _PLAIN.get(tag, set()) | more.get(tag, set()) for tag in {*_PLAIN, *more}},
        attribute_filter=_kept_styled if styles else _kept,
        clean_content_tags=UNSEEN,
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
        url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
        url_relative="deny",
    )


PLAIN, STYLED = _cleaner(styles=False), _cleaner(styles=True)
