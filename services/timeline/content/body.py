"""The body of a mail as text and as HTML, made of its pieces.

* The text has a blank line between two pieces, so that a list's footer begins on a line of its own.
* Each piece of HTML is made safe by itself: what one leaves open does not swallow the next. Pieces
  of plain text are escaped, and images stand where the sender put them.
* A program may send a text and the same text in HTML one after the other, as if both were to be
  read. Such a text is shown once.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from urllib.parse import quote

from services.timeline.content.data_images import smaller_html
from services.timeline.content.inline_data import smaller_text
from services.timeline.content.safe_html import read_html
from shared.mail.body import body_of
from shared.mail.headers import decode_text
from shared.mail.part import MAX_TEXT, Part, capped, text_of

_MAX_PIECES = 100
"""Pieces in HTML that are made safe; of others the text is taken."""
_TAG = re.compile(r"<[^<>]*+>")


@dataclass(frozen=True, slots=True)
class ShownBody:
    """A mail's body as it is shown."""

    text: str
    html: str | None
    attached: tuple[Part, ...]
    """The parts that are not shown as text."""
    whole: bool


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part in both forms; `html` is None where nothing can be shown."""

    text: str
    html: str | None
    whole: bool


def read_body(parts: Sequence[Part], *, styles: bool = False) -> ShownBody:
    """Return the text and the HTML to show, and the parts that are attachments.

    `styles`: its HTML with the inline styles that are safe.
    """
    body = body_of(parts)
    texts = body.texts
    pieces = _read(texts, styles)
    left_out = _repeated(body.rich, pieces)
    shown = [part for part in body.plain if part not in left_out[1:]]
    text, text_whole = _joined(shown, pieces)
    html, html_whole = _html([part for part in body.rich if part not in left_out[:1]], pieces)
    return ShownBody(
        text=text,
        html=html,
        attached=tuple(part for part in parts if part not in pieces),
        whole=text_whole and html_whole and all(piece.whole for piece in pieces.values()),
    )


def _read(texts: Iterable[Part], styles: bool) -> dict[Part, _Piece]:
    """Read the pieces, of each form up to MAX_TEXT bytes in all."""
    left = {"text/plain": MAX_TEXT, "text/html": MAX_TEXT}
    pieces: dict[Part, _Piece] = {}
    for number, part in enumerate(texts):
        small, images_whole = smaller_html(part)
        source, whole = text_of(smaller_text(small), left[part.content_type])
        left[part.content_type] -= min(left[part.content_type], len(small.data))
        if part.content_type == "text/plain":
            pieces[part] = _Piece(source, None, whole)
        elif number < _MAX_PIECES:
            html, text, read_whole = read_html(source, styles=styles)
            pieces[part] = _Piece(text.strip("\n"), html, whole and images_whole and read_whole)
        else:
            pieces[part] = _Piece(_TAG.sub(" ", source).strip(), None, whole=False)
    return pieces


def _joined(shown: Sequence[Part], pieces: dict[Part, _Piece]) -> tuple[str, bool]:
    """Return the text of these parts as one, and whether that is all of it."""
    if len(shown) == 1 and shown[0].content_type == "text/plain":
        return pieces[shown[0]].text, True  # `text_of` capped it
    return capped("\n\n".join(pieces[part].text for part in shown if pieces[part].text))


def _repeated(rich: Sequence[Part], pieces: dict[Part, _Piece]) -> tuple[Part, ...]:
    """Return two neighbours, a text and the same text in HTML; nothing if there are none."""
    for one, other in pairwise(rich):
        is_pair = (one.content_type, other.content_type) == ("text/plain", "text/html")
        if is_pair and _words(pieces[one].text) == _words(pieces[other].text):
            return one, other
    return ()


def _words(text: str) -> str:
    return "".join(text.split())


def _html(rich: Iterable[Part], pieces: dict[Part, _Piece]) -> tuple[str | None, bool]:
    """Return the HTML of these parts, and whether that is all of it."""
    shown: list[str] = []
    for part in rich:
        piece = pieces.get(part)
        if piece is None:
            shown.append(_picture(part))
        elif part.content_type == "text/plain":
            shown.append(f"<div>{escape(piece.text).replace(chr(10), '<br>')}</div>")
        elif piece.html is not None:
            shown.append(piece.html)
        elif not piece.whole:
            return None, False
    html = "\n".join(shown)
    return (html or None, True) if len(html.encode()) <= MAX_TEXT else (None, False)


def _picture(part: Part) -> str:
    """Return a picture that the mail brings; `images` puts it in when the mail is shown."""
    name = escape(decode_text(part.filename))
    return f'<img src="cid:{escape(quote(part.content_id))}" alt="{name}">'
