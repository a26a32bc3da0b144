"""A text in three parts: what it adds, what it quotes, what ends it. The package has the rules."""

import re
from dataclasses import dataclass
from itertools import groupby

from services.timeline.content.new_part.footers import mark_footers
from services.timeline.content.new_part.introductions import Introductions, separator
from services.timeline.content.new_part.lines import Kind, Lines
from services.timeline.content.new_part.signatures import mark_signatures

SNIPPET_LENGTH = 200
"""Characters."""


_MARK = re.compile("^>[> ]*+", re.MULTILINE)
_PART_OF = {Kind.FORWARD_HEAD: Kind.NEW, Kind.QUOTE_HEAD: Kind.QUOTED}


@dataclass(frozen=True, slots=True)
class Split:
    """A text in three parts; each in the order of the text."""

    new: str
    quoted: str
    signature: str
    """The sender's, what programs add, and the footers of mailing lists."""


def split(text: str, *, forward: bool = False) -> Split:
    """Return what the mail adds, apart from what it quotes and what ends it.

    `forward` says that the mail forwards: then a header block heads what is new. Where all of a
    text is a list's footer, the footer is what it adds.
    """
    lines = _read(text, forward)
    for head, part in _PART_OF.items():
        if head in lines.kinds:
            lines.kinds = [part if kind is head else kind for kind in lines.kinds]
    parts = _parts(lines)
    return Split(parts[Kind.NEW], parts[Kind.QUOTED], parts[Kind.SIGNATURE])


def snippet(text: str, *, forward: bool = False) -> str:
    """Return the beginning of what the mail adds in one line of at most 200 characters.

    Where it adds nothing, that of what it quotes, without the lines that introduce it, else that of
    the text. The header fields of a forwarded mail say less than what follows: they are left out.
    """
    lines = _read(text, forward)
    parts = _parts(lines)
    for shown in (parts[Kind.NEW], parts[Kind.QUOTED], text):
        if line := " ".join(_MARK.sub("", shown.strip()[: 10 * SNIPPET_LENGTH]).split()):
            return line[:SNIPPET_LENGTH].rstrip()
    return ""


def _parts(lines: Lines) -> dict[Kind, str]:
    """Return the lines of each kind; where others were between them, a blank line."""
    runs: dict[Kind, list[str]] = {kind: [] for kind in Kind}
    start = 0
    for kind, run in groupby(lines.kinds):
        end = start + len(list(run))
        if joined := "\n".join(lines.whole[start:end]).rstrip().strip("\n"):
            runs[kind].append(joined)
        start = end
    return {kind: "\n\n".join(joined) for kind, joined in runs.items()}


def _read(text: str, forward: bool) -> Lines:
    """Return the lines of a text, each with what it is."""
    lines = Lines(text)
    cut, head = _mark_quotes(lines, forward)
    runs = list(lines.new_runs())
    footers = mark_footers(lines, runs)
    mark_signatures(lines, list(lines.new_runs()) if footers else runs)
    if lines.has_new():
        return lines
    if cut < len(lines):
        lines.mark(cut, head, Kind.FORWARD_HEAD)
        lines.mark(head, len(lines), Kind.NEW)
    elif Kind.QUOTED not in lines.kinds:
        for start, end in footers:
            lines.mark(start, end, Kind.NEW)
    return lines


def _mark_quotes(lines: Lines, forward: bool) -> tuple[int, int]:
    """Mark what is quoted; return where a quote without `>` begins, and where its head ends.

    Both are the number of lines where there is none.
    """
    introductions = Introductions(lines, forward=forward)
    bare, kinds, size = lines.bare, lines.kinds, len(lines)
    at, in_quote = 0, False
    while at < size:
        line = bare[at]
        if not line:
            at += 1
            continue
        is_quoted = line[0] == ">" and (
            in_quote
            or not (
                introductions.closes_an_address(at) or separator(line.lstrip("> ")) == "forwarded"
            )
        )
        if is_quoted:
            kinds[at] = Kind.QUOTED
            in_quote, at = True, at + 1
            continue
        found = introductions.at(at)
        if found is None:
            in_quote, at = False, at + 1
            continue
        start, end = found.start, found.end
        following = lines.next_filled(end)
        is_marked = following < size and bare[following].startswith(">")
        if found.is_forward or (forward and found.is_certain and not is_marked):
            lines.mark(start, end, Kind.FORWARD_HEAD)
            return size, size
        if found.is_certain and not is_marked:
            lines.mark(start, end, Kind.QUOTE_HEAD)
            lines.mark(end, size, Kind.QUOTED)
            return start, end
        if is_marked:
            lines.mark(start, end, Kind.QUOTE_HEAD)
            in_quote = True
        at = end
    return size, size
