"""An ordinary mail in plain text, of any size: what crafted ones are compared with. Pure.

It is what people write to each other: words as frequent as Zipf says, in lines and paragraphs, with
addresses, links, quoted lines and a signature. ASCII, which is the cheapest to read. The same size
is the same mail.
"""

import functools
import random
from itertools import accumulate

from bench.mailbox import vocabulary

_HEAD = (
    "From: Anna Lind <anna.lind@mail.example>\r\n"
    "To: Otto Wolf <otto.wolf@agency.example>, one@in.satchel.test\r\n"
    "Subject: Interview on Thursday\r\n"
    "Message-ID: <1.2026@mail.example>\r\n"
    "In-Reply-To: <0.2026@agency.example>\r\n"
    "Date: Thu, 15 Jan 2026 10:00:00 +0100\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n\r\n"
)
_SIGNATURE = "-- \r\nAnna Lind\r\nhttps://lind.example/anna\r\n"
_WORDS_IN_LINE, _LINES_IN_PARAGRAPH, _QUOTED_LINES = 10, 6, 4
_PARAGRAPHS_BETWEEN_QUOTES = 5


@functools.lru_cache(maxsize=8)
def ordinary_mail(size: int) -> bytes:
    """Return a mail of so many bytes, or of the fewest that an ordinary one takes."""
    room = size - len(_HEAD) - len(_SIGNATURE)
    return (_HEAD + _text(room) + _SIGNATURE).encode()


def _text(size: int) -> str:
    """Return so many characters, cut anywhere."""
    if size <= 0:
        return ""
    chance = random.Random(1)
    pieces: list[str] = []
    length = number = 0
    while length < size:
        pieces.append(_paragraph(chance, number))
        length += len(pieces[-1])
        number += 1
    return "".join(pieces)[: size - 2] + "\r\n"


def _paragraph(chance: random.Random, number: int) -> str:
    lines = [_line(chance) for _ in range(_LINES_IN_PARAGRAPH)]
    if number % _PARAGRAPHS_BETWEEN_QUOTES == 1:
        name = chance.choice(_words())
        lines.append(f"Please write to {name}@mail.example, or see https://{name}.example/x?id=1.")
    if number % _PARAGRAPHS_BETWEEN_QUOTES == 2:
        quoted = [f"> {_line(chance)}" for _ in range(_QUOTED_LINES)]
        by = "On Fri, Jan 9, 2026 at 10:00 Otto Wolf <otto.wolf@agency.example> wrote:"
        lines += ["", by, *quoted]
    return "\r\n".join([*lines, "", ""])


def _line(chance: random.Random) -> str:
    chosen = chance.choices(_words(), cum_weights=_weights(), k=_WORDS_IN_LINE)
    return " ".join(chosen).capitalize() + "."


@functools.cache
def _words() -> list[str]:
    return vocabulary()


@functools.cache
def _weights() -> list[float]:
    return list(accumulate(1 / rank for rank in range(1, len(_words()) + 1)))
