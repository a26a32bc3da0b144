"""Inline styles of a mail, for its frame alone: what its sender designed, and no way out of it.

Rules:

* A declaration stays when its property is listed and its whole value has the form that is listed
  for it. Everything else goes: no value is repaired.
* No form has a function but colours, so that there is no `url()`, `image-set()`, `var()`, `attr()`
  or `expression()`. None has a backslash, a comment or an at-sign, so that nothing is hidden.
* No form has a negative length, and no property positions, transforms, animates or covers. Units of
  the viewport are left out: the frame is as high as what it holds.
* Of `background` the colour stays, so that light text keeps the dark ground it was written for.
* Linear in the style, whatever it is.
"""

import re
from collections.abc import Iterable

_NUMBER = r"\+?(?:\d{1,4}(?:\.\d{0,12})?|\.\d{1,12})"
_LENGTH = rf"(?:{_NUMBER}(?:px|pt|pc|em|rem|ex|ch|in|cm|mm|%)?)"
_COLOUR = (
    r"(?:#[0-9a-f]{3,8}|rgba?\([0-9.,%/ ]{1,40}\)|hsla?\([0-9.,%/ ]{1,40}(?:deg[0-9.,%/ ]{0,40})?\)"
    r"|[a-z]{3,24})"
)
_LINE = r"(?:none|hidden|solid|dashed|dotted|double|groove|ridge|inset|outset)"
_WIDTH = rf"(?:{_LENGTH}|thin|medium|thick)"
_SIZE = (
    rf"(?:{_LENGTH}|xx-small|x-small|small|medium|large|x-large|xx-large|smaller|larger|inherit)"
)
_NAME = r"[a-z][a-z0-9_-]{0,59}"  # of words with one space between them: one way to read it
_FAMILY = rf"(?:{_NAME}(?: {_NAME}){{0,6}}|'[a-z0-9 ._-]{{1,60}}'|\"[a-z0-9 ._-]{{1,60}}\")"
_FAMILIES = rf"{_FAMILY}(?: ?, ?{_FAMILY}){{0,15}}"
_WEIGHT = r"(?:normal|bold|bolder|lighter|[1-9]00|inherit)"
_SIDES = ("top", "right", "bottom", "left")


def _several(form: str, most: int = 4) -> str:
    return rf"{form}(?: {form}){{0,{most - 1}}}"


def _words(words: str) -> str:
    return f"(?:{'|'.join(words.split())})"


_BORDER = _several(rf"(?:{_WIDTH}|{_LINE}|{_COLOUR})", 3)
_MARGIN = rf"(?:{_LENGTH}|auto)"
_FORMS: dict[str, str] = {
    "background-color": _COLOUR,
    "border": _BORDER,
    "border-collapse": _words("collapse separate"),
    "border-color": _several(_COLOUR),
    "border-radius": _several(_LENGTH),
    "border-spacing": _several(_LENGTH, 2),
    "border-style": _several(_LINE),
    "border-width": _several(_WIDTH),
    "box-sizing": _words("border-box content-box"),
    "clear": _words("left right both none"),
    "color": _COLOUR,
    "direction": _words("ltr rtl"),
    "display": _words(
        "none block inline inline-block list-item table inline-table table-row table-cell "
        "table-row-group table-header-group table-footer-group table-caption"
    ),
    "float": _words("left right none"),
    "font": rf"(?:(?:italic|oblique|small-caps|{_WEIGHT}) ){{0,3}}{_SIZE}(?: ?/ ?{_LENGTH})? "
    rf"{_FAMILIES}",
    "font-family": _FAMILIES,
    "font-size": _SIZE,
    "font-style": _words("normal italic oblique inherit"),
    "font-variant": _words("normal small-caps"),
    "font-weight": _WEIGHT,
    "letter-spacing": rf"(?:{_LENGTH}|normal)",
    "line-height": rf"(?:{_LENGTH}|normal|inherit)",
    "list-style": _several(_words("none disc circle square decimal inside outside lower-alpha"), 2),
    "list-style-type": _words(
        "none disc circle square decimal lower-alpha upper-alpha lower-roman"
    ),
    "margin": _several(_MARGIN),
    "overflow": _words("hidden visible auto"),
    "overflow-wrap": _words("normal break-word anywhere"),
    "padding": _several(_LENGTH),
    "table-layout": _words("auto fixed"),
    "text-align": _words("left right center justify start end inherit"),
    "text-decoration": _several(rf"(?:none|underline|line-through|overline|solid|{_COLOUR})", 3),
    "text-indent": _LENGTH,
    "text-transform": _words("none uppercase lowercase capitalize"),
    "vertical-align": rf"(?:{_LENGTH}|baseline|top|middle|bottom|sub|super|text-top|text-bottom)",
    "white-space": _words("normal nowrap pre pre-wrap pre-line"),
    "word-break": _words("normal break-all break-word keep-all"),
    "word-spacing": rf"(?:{_LENGTH}|normal)",
    "word-wrap": _words("normal break-word"),
    **dict.fromkeys(
        ("width", "min-width", "max-width", "height", "min-height", "max-height"),
        rf"(?:{_LENGTH}|auto|none|inherit)",
    ),
}
for _side in _SIDES:
    _FORMS[f"border-{_side}"] = _BORDER
    _FORMS[f"border-{_side}-color"] = _COLOUR
    _FORMS[f"border-{_side}-style"] = _LINE
    _FORMS[f"border-{_side}-width"] = _WIDTH
    _FORMS[f"margin-{_side}"] = _MARGIN
    _FORMS[f"padding-{_side}"] = _LENGTH
_CHECKS = {name: re.compile(form, re.IGNORECASE | re.ASCII) for name, form in _FORMS.items()}
_COLOUR_ALONE = re.compile(_COLOUR, re.IGNORECASE | re.ASCII)
_GROUND = re.compile(r"#[0-9a-f]{3,8}\b|rgba?\([0-9.,%/ ]{1,40}\)", re.IGNORECASE | re.ASCII)
_SPACE = re.compile(r"[ \t\r\n\f]+")
_IMPORTANT = re.compile(r" ?! ?important\Z", re.IGNORECASE)
_NEVER = re.compile(r"[\\<>{}@*\x00-\x08\x0e-\x1f]")
_MAX_STYLE, _MAX_VALUE, _MAX_DECLARATIONS = 8_000, 400, 100


def safe_style(style: str) -> str | None:
    """Return the declarations of a style attribute that may be shown; None if there are none."""
    kept = ";".join(_kept(style[:_MAX_STYLE].split(";", _MAX_DECLARATIONS)[:_MAX_DECLARATIONS]))
    return kept or None


def safe_colour(value: str) -> str | None:
    """Return a colour as an attribute names it; None if it is none."""
    value = value.strip()
    return value if _COLOUR_ALONE.fullmatch(value) else None


def _kept(declarations: Iterable[str]) -> Iterable[str]:
    for declaration in declarations:
        name, _, value = declaration.partition(":")
        name, value = name.strip().lower(), _SPACE.sub(" ", value).strip()
        if len(value) > _MAX_VALUE or _NEVER.search(value):
            continue
        value = _IMPORTANT.sub("", value)
        if name == "background":
            name, value = "background-color", _ground(value)
        check = _CHECKS.get(name)
        if check is not None and check.fullmatch(value):
            yield f"{name}:{value}"


def _ground(value: str) -> str:
    """Return the colour of a background, with or without a picture; empty if it has none."""
    if _COLOUR_ALONE.fullmatch(value):
        return value
    found = _GROUND.search(
        re.sub(r"\([^()]*\)", lambda f: f[0] if f[0][1].isdigit() else "", value)
    )
    return found[0] if found else ""
