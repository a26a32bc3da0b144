"""`On DATE, NAME <addr> wrote:`, the line by which some clients forward and all clients answer.

So it says nothing by itself. It counts under a subject with a prefix that says `forward`, or behind
a separator that does. Known by structure in any language: one address, a day and a time, a colon at
the end.
"""

import re
from dataclasses import dataclass

from services.matcher.forwards.dates import looks_like_date
from services.matcher.forwards.people import read_people
from shared.contracts.events import Named

_MAX_LINE = 400
_ADDRESS = re.compile(
    r"[<(\[]*([^\s\"'(),:;<>@\[\]„“”«»]{1,64}@[^\s\"'(),:;<>@\[\]„“”«»]{3,255})[>)\]]*"
)
_QUOTED = re.compile(r"[\"„“«']([^\"„“”«»]{1,200})[\"“”»']\s*$")
_NO_NAME = re.compile(r"(?:AM|PM|Uhr|GMT\S*|UTC\S*|[A-ZČ]{3,4}|\W+)\s+")


@dataclass(frozen=True, slots=True)
class Attribution:
    """Who wrote, and when, as far as one line says it."""

    sender: Named
    date: str
    lines: int
    """How many lines it takes."""


def read_attribution(lines: list[str], number: int) -> Attribution | None:
    """Return the attribution that begins at a line, wrapped once or not at all."""
    line, following = lines[number], (lines[number + 1] if number + 1 < len(lines) else "")
    if line.endswith((":", "：")):
        return _read(line, 1)
    if following.endswith((":", "：")) and "@" in following and len(line) > 10:
        return _read(f"{line} {following}", 2)
    return None


def _read(line: str, count: int) -> Attribution | None:
    if len(line) > _MAX_LINE or line.count("@") not in (1, 2):
        return None
    found = list(_ADDRESS.finditer(line))
    if not found or len({match[1].lower().removeprefix("mailto:") for match in found}) != 1:
        return None
    people = read_people(f"<{found[0][1]}>")
    before, after = line[: found[0].start()], line[found[-1].end() :]
    date = f"{before} {after}"
    if not people or not looks_like_date(date):
        return None
    sender = Named(name=_name(before), address=people[0].address)
    return Attribution(sender, date.replace(sender.name, " ") if sender.name else date, count)


def _name(before: str) -> str:
    """Return the name that stands before an address: what follows the date and the words."""
    before = before.rstrip(" <([*")
    if quoted := _QUOTED.search(before):
        return quoted[1].strip()
    rest = re.split(r"[\d,.](?=\D*$)", before)[-1].strip()
    while True:
        first, _, others = rest.partition(" ")
        if others and (first[:1].islower() or _NO_NAME.match(f"{first} ")):
            rest = others.strip()
        else:
            break
    return rest.strip("\"'*_ ")[:200]


def may_introduce(line: str) -> bool:
    """Return whether a line looks like one that introduces a quote: by an address or a time."""
    is_short = line.endswith((":", "：")) and len(line) <= _MAX_LINE
    return is_short and ("@" in line or looks_like_date(line))
