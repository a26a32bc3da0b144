"""The footers that mailing lists add to every mail: Mailman, Google Groups, groups.io and others.

* A footer begins with a rule (underscores, dashes, `-=-=`, stars, `--`) or with a phrase that no
  person writes (`To unsubscribe from this list: send the line`).
* Its first paragraph names an address or a page, and is the list software's, or says how to leave.
  Below a long rule of underscores, Mailman's, it is enough that it speaks of a mailing list, and
  that one of its lines ends in the address or page. The paragraphs below belong to it as long as
  they do the same or hold addresses and pages alone.
* It ends a run of new lines, also before a quote or after one. Mailman's and those that begin with
  a known phrase are found anywhere, as what follows may be the text of another part.
* So a form with underscores, a heading under a rule, a legal notice, and a person's question how to
  unsubscribe stay text.

RFC 2369 has the same in header fields. A text is read alone, as it may be a forwarded one.
"""

import re
from collections.abc import Iterable

from services.timeline.content.new_part.attributions import folded
from services.timeline.content.new_part.footer_words import (
    FIRST_LINES,
    LEAVING,
    LISTS,
    PERSONAL,
    SOFTWARE,
)
from services.timeline.content.new_part.lines import Kind, Lines

_MAX_LINES, _MAX_PARAGRAPH = 45, 14
_MAX_LINE, _MAX_FIRST = 500, 120  # characters
_MAX_TRIED = 200  # rules above the end of a run
_MAX_RUNS = 50  # at the beginning, and as many at the end
_LONG_RULE, _LONG = 30, "_" * 9  # characters
_RULE_CHARACTERS = frozenset("-_=*#~.,+\u2014")
_RULE = re.compile(r"--|---|__|\u2014|[-=_*#~.,+]{5,}")
_LOCATED = re.compile(r"https?://\S|mailto:\S|\S@[\w-]|\bwww\.\w", re.IGNORECASE)
_QUESTION = re.compile(r"[?\uff1f](?=\s|$)")


def mark_footers(lines: Lines, runs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Mark the footers in runs of new lines as what ends a mail; return where each is."""
    found: list[tuple[int, int]] = []
    bare, tried = lines.bare, 0
    for start, end in [*runs[:_MAX_RUNS], *runs[_MAX_RUNS:][-_MAX_RUNS:]]:
        at, tail = start, max(start, end - _MAX_LINES)
        while at < end:
            may_begin = bare[at][:1] in _RULE_CHARACTERS if at >= tail else bare[at][:9] == _LONG
            if not (may_begin or (at >= tail and (at == start or not bare[at - 1]))):
                at += 1
                continue
            tried += at < tail
            if tried > _MAX_TRIED:
                at = max(at, tail)
            footer_end = _footer_end(lines, at, end)
            found += [(at, footer_end)] if footer_end else []
            at = footer_end or at + 1
    for start, end in found:
        lines.mark(start, end, Kind.SIGNATURE)
    return found


def _footer_end(lines: Lines, start: int, end: int) -> int:
    """Return where the footer ends that begins in a line, 0 if none does."""
    first = start
    while first < min(end, start + 4) and (not lines.bare[first] or _is_rule(lines.bare[first])):
        first += 1
    has_rule = first > start
    paragraph_end = _paragraph_end(lines, first, end)
    if paragraph_end == first:
        return 0
    is_known = folded(lines.bare[first][:_MAX_FIRST]).startswith(FIRST_LINES)
    if not (has_rule or is_known):
        return 0
    text = _text(lines, first, paragraph_end)
    if is_known:
        below = min(lines.next_filled(paragraph_end), end)
        text += " " + _text(lines, below, _paragraph_end(lines, below, end))
    if not _LOCATED.search(text):
        return 0
    is_long = _is_long_rule(lines.bare[start])
    names_list = _has(text, SOFTWARE) or (
        is_long and _has(text, LISTS) and _ends_in_place(lines.bare[first:paragraph_end])
    )
    if not (is_known or names_list or _says_how_to_leave(text)):
        return 0
    footer_end = _rest(lines, paragraph_end, min(end, start + _MAX_LINES))
    is_anywhere = is_known or (is_long and names_list)
    return footer_end if footer_end == end or is_anywhere else 0


def _rest(lines: Lines, at: int, end: int) -> int:
    """Return where the paragraphs end that belong to a footer above them."""
    footer_end = at
    while at < end:
        while at < end and not lines.bare[at]:
            at += 1
        paragraph_end = _paragraph_end(lines, at, end)
        text = _text(lines, at, paragraph_end)
        belongs = _has(text, SOFTWARE) or _has(text, LEAVING) or _has(text, LISTS)
        if paragraph_end == at or not (
            belongs or _holds_nothing_else(lines.bare[at:paragraph_end])
        ):
            break
        at = footer_end = paragraph_end
    return footer_end


def _paragraph_end(lines: Lines, start: int, end: int) -> int:
    """Return where a paragraph ends; its start, where it is too long for a footer's."""
    at = start
    while at < end and lines.bare[at]:
        at += 1
        if at - start > _MAX_PARAGRAPH:
            return start
    return at


def _text(lines: Lines, start: int, end: int) -> str:
    return folded(" ".join(line[:_MAX_LINE] for line in lines.bare[start:end]))


def _has(text: str, words: Iterable[str]) -> bool:
    return any(word in text for word in words)


def _says_how_to_leave(text: str) -> bool:
    """Return whether a text tells its readers how to leave, and asks nothing itself."""
    return _has(text, LEAVING) and not _has(text, PERSONAL) and not _QUESTION.search(text)


def _ends_in_place(paragraph: list[str]) -> bool:
    """Return whether a line ends in an address or a page, as no sentence does."""
    last_words = (line[-_MAX_LINE:].split()[-1] for line in paragraph)
    return any(_LOCATED.search(word) and word[-1] not in ".!?" for word in last_words)


def _holds_nothing_else(paragraph: list[str]) -> bool:
    return all(_is_rule(line) or _LOCATED.search(line) for line in paragraph)


def _is_rule(line: str) -> bool:
    return _RULE.fullmatch(line) is not None


def _is_long_rule(line: str) -> bool:
    return len(line) >= _LONG_RULE and line[0] == "_" and not line.strip("_")
