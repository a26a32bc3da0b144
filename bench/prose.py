"""What people write: words as frequent as Zipf says, in lines and paragraphs. Pure.

The words are made of syllables, in ASCII, which is the cheapest to read. The same `chance` writes
the same text.
"""

import functools
import random
from itertools import accumulate

WORDS = 20_000
_WORDS_IN_LINE, _LINES_IN_PARAGRAPH, _QUOTED_LINES = 10, 6, 4
_PARAGRAPHS_BETWEEN_QUOTES = 5


def vocabulary() -> list[str]:
    """Return the words, the most frequent first."""
    chance = random.Random(0)
    found: dict[str, None] = {}
    while len(found) < WORDS:
        syllables = chance.randrange(2, 5)
        word = "".join(
            chance.choice("bdfgklmnprstvz") + chance.choice("aeiou") for _ in range(syllables)
        )
        found[word] = None
    return list(found)


def zipf(count: int) -> list[float]:
    """Return the cumulative weights of so many things, the most frequent first."""
    return list(accumulate(1 / rank for rank in range(1, count + 1)))


def some_words(chance: random.Random, count: int) -> list[str]:
    """Return so many words, each as often as it is used."""
    return chance.choices(_words(), cum_weights=_weights(), k=count)


def text(chance: random.Random, words: int) -> str:
    """Return so many words in lines of ten, CRLF after each."""
    chosen = some_words(chance, words)
    lines = (" ".join(chosen[at : at + _WORDS_IN_LINE]) for at in range(0, words, _WORDS_IN_LINE))
    return "\r\n".join(lines) + "\r\n"


def paragraphs(chance: random.Random, size: int) -> str:
    """Return so many characters of sentences, addresses, links and quotes, cut anywhere."""
    if size < len("\r\n"):
        return ""
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
    return " ".join(some_words(chance, _WORDS_IN_LINE)).capitalize() + "."


@functools.cache
def _words() -> list[str]:
    return vocabulary()


@functools.cache
def _weights() -> list[float]:
    return zipf(WORDS)
