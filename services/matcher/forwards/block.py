"""A header block in the lines of a text: `From: ...`, `Date: ...`, and so on.

A block has at least three labelled lines that say different things, one of them the sender. Without
a separator before it, it must also have a date, and a recipient or a subject. After a separator, a
line whose label is unknown may be recognised by its value, and by the order in which all clients
write: the sender before the recipients.

A block whose From has no address is still a block: otherwise what is quoted further down, which
others wrote, would be taken for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.matcher.forwards.dates import looks_like_date
from services.matcher.forwards.lines import labelled, labelled_without_colon
from services.matcher.forwards.people import read_people, read_sender
from services.matcher.forwards.separators import Separator
from shared.contracts.events import Named
from shared.mail.field_labels import Field, field_of
from shared.mail.headers import decode_text

MAX_BLOCK = 300
"""Lines; a long list of recipients takes many."""
_MAX_FIELDS = 25
_MAX_SUBJECT = 1000
_LISTS = (Field.TO, Field.CC)


@dataclass(frozen=True, slots=True)
class Block:
    """What a header block says."""

    sender: Named | None
    """None when it gives a name alone."""
    to: tuple[Named, ...]
    cc: tuple[Named, ...]
    date: str
    subject: str
    end: int
    """The line after it."""


@dataclass(slots=True)
class _Lines:
    """The lines of a block, while they are read."""

    values: dict[Field, str] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    """Values whose labels are in no table and that stand before the recipients."""
    count: int = 0
    end: int = 0
    last: Field | None = None
    is_spaced: bool = False
    """An empty line follows each of its lines."""
    is_split: bool = False
    """Labels and values stand on lines of their own."""


def read_block(lines: Sequence[str], start: int, behind: Separator | None = None) -> Block | None:
    """Return the block that begins at a line, if one does."""
    read = _read(lines, start, behind)
    values = read.values
    if behind is not None and read.unknown:
        _tell_by_shape(read, behind)
    said = values.keys() - {Field.OTHER}
    date = values.get(Field.DATE, "")
    is_dated = any(char.isdigit() for char in date)
    is_whole = is_dated and bool(said & {Field.TO, Field.SUBJECT})
    if Field.FROM not in said or len(said) < 3 or not (is_whole or behind is not None):
        return None
    return Block(
        sender=read_sender(values[Field.FROM]),
        to=read_people(values.get(Field.TO, "")),
        cc=read_people(values.get(Field.CC, "")),
        date=date,
        subject=decode_text(values.get(Field.SUBJECT, ""))[:_MAX_SUBJECT],
        end=read.end,
    )


def may_begin(line: str) -> bool:
    """Return whether a block may begin with this line, separated or not."""
    found = labelled(line)
    return found is not None and field_of(found[0]) is not None


def _read(lines: Sequence[str], start: int, behind: Separator | None) -> _Lines:
    read = _Lines(end=start)
    number = start
    while number < min(len(lines), start + MAX_BLOCK) and read.count < _MAX_FIELDS:
        line = lines[number]
        if not line:
            if not _goes_on_after_empty(lines, number, read, behind):
                break
            number += 1
            continue
        found = _field(line, behind)
        if found is not None and found[0] is not None:
            what, value = found[0], found[1]
            if what in read.values and what is not Field.OTHER:
                break
            read.values[what] = value
            read.is_split = read.is_split or not (value or read.count)
            read.last = what
            read.count += 1
        elif read.last is not None and _continues(lines, number, read):
            read.values[read.last] = f"{read.values[read.last]} {line}".strip()
        elif found is not None and behind is not None:
            if not read.values.keys() & set(_LISTS):
                read.unknown.append(found[1])
            read.last = None
            read.count += 1
        else:
            break
        number += 1
        read.end = number
    return read


def _field(line: str, behind: Separator | None) -> tuple[Field | None, str] | None:
    """Return what a labelled line says, None for what when its label is in no table."""
    found = labelled(line)
    what = field_of(found[0]) if found else None
    if what is None and behind is not None and (bare := labelled_without_colon(line)):
        return field_of(bare[0]), bare[1]
    return (what, found[1]) if found else None


def _goes_on_after_empty(
    lines: Sequence[str], number: int, read: _Lines, behind: Separator | None
) -> bool:
    following = lines[number + 1] if number + 1 < len(lines) else ""
    if not following or not read.count:
        return False
    if read.is_split and read.last is not None and not read.values[read.last]:
        return True
    found = _field(following, behind)
    if found is None or found[0] is None or found[0] in read.values:
        return False
    if read.count == 1:
        read.is_spaced = True
    return read.is_spaced or read.is_split


def _continues(lines: Sequence[str], number: int, read: _Lines) -> bool:
    """Return whether a line goes on with what the line before says."""
    if read.last is None:
        return False
    line, before = lines[number], read.values[read.last]
    if not before:
        return read.is_split
    if read.last in (*_LISTS, Field.FROM, Field.OTHER):
        is_open = before.endswith((",", ";", "<", "\uff1b", "\uff0c", "\u3001"))
        is_rest = line.startswith(("<", "[mailto:")) and "@" not in before.rpartition(";")[2]
        return is_open or is_rest or before.count("<") > before.count(">")
    following = lines[number + 1] if number + 1 < len(lines) else ""
    found = labelled(following)
    what = field_of(found[0]) if found else None
    return what is not None and what not in read.values and labelled(line) is None


def _tell_by_shape(read: _Lines, behind: Separator) -> None:
    """Say what the lines with unknown labels are; nothing, where that is not sure.

    Behind a separator in known words the rest may be unknown. Behind any other at least a label has
    to be known, or there are a sender, a recipient and a date.
    """
    values = dict(read.values)
    people = [value for value in read.unknown if len(read_people(value)) > 0]
    dates = [value for value in read.unknown if looks_like_date(value) and value not in people]
    others = [value for value in read.unknown if value not in people and value not in dates]
    for what in (Field.FROM, Field.TO, Field.CC):
        is_one = people and (what is not Field.FROM or len(read_people(people[0])) == 1)
        if what not in values and is_one:
            values[what] = people.pop(0)
    if len(dates) == 1:
        values.setdefault(Field.DATE, dates[0])
    if len(others) == 1:
        values.setdefault(Field.SUBJECT, others[0])
    is_sure = Field.DATE in values and looks_like_date(values[Field.DATE])
    if behind is Separator.UNKNOWN and not read.values.keys() - {Field.OTHER}:
        is_sure = is_sure and Field.TO in values
    if is_sure:
        read.values.update(values)
