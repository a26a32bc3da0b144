"""Which series a PromQL expression asks for: names and matchers, and the labels it groups by.

It reads the subset that the dashboard and the alerts use, and raises ValueError for anything else.
promtool checks whether an expression is valid.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<number>\d+(?:\.\d+)?(?:e\d+)?(?:ms|[smhdwy])?)
      | (?P<name>[A-Za-z_:][A-Za-z0-9_:]*)
      | (?P<sign>=~|!~|!=|==|<=|>=|[-+*/%^<>=(){}\[\],])
    )""",
    re.VERBOSE,
)
_OF_LABELS = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
_WORDS = frozenset({"and", "or", "unless", "offset", "bool"})


@dataclass(frozen=True)
class Matcher:
    """`label`, one of `= != =~ !~`, and the value."""

    label: str
    operator: str
    value: str


@dataclass(frozen=True)
class Selector:
    """The series of one name that match."""

    name: str
    matchers: tuple[Matcher, ...] = ()

    def __str__(self) -> str:
        inside = ", ".join(f'{one.label}{one.operator}"{one.value}"' for one in self.matchers)
        return f"{self.name}{{{inside}}}" if inside else self.name


@dataclass(frozen=True)
class Question:
    """What an expression asks for."""

    selectors: tuple[Selector, ...]
    grouped: frozenset[str]


def asked(expression: str) -> Question:
    """Return what an expression asks for. Raises ValueError for what is not understood."""
    tokens = [*_tokens(expression), ("end", "")]
    selectors, grouped = [], set()
    place = 0
    while tokens[place][0] != "end":
        kind, text = tokens[place]
        following = tokens[place + 1][1]
        place += 1
        if text == "{":
            raise ValueError(f"a selector without a name: {expression}")
        if kind != "name" or text in _WORDS:
            continue
        if text in _OF_LABELS:
            while following == "(" and tokens[place][1] != ")":
                place += 1
                if tokens[place][0] == "name":
                    grouped.add(tokens[place][1])
        elif following == "(" or following in _OF_LABELS:
            continue  # a function, or an aggregation
        else:
            matchers: list[Matcher] = []
            if following == "{":
                place, matchers = _matchers(tokens, place + 1, expression)
            selectors.append(Selector(text, tuple(matchers)))
    return Question(tuple(selectors), frozenset(grouped))


def _matchers(
    tokens: list[tuple[str, str]], place: int, expression: str
) -> tuple[int, list[Matcher]]:
    """Return the place after the closing brace, and what stands before it."""
    found = []
    while tokens[place][1] != "}":
        (label_kind, label), (_, operator), (value_kind, value) = tokens[place : place + 3]
        if (label_kind, value_kind) != ("name", "string"):
            raise ValueError(f"no matcher at {label}{operator}{value}: {expression}")
        found.append(Matcher(label, operator, value[1:-1]))
        place += 3
        if tokens[place][1] == ",":
            place += 1
    return place + 1, found


def _tokens(expression: str) -> Iterator[tuple[str, str]]:
    place = 0
    while expression[place:].strip():
        found = _TOKEN.match(expression, place)
        if found is None or found.lastgroup is None:
            raise ValueError(f"not understood: {expression[place:]}")
        yield found.lastgroup, found[found.lastgroup]
        place = found.end()
