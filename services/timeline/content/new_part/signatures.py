"""The end of a mail that is not part of what it says: a signature, and lines that programs add.

A signature follows a line `--` and has at most 30 lines (RFC 3676 section 4.3 names the delimiter).
It is looked for at the end of the new text, and where a quote first interrupts that.
"""

from services.timeline.content.new_part.attributions import folded
from services.timeline.content.new_part.lines import Kind, Lines
from services.timeline.content.new_part.words import SENT_FROM

_MAX_SIGNATURE = 30  # lines
_MAX_ADDED = 100  # characters


def mark_signatures(lines: Lines, runs: list[tuple[int, int]]) -> None:
    """Mark the signatures of the first and the last of the runs of new lines."""
    for start, end in dict.fromkeys([*runs[:1], *runs[-1:]]):
        _mark_signature(lines, start, end)


def _mark_signature(lines: Lines, start: int, end: int) -> None:
    start = max(start, end - _MAX_SIGNATURE)
    for at in range(start, end):
        if lines.whole[at].rstrip() == "--":
            lines.mark(at, end, Kind.SIGNATURE)
            end = at
            break
    is_last = True
    for at in range(end - 1, start - 1, -1):
        line = lines.bare[at]
        if is_last and line and _is_added(line):
            lines.mark(at, at + 1, Kind.SIGNATURE)
        else:
            is_last = not line


def _is_added(line: str) -> bool:
    """Return whether a program added the line: "Sent from my iPhone"."""
    return len(line) <= _MAX_ADDED and folded(line).startswith(SENT_FROM)
