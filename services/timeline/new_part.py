"""What a mail adds: its text apart from what it quotes and from its signature. Pure.

Rules:

* Quoted are lines with `>` and the line that introduces them (`On ... wrote:`), and all that
  follows an introduction without `>`: an attribution with a date or an address, the header fields
  that Outlook repeats, `-----Original Message-----`. What stands around lines with `>` is new, so
  that answers below or between are found.
* A forwarded mail is not quoted: it is why the mail was sent. Outlook forwards as it replies, so
  who calls says `forward` where the subject or the event tells.
* Where nothing is recognised all of it is new, and so it is where nothing new would be left before
  an unmarked quote. What is missed is shown once too often; what is hidden is in the full text.
* The signature is what follows `-- `, and the lines that programs add ("Sent from my iPhone").
* Clients introduce in their users' languages: `quote_words`. Linear in the text, whatever it is.
"""

import re
from dataclasses import dataclass
from itertools import groupby

from services.timeline.quote_words import (
    FIELDS,
    FORWARDED,
    ORIGINAL,
    SENT_FROM,
    STARTS,
    WROTE,
    WROTE_THEN_NAME,
)

SNIPPET_LENGTH = 200

_MAX_ATTRIBUTION_LINES, _MAX_ATTRIBUTION, _MAX_NAME = 4, 400, 160  # characters
_MAX_TRIED = 5000  # lines that may introduce something
_MAX_BLOCK, _MAX_SIGNATURE = 20, 30  # lines
_MAX_ADDED = 100  # characters

_WIDE_COLON = "\uff1a"
_RULE = " \t\xa0_-=*\u2014\u2500"
_COLONS = (":", _WIDE_COLON)
_NEW, _QUOTED, _SIGNATURE, _FORWARD_HEAD = "new", "quoted", "signature", "head"

_DIRECTIONS = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_BETWEEN_DASHES = re.compile(r"[-_=]{2,}+\s*+(\S.{0,80}?)\s*[-_=]{2}")
_MARK = re.compile("^>[> ]*+", re.MULTILINE)
_DATE = r"\d{1,4}[./-] ?\d{1,2}[./-] ?\d{2,4}"
_TIME = r"\d{1,2}[:.h]\d\d"
_DIGIT, _DATE_FIRST = re.compile(r"\d"), re.compile(_DATE)
_EVIDENCE = re.compile(rf"{_DATE}|{_TIME}|\S@\S")
_DATED = re.compile(rf"(?:(?<!\d)\d{{4}}(?!\d)|{_DATE}).{{0,60}}?(?<!\d){_TIME}")
_ADDRESS_LAST = re.compile(r"[<(\[][^\s<>()\[\]]{1,320}@[^\s<>()\[\]]{1,320}[>)\]]$")
_IN_BRACKETS_LAST = re.compile(r" ?\([^()]{0,80}\)$")


@dataclass(frozen=True, slots=True)
class Split:
    """A text in three parts; each in the order of the text."""

    new: str
    quoted: str
    signature: str


def split(text: str, *, forward: bool = False) -> Split:
    """Return what the mail adds, apart from what it quotes and its signature."""
    lines = text.split("\n")
    kinds = _kinds(lines, forward)
    if _FORWARD_HEAD in kinds:
        kinds = [_NEW if kind == _FORWARD_HEAD else kind for kind in kinds]
    parts = _parts(lines, kinds)
    return Split(parts[_NEW], parts[_QUOTED], parts[_SIGNATURE])


def snippet(text: str, *, forward: bool = False) -> str:
    """Return the beginning of what the mail adds in one line, else of the whole text.

    The header fields of a forwarded mail say less than what follows them: they are left out.
    """
    lines = text.split("\n")
    for shown in (_parts(lines, _kinds(lines, forward))[_NEW], text):
        if line := " ".join(_MARK.sub("", shown.strip()[: 10 * SNIPPET_LENGTH]).split()):
            return line[:SNIPPET_LENGTH].rstrip()
    return ""


def _parts(lines: list[str], kinds: list[str]) -> dict[str, str]:
    """Return the lines of each kind; where others were between them, a blank line."""
    runs: dict[str, list[str]] = {_NEW: [], _QUOTED: [], _SIGNATURE: [], _FORWARD_HEAD: []}
    start = 0
    for kind, run in groupby(kinds):
        end = start + sum(1 for _ in run)
        if joined := "\n".join(lines[start:end]).rstrip().strip("\n"):
            runs[kind].append(joined)
        start = end
    return {kind: "\n\n".join(joined) for kind, joined in runs.items()}


def _kinds(lines: list[str], forward: bool) -> list[str]:
    """Return the kind of each line."""
    found = _Lines(lines, forward)
    cut = found.mark()
    found.mark_signatures(cut)
    if cut < len(lines) and found.first_new() is None:
        found.kinds[cut:] = [_NEW] * (len(lines) - cut)
    return found.kinds


@dataclass(frozen=True, slots=True)
class _Introduction:
    """Lines that say whose words follow."""

    start: int
    end: int
    is_certain: bool  # else only if lines with `>` follow
    is_forward: bool


class _Lines:
    """The lines of a text, and what each of them is."""

    def __init__(self, lines: list[str], forward: bool) -> None:
        self.kinds = [_NEW] * len(lines)
        self._lines = lines
        self._forward = forward
        self._tried = 0

    def mark(self) -> int:
        """Mark what is quoted, and return where that goes on to the end without `>`."""
        lines, kinds, size = self._lines, self.kinds, len(self._lines)
        at, in_quote = 0, False
        while at < size:
            line = lines[at].strip()
            if not line:
                at += 1
                continue
            is_quoted = line[0] == ">"
            if is_quoted and (in_quote or _separator(line.lstrip("> ")) != "forwarded"):
                kinds[at], in_quote, at = _QUOTED, True, at + 1
                continue
            found = self._introduction(at, line.lstrip("> "))
            if found is None:
                in_quote, at = False, at + 1
                continue
            start, end = self._rule_above(found.start), found.end
            following = self._next_line(end)
            is_marked = following < size and lines[following].lstrip().startswith(">")
            if found.is_forward or (self._forward and found.is_certain and not is_marked):
                kinds[start:end] = [_FORWARD_HEAD] * (end - start)
                return size
            if found.is_certain and not is_marked:
                kinds[start:] = [_QUOTED] * (size - start)
                return start
            if is_marked:
                kinds[start:end], in_quote = [_QUOTED] * (end - start), True
            at = end
        return size

    def _introduction(self, at: int, line: str) -> _Introduction | None:
        """Return what a header block's first line introduces, or an attribution's last one."""
        is_likely = line[:1] in ("-", "_", "=") or ":" in line or _WIDE_COLON in line
        if not is_likely or self._tried > _MAX_TRIED:
            return None
        self._tried += 1
        separator = _separator(line)
        if separator:
            end, _ = self._block(at + 1)
            is_forward = separator == "forwarded" or self._forward
            return _Introduction(at, end, is_certain=True, is_forward=is_forward)
        if _field(line) == "from":
            end, fields = self._block(at)
            if len(fields - {"other"}) > 2 and ("subject" in fields or self._names_one(at, end)):
                return _Introduction(at, end, is_certain=True, is_forward=self._forward)
        if line.rstrip("\u200e\u200f\u202c\u2069* ").endswith(_COLONS):
            return self._attribution(at)
        return None

    def _attribution(self, last: int) -> _Introduction | None:
        """Return the attribution that ends in this line."""
        found: _Introduction | None = None
        text = ""
        for start in range(last, max(-1, last - _MAX_ATTRIBUTION_LINES), -1):
            line = self._lines[start].strip()
            is_another = self.kinds[start] != _NEW or (start < last and line.endswith(":"))
            if not line or is_another or len(line) + len(text) > _MAX_ATTRIBUTION:
                break
            text = f"{_folded(line)} {text}".rstrip()
            weight, begins = _weight(text), text.startswith(STARTS)
            if weight and (found is None or begins):
                found = _Introduction(start, last + 1, is_certain=weight == 2, is_forward=False)
                if begins:
                    break
        return found

    def _block(self, start: int) -> tuple[int, set[str]]:
        """Return where a block of header fields ends, and which fields it has."""
        fields: set[str] = set()
        end, last, was_blank = start, "", False
        for at in range(start, min(len(self._lines), start + _MAX_BLOCK)):
            line = self._lines[at].strip().lstrip("> ")
            field = _field(line) if line else ""
            if field == "from" and "from" in fields:
                break
            if field:
                fields.add(field)
                end, last = at + 1, field
            elif line and last in ("to", "subject") and not was_blank:
                end = at + 1  # a long one goes on
            elif line or (was_blank and fields):
                break
            was_blank = not line
        return end, fields

    def _names_one(self, start: int, end: int) -> bool:
        return any("@" in line for line in self._lines[start:end])

    def _next_line(self, at: int) -> int:
        """Return the first line from there that is not blank."""
        while at < len(self._lines) and not self._lines[at].strip():
            at += 1
        return at

    def _rule_above(self, at: int) -> int:
        """Return where the rule and the blank lines above a line begin."""
        while at and self.kinds[at - 1] == _NEW and not self._lines[at - 1].strip(_RULE):
            at -= 1
        return at

    def mark_signatures(self, end: int) -> None:
        """Mark signatures: at the end of what is new, and where it is first interrupted."""
        first = self.first_new()
        if first is None:
            return
        last = next(i for i in range(end - 1, -1, -1) if self._is_new(i))
        stop = next((i for i in range(first, end) if self.kinds[i] != _NEW), end)
        start = next((i for i in range(last, -1, -1) if self.kinds[i] != _NEW), -1) + 1
        self._mark_signature(first, stop)
        if start != first:
            self._mark_signature(start, last + 1)

    def first_new(self) -> int | None:
        """Return the first line with something new, None if there is none."""
        return next((i for i in range(len(self.kinds)) if self._is_new(i)), None)

    def _is_new(self, at: int) -> bool:
        return self.kinds[at] == _NEW and bool(self._lines[at].strip())

    def _mark_signature(self, start: int, end: int) -> None:
        while end > start and not self._lines[end - 1].strip():
            end -= 1
        for at in range(max(start, end - _MAX_SIGNATURE), end):
            if self._lines[at].rstrip() == "--":
                self.kinds[at:end] = [_SIGNATURE] * (end - at)
                return
            is_last = at + 1 == end or not self._lines[at + 1].strip()
            if is_last and _is_added(self._lines[at]):
                self.kinds[at] = _SIGNATURE


def _folded(line: str) -> str:
    return " ".join(_DIRECTIONS.sub("", line).casefold().replace(_WIDE_COLON, ":").split())


def _separator(line: str) -> str:
    """Return what a line between dashes, or one of Apple's with a colon, says to follow."""
    between = _BETWEEN_DASHES.match(line)
    if not between and (len(line) > _MAX_ADDED or not line.endswith(_COLONS)):
        return ""
    phrase = _folded(between[1] if between else line).rstrip(": ")
    if not FORWARDED.isdisjoint(phrase.split(" / ")) or phrase.startswith("forwarded by "):
        return "forwarded"
    return "original" if between and phrase in ORIGINAL else ""


def _field(line: str) -> str:
    """Return which header field a line begins with, empty if none."""
    name, colon, _ = line[:40].replace(_WIDE_COLON, ":").partition(":")
    return FIELDS.get(_folded(name.strip("* \t\xa0_")), "") if colon else ""


def _weight(text: str) -> int:
    """Return 2 for an attribution, 1 for what is one before a line with `>`, else 0."""
    said = text.rstrip(":* ")
    is_said = _IN_BRACKETS_LAST.sub("", said).endswith(WROTE) or said.endswith(WROTE)
    if not is_said:
        for verb in WROTE_THEN_NAME:
            before, found, name = said.partition(verb)
            is_dated = _DIGIT.search(before) or _DATE_FIRST.match(name)
            is_said = is_said or bool(found and is_dated and len(name) <= _MAX_NAME)
    if is_said:
        return 2 if _EVIDENCE.search(text) else 1
    if _ADDRESS_LAST.search(said):
        return 2 if _DATED.search(text) else 1
    return 0


def _is_added(line: str) -> bool:
    """Return whether a program added the line: "Sent from my iPhone"."""
    return len(line) <= _MAX_ADDED and _folded(line).startswith(SENT_FROM)
