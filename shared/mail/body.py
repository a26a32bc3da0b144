"""Which parts of a mail are its text, in the order in which they are read.

Rules:

* Text between pictures and files is text too: Apple Mail writes it so, and mailing lists append
  their footers so. All pieces are the body, in their order.
* Of alternatives (RFC 2046 section 5.1.4) one is read as plain text, one as HTML. Pieces that have
  one form alone stand for both.
* What its sender calls an attachment is one. A text with a file name is one too, where another
  text is there; a footer is no such text. Where no other is there, the first is the body, with
  those that have the same name but for the extension (`body.txt`, `body.html`), or a name that
  programs give to bodies as well (`text.txt`, `html.html`). Other extensions (`data.csv`) are those
  of files.
* A picture between two pieces of text stands there in the HTML as well. It stays an attachment.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from shared.mail.part import MAX_TEXT, Part, text_of

_FOOTER = re.compile(rb"\s{0,20}(?:[_=*#~-][_=*#~ -]{4,}|-- ?\r?\n)")
_FILE = re.compile(r"\.(?!(?:te?xt|[sx]?html?)\Z)[a-z][a-z0-9_-]{0,9}\Z", re.IGNORECASE)
"""How the name of a file ends that no program gives to a body."""
_BODY = re.compile(r"(?:body|content|html?|e?mail|message|msg|part|plain|te?xt)[ ._-]?\d{0,5}")
"""What programs call bodies, without the extension."""
_PICTURES = ("image/png", "image/jpeg", "image/jpg", "image/pjpeg", "image/gif", "image/webp")


@dataclass(frozen=True, slots=True)
class Body:
    """The pieces of a mail's text, in both forms; of two equal forms each is there once."""

    plain: tuple[Part, ...] = ()
    """text/plain, and text/html where a piece has no other form."""
    rich: tuple[Part, ...] = ()
    """text/html, pieces in text/plain between them, and pictures; empty if no piece is HTML."""

    @property
    def texts(self) -> list[Part]:
        """Return the parts that are read, each once: no other part is hidden in a text."""
        return [*dict.fromkeys(part for part in (*self.plain, *self.rich) if part.may_be_body)]


def body_of(parts: Sequence[Part]) -> Body:
    """Return what is read as the text of a mail with these parts."""
    pieces: list[_Piece] = []
    for alternative, group in groupby(parts, key=lambda part: part.alternative):
        found = [*group]
        pieces += [_alternatives(found)] if alternative else map(_single, found)
    return _joined(pieces)


def joined_text(parts: Iterable[Part]) -> str:
    """Return the text of these text/plain parts, with a blank line between two of them."""
    return "\n\n".join(text for _, text in _texts(parts) if text)


def joined_source(parts: Iterable[Part]) -> str:
    """Return the text of these parts as one HTML, as written and not safe to show."""
    return "\n<br>\n".join(
        text if part.content_type == "text/html" else escape(text).replace("\n", "<br>")
        for part, text in _texts(parts)
    )


def _texts(parts: Iterable[Part]) -> Iterator[tuple[Part, str]]:
    """Yield each part's text, of up to MAX_TEXT bytes in all."""
    left = MAX_TEXT
    for part in parts:
        yield part, text_of(part, left)[0]
        left -= min(left, len(part.data))


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part, or several that are alternatives."""

    plain: tuple[Part, ...] = ()
    rich: tuple[Part, ...] = ()
    is_picture: bool = False
    is_footer: bool = False
    filename: str = ""

    @property
    def is_text(self) -> bool:
        return bool(self.plain or self.rich)


def _single(part: Part) -> _Piece:
    if not part.may_be_body or _FILE.search(part.filename):
        is_inline = not part.is_attached and not part.is_companion
        is_picture = is_inline and part.content_type in _PICTURES
        return _Piece(rich=(part,), is_picture=True) if is_picture else _Piece()
    if part.content_type == "text/html":
        return _Piece((part,), (part,), filename=part.filename)
    is_footer = not part.filename and _FOOTER.match(part.data) is not None
    return _Piece((part,), is_footer=is_footer, filename=part.filename)


def _alternatives(parts: list[Part]) -> _Piece:
    """Return the first plain form and the first form in HTML."""
    forms = [_joined([*map(_single, branch)]) for _, branch in groupby(parts, lambda p: p.branch)]
    plain = next((form for form in forms if form.plain and not form.rich), None)
    rich = next((form for form in forms if form.rich), None)
    if plain is None:
        return _Piece(rich.plain, rich.rich) if rich else _Piece()
    return _Piece(plain.plain, rich.rich if rich else ())


def _joined(pieces: list[_Piece]) -> Body:
    chosen = _chosen(pieces)
    if not chosen:
        return Body()
    plain = [part for number in chosen for part in pieces[number].plain]
    rich: list[Part] = []
    if any(pieces[number].rich for number in chosen):
        for number in range(chosen[0], chosen[-1] + 1):
            if number in chosen or pieces[number].is_picture:
                rich += pieces[number].rich or pieces[number].plain
    return Body(tuple(plain), tuple(rich))


def _chosen(pieces: list[_Piece]) -> list[int]:
    """Return which pieces are read."""
    texts = [n for n, piece in enumerate(pieces) if piece.is_text and not piece.is_picture]
    unnamed = [n for n in texts if not pieces[n].filename]
    named = [n for n in texts if pieces[n].filename]
    if not named or not all(pieces[n].is_footer for n in unnamed):
        return unnamed
    stem = _stem(pieces[named[0]])
    return [n for n in texts if pieces[n].is_footer or _are_one(stem, _stem(pieces[n]))]


def _are_one(stem: str, other: str) -> bool:
    return stem == other or all(_BODY.fullmatch(name) for name in (stem, other))


def _stem(piece: _Piece) -> str:
    return piece.filename.rpartition(".")[0].lower() or piece.filename
