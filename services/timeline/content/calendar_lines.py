"""The lines of a calendar, by component. RFC 5545 sections 3.1 and 3.4, also for broken calendars.

A missing END is the end, an END without a BEGIN is ignored, and an invalid line is skipped. Only
what an invitation shows is kept.
"""

import re
from dataclasses import dataclass, field

from services.timeline.content.zones import Observance, read_local, read_offset

MAX_BYTES = 256 * 1024
MAX_LEVELS = 20
MAX_COMPONENTS = 20
MAX_ATTENDEES = 50
MAX_PARAMETERS = 30
MAX_VALUE = 8192

_FOLD = re.compile(r"\n[ \t]")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}+(?=[ \t]{0,4}[:;])")
_PARAMETER = re.compile(r'[ \t]*+;[ \t]*+([A-Za-z0-9-]++)[ \t]*+=((?>(?:"[^"]*+"|[^";:]++|")*))')
"""An open quote is only a character."""
_CARET = re.compile(r"\^[n^']")
_CARETS = {"^n": " ", "^^": "^", "^'": '"'}
"""RFC 6868."""
_ESCAPE = re.compile(r"\\([\\;,:nN])")
CONFERENCES = ("X-GOOGLE-CONFERENCE", "CONFERENCE", "X-MICROSOFT-SKYPETEAMSMEETINGURL")
_KEPT = {
    "VCALENDAR": {"METHOD"},
    "VEVENT": {
        *("UID", "STATUS", "SUMMARY", "DESCRIPTION", "LOCATION", "DTSTART", "DTEND", "DURATION"),
        *("ORGANIZER", "ATTENDEE", "RRULE", "SEQUENCE", "RECURRENCE-ID", *CONFERENCES),
    },
    "VTIMEZONE": {"TZID"},
    "STANDARD": {"DTSTART", "RRULE", "TZOFFSETTO"},
    "DAYLIGHT": {"DTSTART", "RRULE", "TZOFFSETTO"},
}


@dataclass(frozen=True, slots=True)
class Line:
    """A property: its parameters, upper case names, and its value, unescaped."""

    parameters: dict[str, str]
    value: str


@dataclass(slots=True)
class Component:
    """What stands between BEGIN and END."""

    name: str
    lines: dict[str, list[Line]] = field(default_factory=dict)
    left_out: int = 0
    """How many attendees are beyond what is read."""
    parts: list["Component"] = field(default_factory=list)

    def first(self, name: str) -> Line | None:
        """Return the first property of that name."""
        return next(iter(self.lines.get(name, ())), None)

    def value(self, name: str) -> str:
        """Return the value of the first property of that name, empty if there is none."""
        line = self.first(name)
        return line.value if line else ""


@dataclass(slots=True)
class Calendar:
    """What an invitation needs of a calendar."""

    method: str = ""
    events: list[Component] = field(default_factory=list)
    zones: dict[str, list[Observance]] = field(default_factory=dict)


def read_calendar(text: str) -> Calendar:
    """Read a calendar, or several of them as one."""
    calendar = Calendar()
    for component in _components(text):
        if component.name == "VEVENT":
            calendar.events.append(component)
        elif component.name == "VCALENDAR":
            calendar.method = calendar.method or component.value("METHOD")
        elif component.name == "VTIMEZONE":
            zones = [zone for part in component.parts if (zone := _observance(part))]
            calendar.zones.setdefault(component.value("TZID").strip('"'), zones)
    return calendar


def _components(text: str) -> list[Component]:
    """Return the components that matter, in the order in which they begin."""
    found: list[Component] = []
    inside: list[Component] = []
    for raw in _FOLD.sub("", text).split("\n"):
        match = _NAME.match(raw)
        name = match[0].upper() if match else ""
        if match and name in ("BEGIN", "END"):
            of = raw[match.end() :].strip(" \t:").upper()[:60]
            if name == "BEGIN" and len(inside) == MAX_LEVELS:
                break
            if name == "BEGIN":
                _begin(Component(of), inside, found)
            elif any(component.name == of for component in inside):
                while inside.pop().name != of:
                    pass
        elif match and inside and name in _KEPT.get(inside[-1].name, ()):
            _keep(inside[-1], match)
    return found


def _begin(component: Component, inside: list[Component], found: list[Component]) -> None:
    """Go into a component, and keep it where it matters."""
    is_in_zone = bool(inside) and inside[-1].name == "VTIMEZONE"
    inside.append(component)
    if is_in_zone:
        siblings, matters = inside[-2].parts, component.name in ("STANDARD", "DAYLIGHT")
    else:
        siblings, matters = found, component.name in ("VCALENDAR", "VEVENT", "VTIMEZONE")
    if matters and sum(other.name == component.name for other in siblings) < MAX_COMPONENTS:
        siblings.append(component)


def _observance(component: Component) -> Observance | None:
    """Read STANDARD or DAYLIGHT."""
    start = read_local(component.value("DTSTART"))
    offset = read_offset(component.value("TZOFFSETTO"))
    if start is None or offset is None:
        return None
    return Observance(component.name == "DAYLIGHT", start, component.value("RRULE"), offset)


def _keep(component: Component, match: re.Match[str]) -> None:
    """Keep a property: the first of its name, or one more attendee."""
    name, raw = match[0].upper(), match.string
    kept = component.lines.setdefault(name, [])
    if len(kept) >= (MAX_ATTENDEES if name == "ATTENDEE" else 1):
        component.left_out += name == "ATTENDEE"
        return
    at, texts = len(match[0]), dict[str, str]()
    while (parameter := _PARAMETER.match(raw, at)) and len(texts) < MAX_PARAMETERS:
        said = _CARET.sub(lambda caret: _CARETS[caret[0]], parameter[2].replace('"', ""))
        texts.setdefault(parameter[1].upper(), said.strip())
        at = parameter.end()
    at = raw.find(":", at)
    if at >= 0:
        value = raw[at + 1 : at + 1 + MAX_VALUE]
        kept.append(Line(texts, _ESCAPE.sub(lambda escape: _unescaped(escape[1]), value)))


def _unescaped(char: str) -> str:
    return "\n" if char in "nN" else char
