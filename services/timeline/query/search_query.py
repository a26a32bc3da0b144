"""What a user types into the inbox search, and what it asks for.

Rules:

* Everything that is asked for must hold. A word is meant as a whole, but the last one typed and one
  that ends with `*` may go on: `inter` finds interview.
* A phrase in quotation marks (any kind) is its words, and that they stand in a row. A quotation
  mark that is never closed ends with the query.
* A run of Chinese, Japanese, Korean or Thai is found wherever it stands inside a longer one. Its
  pairs of characters are terms; of three and more it is a phrase too, a single one is a prefix.
* An address is one term, and all that counts of what is typed without a space around it.
* `from:`, `to:`, `has:attachment`, `before:` and `after:`, in any case, also with a full-width
  colon or a space after it. With another name a colon is white space, and so is all punctuation.
* Days are UTC, `2026-01-31`, `2026/01/31`, `2026-01` or `2026`, a month or a year being its first
  day. `after:` counts that day, `before:` does not; of several the narrowest holds.
* A query means what a mail's terms mean (`terms`): both are folded and cut alike. A term with a
  colon comes from an operator alone. An operator that nothing follows is still being typed.
* Only `InvalidQuery` is raised. Of too many terms the first 20 count, those of operators before
  others.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from services.timeline.content import terms

MAX_QUERY = 500
MAX_QUERY_TERMS = 20

_QUOTATION_MARKS = str.maketrans(dict.fromkeys("“”„‟«»", '"'))
_TOKEN = re.compile(
    r'(?:(from|to|has|before|after):\s*+)?(?:"(?P<quoted>[^"]*+)"?|(?P<plain>[^\s"]++)|\Z)'
)
_DAY = re.compile(r"([0-9]{4})(?:[-/]([0-9]{1,2})(?:[-/]([0-9]{1,2}))?)?")


class InvalidQuery(ValueError):
    """What was typed cannot be searched for; the message says why."""


@dataclass(frozen=True, slots=True)
class Query:
    """What a mail must have to be found: all of this."""

    exact: tuple[str, ...]
    """Terms."""
    prefixes: tuple[str, ...]
    """Each begins some term."""
    phrases: tuple[str, ...]
    """Each stands in the subject, the text, a name or a file name (`phrases`)."""
    after: date | None
    """The first day, UTC."""
    before: date | None
    """The day after the last, UTC."""


def parse_query(q: str) -> Query:
    """Return what is asked for, or raise `InvalidQuery`."""
    if len(q) > MAX_QUERY:
        raise InvalidQuery(f"a search has at most {MAX_QUERY} characters")
    text = terms.fold(q).translate(_QUOTATION_MARKS).rstrip()
    found: dict[tuple[str, bool], None] = {}
    phrases: dict[str, None] = {}
    days: dict[str, list[date]] = {"after": [], "before": []}
    for token in _TOKEN.finditer(text):
        operator, quoted, plain = token.groups()
        value = quoted or plain or ""
        if operator in days:
            days[operator].append(_day(operator, value))
        elif operator == "has" and value in ("attachment", "attachments"):
            found[terms.HAS_ATTACHMENT, False] = None
        else:
            prefix = {"from": terms.FROM, "to": terms.TO}.get(operator, "")
            value = f"has {value}" if operator == "has" else value
            may_go_on = quoted is None and (token.end() == len(text) or value.endswith("*"))
            found |= {(prefix + t, begins): None for t, begins in _terms(value, may_go_on)}
            if not prefix:
                phrases |= dict.fromkeys(_phrases(value, is_quoted=quoted is not None))
    if not (found or days["after"] or days["before"]):
        raise InvalidQuery("a search needs at least one word")
    chosen = sorted(found, key=lambda term: term[0][0] != ":")[:MAX_QUERY_TERMS]
    return Query(
        exact=tuple(term for term, begins in chosen if not begins),
        prefixes=tuple(term for term, begins in chosen if begins),
        phrases=tuple(phrases)[:MAX_QUERY_TERMS],
        after=max(days["after"], default=None),
        before=min(days["before"], default=None),
    )


def _terms(value: str, may_go_on: bool) -> Iterator[tuple[str, bool]]:
    """Yield the terms of a token, and of each whether it only begins one."""
    pieces = terms.addresses(value) or terms.runs(value)
    for number, piece in enumerate(pieces, start=1):
        if terms.is_unspaced(piece):
            yield from ((pair, False) for pair in terms.pairs(piece))
            if len(piece) == 1:
                yield piece, True
        else:
            yield piece, may_go_on and number == len(pieces)


def _phrases(value: str, *, is_quoted: bool) -> Iterator[str]:
    """Yield what the terms of a token do not say: that their words stand in a row."""
    runs = terms.runs(value)
    if is_quoted and len(runs) > 1:
        yield " ".join(runs)
    else:
        yield from (run for run in runs if len(run) > 2 and terms.is_unspaced(run))


def _day(operator: str, value: str) -> date:
    day = _DAY.fullmatch(value)
    try:
        year, month, of_month = (int(part or 1) for part in day.groups()) if day else (0, 0, 0)
        return date(year, month, of_month)
    except ValueError:
        raise InvalidQuery(f"{operator}: needs a day such as 2026-01-31") from None
