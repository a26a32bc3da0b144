"""What introduces a quote or a forwarded mail: an attribution, a header block, a separator.

Only the first 5,000 lines that may be one, by their first or last character or a colon, are
examined. No person writes that many, and the time stays bounded.
"""

import re
from dataclasses import dataclass

from services.timeline.content.new_part import attributions
from services.timeline.content.new_part.attributions import COLONS, Weight, folded, read_attribution
from services.timeline.content.new_part.header_blocks import (
    heading_above,
    read_header_block,
    role_of,
)
from services.timeline.content.new_part.lines import Kind, Lines
from services.timeline.content.new_part.words import FORWARDED, ORIGINAL
from shared.mail.field_labels import Field

_MAX_TRIED = 5000  # lines that may introduce something
_MAX_SEPARATOR = 100  # characters
_MAX_BLANK = 4  # lines
_WIDE_COLON = "\uff1a"
_DASHES = "-_=\u2010-\u2015\u2500"
_LIKELY_FIRST = frozenset("-_=*\u2010\u2014\u2500")
_RULE = " \t\xa0_-=*\u2014\u2500"
_BETWEEN_DASHES = re.compile(rf"\*?[{_DASHES}]{{2,}}+\s*+(\S.{{0,120}}?)\s*[{_DASHES}]{{2}}")
_NOTES_HEADING = re.compile(r".{1,80}---\d{1,4}[./-]\d{1,2}[./-]\d{2,4} \d{1,2}[:.]\d\d.{0,15}---")
_STRAY = "\u200e\u200f\u202c\u2069* "
_BLOCK_STARTS = (Field.FROM, Field.DATE, Field.TO, Field.SUBJECT)


@dataclass(frozen=True, slots=True)
class Introduction:
    """Lines that say whose words follow."""

    start: int
    end: int
    is_certain: bool
    """Else it counts only before lines with `>`."""
    is_forward: bool


class Introductions:
    """Finds what introduces a quote, line by line."""

    def __init__(self, lines: Lines, *, forward: bool) -> None:
        self._lines = lines
        self._forward = forward
        self._tried = 0

    def at(self, number: int) -> Introduction | None:
        """Return what a header block's first line introduces, or an attribution's last one."""
        line = self._lines.bare[number].lstrip("> ")
        is_likely = ":" in line or line[:1] in _LIKELY_FIRST or _WIDE_COLON in line
        if not (is_likely or (line[-1:] == ">" and line[0].isdigit())) or self._tried > _MAX_TRIED:
            return None
        self._tried += 1
        return (
            self._separated(number, line) or self._block(number, line) or self._said(number, line)
        )

    def closes_an_address(self, number: int) -> bool:
        """Return whether a line begins with the `>` of a wrapped address, not of a quote."""
        return attributions.closes_an_address(self._lines, number)

    def _separated(self, number: int, line: str) -> Introduction | None:
        kind = separator(line)
        if not kind:
            return None
        bare = self._lines.bare[number + 1 : number + _MAX_BLANK]
        blank = next((at for at, below in enumerate(bare) if below.strip("> ")), 0)
        first = number + 1 + blank
        block = read_header_block(self._lines, first)
        end = block.end if block.values else number + 1
        return Introduction(
            start=self._above(number),
            end=end,
            is_certain=True,
            is_forward=kind == "forwarded" or (self._forward and kind == "original"),
        )

    def _block(self, number: int, line: str) -> Introduction | None:
        if role_of(line) not in _BLOCK_STARTS:
            return None
        block = read_header_block(self._lines, number)
        self._tried += max(0, block.end - number - 1)
        start: int | None = number
        if not block.heads_a_quote:
            start = heading_above(self._lines, block, number)
        if start is None:
            return None
        start = self._separator_above(start)
        return Introduction(start, block.end, is_certain=True, is_forward=self._forward)

    def _said(self, number: int, line: str) -> Introduction | None:
        if line.rstrip(_STRAY).endswith(COLONS):
            start, weight = read_attribution(self._lines, number)
            if weight is Weight.NONE:
                return None
            is_certain = weight >= Weight.CERTAIN
        elif attributions.has_all(line):
            start, is_certain = number, True
        elif attributions.is_date_and_address(line):
            start, is_certain = number, False
        else:
            return None
        return Introduction(self._above(start), number + 1, is_certain, is_forward=False)

    def _above(self, number: int) -> int:
        """Return where the rule and the blank lines above a line begin."""
        lines = self._lines
        while number and lines.kinds[number - 1] is Kind.NEW and _is_rule(lines.bare[number - 1]):
            number -= 1
        return number

    def _separator_above(self, number: int) -> int:
        """Return where words between dashes begin, in any language, and what `_above` finds."""
        lines = self._lines
        start = self._above(number)
        above = lines.bare[start - 1] if start else ""
        is_one = start and lines.kinds[start - 1] is Kind.NEW and number - start < 3
        if is_one and (
            _BETWEEN_DASHES.match(above) or _NOTES_HEADING.match(above) or folded(above) in ORIGINAL
        ):
            return self._above(start - 1)
        return start


def _is_rule(line: str) -> bool:
    """Return whether a line is blank or a rule, and not the end of a list's footer."""
    return not line.strip(_RULE) and "-=-" not in line


def separator(line: str) -> str:
    """Return what a line between dashes, or one of Apple's with a colon, says to follow."""
    between = _BETWEEN_DASHES.match(line)
    if not between and (len(line) > _MAX_SEPARATOR or not line.endswith(COLONS)):
        return ""
    phrase = folded(between[1] if between else line).rstrip(": ")
    if not FORWARDED.isdisjoint(phrase.split(" / ")) or phrase.startswith("forwarded by "):
        return "forwarded"
    if not between:
        return ""
    if phrase in ORIGINAL:
        return "original"
    return "said" if attributions.is_said(between[1]) else ""
