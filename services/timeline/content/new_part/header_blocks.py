"""The header fields that clients repeat above the mail that is answered, in any order.

* A block has at least three fields that say different things, among them the sender and the time.
  It has an address, or a subject and a time of day, or begins with `From:` and has all four.
* So these are no blocks: an itinerary (`From: Berlin`, `To: Paris`, `Date: 9 January`), the fields
  of a form, instructions for a mail (`From:`, `To:`, `Subject:`), an appointment (`Date:`, `Time:`,
  `Place:`).
* Lotus Notes may name the sender and the time above it, and begin with `To:`.
"""

import re
from dataclasses import dataclass, field

from services.timeline.content.new_part.lines import Lines
from shared.mail.field_labels import Field, field_of

MAX_BLOCK = 30
"""Lines."""
_MAX_CONTINUED, _MAX_SUBJECT, _MAX_LABEL = 15, 2, 40
_MAX_HEADING, _MAX_BLANK = 80, 3
_ADDRESS = re.compile(r"[\w.+'-]@[\w-]")
_TIME = re.compile(r"(?<!\d)(?<!\d\.)\d{1,2} ?[:.hH時시点點] ?\d\d(?!\d|\.\d)")
"""A time of day, and not the day and the month of `10.02.2026`."""
_LABELLED = re.compile(r"[\w*][\w .*'-]{0,25}\s?[:\uff1a]")
_AROUND_LABEL = "* \t\xa0_\u200e\u200f\u202a\u202b"
_ROLES = (Field.FROM, Field.DATE, Field.TO, Field.SUBJECT)


@dataclass(slots=True)
class HeaderBlock:
    """The fields in a row, and where they end."""

    end: int
    values: dict[Field, str] = field(default_factory=dict)
    """By role; copies count as recipients."""

    @property
    def heads_a_quote(self) -> bool:
        """Return whether this is what a client writes above a mail."""
        values = self.values
        date = values.get(Field.DATE)
        if not date or not values.get(Field.FROM) or sum(role in values for role in _ROLES) < 3:
            return False
        if self.names_an_address:
            return True
        if Field.SUBJECT not in values:
            return False
        is_outlooks = next(iter(values)) is Field.FROM and Field.TO in values
        return is_outlooks or _TIME.search(date) is not None

    @property
    def names_an_address(self) -> bool:
        """Return whether the sender or a recipient has an address."""
        people = (self.values.get(role, "") for role in (Field.FROM, Field.TO))
        return any(_ADDRESS.search(value) for value in people)


def role_of(line: str) -> Field | None:
    """Return which header field a line begins with, None if none."""
    name = line[: _MAX_LABEL + 4].replace("\uff1a", ":").partition(":")[0]
    if len(name) > _MAX_LABEL or len(name) == len(line):
        return None
    role = field_of(name.strip(_AROUND_LABEL))
    return Field.TO if role is Field.CC else role


def read_header_block(lines: Lines, start: int) -> HeaderBlock:
    """Return the header fields from a line on; none, where none begins there.

    A blank line may stand between fields, once the sender was named.
    """
    block = HeaderBlock(end=start)
    values = block.values
    last, continued, was_blank = Field.OTHER, 0, False
    for at in range(start, min(len(lines), start + MAX_BLOCK)):
        line = lines.bare[at].lstrip("> ")
        if not line:
            if was_blank or Field.FROM not in values:
                break
            was_blank = True
            continue
        role = role_of(line)
        if role is not None:
            if role in values and role not in (Field.TO, Field.OTHER):
                break
            values[role] = f"{values.get(role, '')} {_value(line)}".strip()
            last, continued = role, 0
        elif values and not was_blank and _goes_on(last, values[last], line, continued):
            values[last] = f"{values[last]} {line}".strip()
            continued += 1
        else:
            break
        block.end, was_blank = at + 1, False
    return block


def heading_above(lines: Lines, block: HeaderBlock, start: int) -> int | None:
    """Return where Lotus Notes names the sender and the time above a block without either.

    None where it does not, or where the block is no other's.
    """
    values = block.values
    if Field.FROM in values or Field.TO not in values or Field.SUBJECT not in values:
        return None
    dated = lines.last_filled(start - 1, _MAX_BLANK)
    if dated < 1 or len(lines.bare[dated]) > _MAX_HEADING or not _TIME.search(lines.bare[dated]):
        return None
    named = lines.last_filled(dated - 1, 1)
    is_one = named >= 0 and len(lines.bare[named]) <= _MAX_HEADING
    return named if is_one and not lines.bare[named].endswith((".", "!", "?", ":", ",")) else None


def _value(line: str) -> str:
    return line.replace("\uff1a", ":").partition(":")[2].strip("* \t\xa0")


def _goes_on(role: Field, value: str, line: str, continued: int) -> bool:
    """Return whether a line goes on with the field above it."""
    if not value:
        return True
    if _LABELLED.match(line) and not value.endswith((",", ";")):
        return False
    if role is Field.FROM:
        is_open = value.endswith((":", "<", "[")) or value.count("<") > value.count(">")
        return is_open or line.startswith(("<", "[", "("))
    most = {Field.TO: _MAX_CONTINUED, Field.SUBJECT: _MAX_SUBJECT}
    return continued < most.get(role, 0)
