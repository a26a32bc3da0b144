"""The lines by which clients name the author of a quote: `On DATE, NAME <address> wrote:`.

* They are recognised by three things: a verb of a client's language at the end or before the name;
  a day and a time; an address. A line may be wrapped over several lines, inside the address too.
* `complete` has a verb or an address, and begins with a day and a time: what follows is quoted.
  `certain` has an address beside the verb, and begins with a name or like a date.
  `marked` may be a sentence of the writer's: it counts only before lines with `>`.
* A sentence of the writer's that ends with such a verb does not count: no name stands before the
  verb (`as the committee wrote:`), or words stand before the day (`in her mail of 12.03.2026 Anna
  wrote:`).
"""

import re
from enum import IntEnum

from services.timeline.content.new_part.lines import Kind, Lines
from services.timeline.content.new_part.words import (
    NO_NAMES,
    PARTICLES,
    STARTS,
    WROTE,
    WROTE_THEN_NAME,
)

COLONS = (":", "\uff1a")
_MAX_LINES, _MAX_LENGTH, _MAX_NAME, _MAX_WORDS, _MAX_WEEKDAY = 6, 400, 160, 6, 25
_DIRECTIONS = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_DATE = r"\d{1,4}[./-] ?\d{1,2}[./-] ?\d{2,4}"
_CLOCK = r"(?<!\d)\d{1,2} ?[:.h時时點点시] ?\d\d(?!\d)"
_NUMERIC_DATE, _TIME = re.compile(_DATE), re.compile(_CLOCK)
_YEAR = re.compile(r"(?<![\d./-])(?:19|20|25)\d\d(?![\d./年년-])")
_DIGIT = re.compile(r"\d")
_ADDRESS = re.compile(
    r"(?<![^\s<>()\[\]:,;\"'\u00ab])[^\s<>()\[\]@:,;\"]{1,320}@[^\s<>()\[\]@,;\"]{1,320}"
)
_ADDRESS_LAST = re.compile(r"[<(\[][^\s<>()\[\]@]{1,320}@[^\s<>()\[\]@]{1,320}[>)\]]{1,2}$")
_BARE_ADDRESS_LAST = re.compile(r"[ ,][^\s,<>()\[\]@]{1,64}@[^\s,<>()\[\]@]{1,255}$")
_IN_BRACKETS_LAST = re.compile(r" ?\([^()]{0,80}\)$")
_LIKE_A_DATE = re.compile(r"[\"'*_(\[\s]{0,3}+(?:[^\s\d@]{1,16}\s+){0,2}[^\s\d@]{0,3}\d")
_DATE_ENDS = re.compile(
    rf"(?:{_CLOCK}(?::\d\d)?|\d{{4}})(?: ?(?:uhr|[ap]\.? ?m\.?|г\.|[a-z]{{3,4}}|[+-]\d{{4}}))?$"
)
_ABBREVIATED = re.compile(r"(?:\d\.?|\d\.? ?\w{2,5}\.|^\w{2,5}\.|\b[ap]\. ?m\.|\bг\.)$")
_CLOSES = re.compile(r">\s*(?:\S.{0,60})?[:\uff1a]$")


class Weight(IntEnum):
    """How sure it is that lines introduce what follows."""

    NONE = 0
    MARKED = 1
    CERTAIN = 2
    COMPLETE = 3


def folded(line: str) -> str:
    """Return a line as words are compared."""
    if not line.isascii():
        line = _DIRECTIONS.sub("", line).replace("\uff1a", ":")
    return " ".join(line.casefold().split())


def closes_an_address(lines: Lines, at: int) -> bool:
    """Return whether a line begins with the `>` of an address that was wrapped, not of a quote."""
    if at == 0 or lines.kinds[at - 1] is not Kind.NEW or not _CLOSES.match(lines.bare[at]):
        return False
    above = " ".join(lines.bare[max(0, at - 3) : at])
    return "@" in above and above.rfind("<") > above.rfind(">", 0, above.rfind("@") + 1)


def read_attribution(lines: Lines, last: int) -> tuple[int, Weight]:
    """Return where the attribution begins that ends in a line, and how sure it is."""
    start, sure = last, Weight.NONE
    text = ""
    for at in range(last, max(-1, last - _MAX_LINES), -1):
        line = lines.bare[at]
        if not line and text.startswith("<"):
            continue  # Polymail puts the address apart
        if not line or (at < last and not _is_wrapped(lines, at)):
            break
        if len(line) + len(text) > _MAX_LENGTH:
            break
        text = _joined(line, text)
        weight, begins = weigh(text)
        if weight > sure or (weight == sure > Weight.NONE and begins):
            start, sure = at, weight
        if sure is Weight.COMPLETE:
            return start - _is_weekday_above(lines, start), sure
    return start, sure


def weigh(text: str) -> tuple[Weight, bool]:
    """Return how sure it is that a text is an attribution, and whether it begins like one."""
    words = _DIRECTIONS.sub("", text).replace("\uff1a", ":").rstrip(":*-, \xa0").split()
    said = folded(text).rstrip(":*-, ")
    begins = bool(_LIKE_A_DATE.match(said)) or (
        said.startswith(STARTS) and bool(_DIGIT.search(said, 0, 60))
    )
    verb = _verb_last(said)
    if verb is not None:
        return _weight_of_verb_last(said, words, verb, begins), begins
    for verb in WROTE_THEN_NAME:
        before, found, after = said.partition(verb)
        if found and len(after) <= _MAX_NAME:
            return _weight_of_name_last(before, after, words, begins), begins
    return _weight_of_address_last(said, begins), begins


def is_said(phrase: str) -> bool:
    """Return whether a phrase between dashes says who wrote: Zoho, Android."""
    said = folded(phrase)
    verb = _verb_last(said)
    return verb is not None and (bool(_DIGIT.search(said)) or _is_name(phrase.split()[:-1]))


def has_all(line: str) -> bool:
    """Return whether a line without a colon is an attribution by a verb, a time and an address."""
    if "@" not in line or len(line) > _MAX_LENGTH or not folded(line).rstrip("-* ").endswith(WROTE):
        return False
    return weigh(line)[0] is Weight.COMPLETE


def is_date_and_address(line: str) -> bool:
    """Return whether a line is one of Gmail's without a verb: `2026/3/13 Anna <anna@...>`."""
    return len(line) <= _MAX_LENGTH and bool(
        _NUMERIC_DATE.match(line) and _ADDRESS_LAST.search(line)
    )


def _joined(line: str, text: str) -> str:
    """Return two pieces of an attribution as one line, with no blanks within its address."""
    if not text:
        return line
    whole = f"{line} {text}"
    return whole.replace("< ", "<").replace(" >", ">")


def _is_wrapped(lines: Lines, at: int) -> bool:
    """Return whether the next line may go on with this one."""
    line = lines.bare[at]
    if lines.kinds[at] is not Kind.NEW or line.endswith((*COLONS, "!", "?", ";")):
        return line.lower().endswith("mailto:")
    return not line.endswith(".") or bool(_ABBREVIATED.search(line.lower()))


def _is_weekday_above(lines: Lines, start: int) -> bool:
    """Return whether the line above begins the date: `On Friday,`."""
    line = lines.bare[start - 1] if start else ""
    is_short = (
        len(line) <= _MAX_WEEKDAY and line.endswith(",") and lines.kinds[start - 1] is Kind.NEW
    )
    return is_short and folded(line).startswith(STARTS)


def _verb_last(said: str) -> str | None:
    """Return what stands before the verb at the end, None if there is no verb."""
    for text in (said, _IN_BRACKETS_LAST.sub("", said)):
        if text.endswith(WROTE):
            verb = next(verb for verb in WROTE if text.endswith(verb))
            return text[: -len(verb)]
    return None


def _weight_of_verb_last(said: str, words: list[str], before: str, begins: bool) -> Weight:
    address = _ADDRESS.search(said)
    has_time = _TIME.search(said) is not None
    if begins and has_time and _has_day(said):
        is_sentence = address is None and _is_sentence(words[: len(before.split())])
        return Weight.MARKED if is_sentence else Weight.COMPLETE
    if begins and address:
        return Weight.CERTAIN
    if address and (name := said[: address.start()].split()) and _is_name(words[: len(name)]):
        return Weight.CERTAIN
    is_one = (
        has_time or address or _NUMERIC_DATE.search(said) or _is_name(words[: len(before.split())])
    )
    return Weight.MARKED if is_one or begins else Weight.NONE


def _weight_of_name_last(before: str, after: str, words: list[str], begins: bool) -> Weight:
    name = words[-len(after.split()) :] if after.split() else []
    address = _ADDRESS.search(after)
    has_date_last = _DATE_ENDS.search(after) is not None and _has_day(after)
    is_one = _is_name(name) and not name[0][0].isdigit()
    if address is not None:
        name = name[: len(after[: address.start()].strip(" <([").split())]
        is_one = not name or name[0].casefold() not in NO_NAMES
        if has_date_last and _TIME.search(after) and _is_name(name):
            return Weight.COMPLETE  # Apple's in Polish
    if is_one:
        if begins and _TIME.search(before) and _has_day(before):
            return Weight.COMPLETE
        if begins and address:
            return Weight.CERTAIN
        return Weight.MARKED if begins or address else Weight.NONE
    has_name = _ADDRESS.search(before) or _is_name(words[: len(before.split())])
    if has_name and has_date_last:
        return Weight.COMPLETE if _TIME.search(after) else Weight.MARKED
    return Weight.MARKED if begins and has_date_last else Weight.NONE


def _weight_of_address_last(said: str, begins: bool) -> Weight:
    has_time = _TIME.search(said) and _has_day(said)
    if _ADDRESS_LAST.search(said):
        return Weight.COMPLETE if begins and has_time else Weight.MARKED
    return (
        Weight.COMPLETE if begins and has_time and _BARE_ADDRESS_LAST.search(said) else Weight.NONE
    )


def _has_day(said: str) -> bool:
    """Return whether there is a figure besides time, address and year: a day."""
    return bool(_DIGIT.search(_YEAR.sub("", _TIME.sub("", _ADDRESS.sub("", said)))))


def _is_sentence(words: list[str]) -> bool:
    """Return whether words other than a name stand between a time and a verb."""
    name: list[str] = []
    for word in reversed(words):
        if _DIGIT.search(word) or (name and word.endswith(",")):
            break
        if bare := word.strip("\"'*_,.()"):
            name.insert(0, bare)
    if not name:
        return False
    is_lower = name[-1][0].islower()
    return name[-1] == "I" or (is_lower and (len(name) > 1 or name[-1] in NO_NAMES))


def _is_name(words: list[str]) -> bool:
    """Return whether words are somebody's name, as far as their letters tell."""
    words = [word.strip("\"'*_,.:;()„“”«»‚‘’<>[]") for word in words]
    words = [word for word in words if word]
    if not 0 < len(words) <= _MAX_WORDS or words[0].casefold() in NO_NAMES:
        return False
    return not any(
        word[0].islower() and word.casefold() not in PARTICLES and "@" not in word for word in words
    )
