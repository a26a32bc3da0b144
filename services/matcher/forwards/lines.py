"""A text as lines in which a header block can be found, whatever a client did to them.

Marks of quoting, invisible marks of direction, bold, and the pipes of a table drawn in text are
removed. A block on the separator's own line, with nothing between its fields, is cut into lines:
Yahoo writes it so, in some languages without a colon after one of the labels.
"""

import re
from itertools import islice

from services.matcher.forwards.separators import separator_and_rest
from shared.mail.field_labels import LABELS, MAX_LABEL, Field, field_of

MAX_LINES = 10_000
"""What is further down is not looked at."""
_MAX_LINE = 25_000
_MAX_CUT, _MAX_CUTS, _MAX_COLONS = 4000, 10, 60

_UNSEEN = dict.fromkeys(
    (0xAD, 0x61C, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A))
)
_SPACES = dict.fromkeys((0xA0, 0x2007, 0x2028, 0x2029, 0x202F, 0x3000), " ")
_CLEAN = _UNSEEN | _SPACES
_QUOTE = re.compile(r"\s*+(?>(?:[>|\u00a6\u2502] ?)+)")
_ROW = re.compile(r"\s*+\|[^|]{1,60}\|.*\|\s*+")
_COLONS = ":：﹕"
_LABEL_END = re.compile(f"[{_COLONS}]")


def _any_of(*fields: Field) -> str:
    labels = sorted((label for field in fields for label in LABELS[field]), key=len, reverse=True)
    return "|".join(re.escape(label) for label in labels)


_AFTER_ADDRESS = re.compile(rf"(?<=>)({_any_of(Field.TO, Field.CC, Field.DATE)}|Dw) (?=\S)")
_AFTER_DATE = re.compile(rf"(?<=[A-Z\d)])({_any_of(Field.SUBJECT)}) (?=\S)")
"""Labels without a colon, where the field before is sure to have ended."""


def lines_of(text: str) -> list[str]:
    """Return the lines, without what stands around them, the first 10,000."""
    found: list[str] = []
    cuts = 0
    for line in text.split("\n", MAX_LINES)[:MAX_LINES]:
        if line:
            line = line[:_MAX_LINE]
            line = _without_quote(line if line.isascii() else line.translate(_CLEAN))
        if cuts < _MAX_CUTS and (cut := separator_and_rest(line)):
            cuts += 1
            found += [cut[0], *_fields_apart(cut[1])]
        else:
            found.append(line)
    return found


def _without_quote(line: str) -> str:
    if _ROW.fullmatch(line):
        cells = [cell.strip(" *") for cell in line.strip(" |").split("|")]
        cells = [cell for cell in cells if cell]
        return f"{cells[0].rstrip(_COLONS)}: {' '.join(cells[1:])}" if cells else ""
    quote = _QUOTE.match(line)
    return (line[quote.end() :] if quote else line).strip()


def labelled(line: str) -> tuple[str, str] | None:
    """Return label and value of a line that has a colon after at most some words."""
    end = _LABEL_END.search(line, 0, 60)
    if end is None:
        return None
    label, value = line[: end.start()].strip(), line[end.end() :].strip()
    marks = label[: len(label) - len(label.lstrip("*_"))]
    if marks:
        value = value.removeprefix(marks[::-1]).strip()
        label = label.strip("*_ ")
    return (label, value) if label else None


def labelled_without_colon(line: str) -> tuple[str, str] | None:
    """Return label and value of a line that has a known label and no colon behind it."""
    words = line.split(" ", 3)
    for count in (2, 1):
        label = " ".join(words[:count]).strip("*\t")
        if len(words) > count and field_of(label) is not None:
            return label, line[len(" ".join(words[:count])) :].strip()
    first, _, value = line.partition("\t")
    return (first.strip(), value.strip()) if value and field_of(first.strip()) else None


def _fields_apart(text: str) -> list[str]:
    """Cut `From: A <a@x>To: b@xSubject: c` into its fields; the subject is the last."""
    starts, seen = _starts(text)
    before = starts[-1] if Field.SUBJECT in seen else _MAX_CUT
    fields = _AFTER_ADDRESS.sub(r"\1: ", text[:before])
    if Field.SUBJECT not in seen:
        fields = _AFTER_DATE.sub(r"\1: ", fields, count=1)
    if fields != text[:before]:
        text = fields + text[before:]
        starts, _ = _starts(text)
    if len(starts) < 2:
        return [text]
    return [text[a:b].strip() for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]


def _starts(text: str) -> tuple[list[int], set[Field]]:
    """Return where fields begin, up to the subject, and which they are."""
    starts: list[int] = []
    seen: set[Field] = set()
    for colon in islice(_LABEL_END.finditer(text, 0, _MAX_CUT), _MAX_COLONS):
        found = _label_before(text, colon.start())
        if found is not None and found[1] not in seen:
            starts.append(found[0])
            seen.add(found[1])
            if found[1] is Field.SUBJECT:
                break
    return starts, seen


def _label_before(text: str, colon: int) -> tuple[int, Field] | None:
    """Return where the label before a colon begins, and what it says; the longest that is known."""
    for start in range(max(0, colon - MAX_LABEL), colon):
        if text[start].islower() or text[start].isspace():
            continue
        field = field_of(text[start:colon])
        is_apart = start == 0 or text[start - 1] in "> ;"
        if field is Field.SUBJECT or (field and is_apart):
            return start, field
    return None
