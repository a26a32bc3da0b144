"""Who may see what of a mail. Pure.

Every row belongs to one *audience* of its account, and a caller reads the rows of their audiences.

    *      the team: every mail with a match that is known from an open header
    u1     one user: what u1's own capture address caught, as it was caught
    !u1    one user in private: mails and profiles that are known from the Bcc of u1's capture alone

With `visibility` `team` a caller reads `*` and `!u1`; with `owner`, or for `owner=me`, only `u1`.
So no text, count or date of a colleague's capture is in an audience of a user who may not see it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.timeline.write import authentication
from services.timeline.write.matches import EVERYONE, merge_matches
from shared.database import Document

MAX_CONTENTS = 20


@dataclass(frozen=True, slots=True)
class Seen:
    """A mail as one audience sees it."""

    content: str
    date: datetime
    """What lists sort by: the mail's date, never later than its arrival."""
    persons: tuple[tuple[str, str], ...]
    """The profiles that it is on, with their kinds."""


def seen_by_audience(captures: Sequence[Document]) -> dict[str, Seen]:
    """Return how each audience sees a mail with these captures; others do not see it."""
    captures = in_order(captures)
    merged = merge_matches(match for capture in captures for match in capture["matches"])
    public = [match for match in merged if "bcc_owners" not in match]
    found: dict[str, Seen] = {}
    if public:
        first = next(capture for capture in captures if is_open(capture))
        found[EVERYONE] = _seen(first, public)
    for person_id, own in _by_person(captures).items():
        found[person_id] = _seen(own[0], [match for c in own for match in c["matches"]])
        hidden = [match for match in merged if person_id in match.get("bcc_owners", ())]
        if hidden and not public:
            found[f"!{person_id}"] = _seen(own[0], hidden)
    return found


def profiles_by_audience(captures: Sequence[Document]) -> dict[str, set[str]]:
    """Return the profiles on whose timelines each audience sees the mail."""
    audiences = seen_by_audience(captures)
    found = {audience: {id_ for id_, _ in seen.persons} for audience, seen in audiences.items()}
    merged = merge_matches(match for capture in captures for match in capture["matches"])
    public = found.get(EVERYONE, set())
    for match in merged:
        for owner in match.get("bcc_owners", ()):
            if match["person_id"] not in public:
                found.setdefault(f"!{owner}", set()).add(match["person_id"])
    return found


def audiences_of(person_id: str, *, own_only: bool = False) -> list[str]:
    """Return the audiences that a user is in."""
    return [person_id] if own_only else [EVERYONE, f"!{person_id}"]


def is_open(capture: Document) -> bool:
    """Return whether a match of the capture is known from an open header."""
    return any("bcc_owners" not in match for match in capture["matches"])


def in_order(captures: Iterable[Document]) -> list[Document]:
    """Return the captures as they arrived: the same order whatever is processed first."""
    return sorted(captures, key=lambda c: (c["at"], c["capture_id"], c["place"]))


def add_capture(captures: Sequence[Document], new: Document) -> list[Document]:
    """Return the captures with a new one: of each person and content the first that arrived.

    The same whatever comes first or comes again. Of one person at most MAX_CONTENTS: what else
    matched there is known from the first of them at that moment.
    """
    same = [c for c in captures if _who_and_what(c) == _who_and_what(new)]
    kept = [c for c in captures if c not in same]
    first, *later = in_order([*same, new])
    all_ = _with_matches(first, later)
    kept.append(all_ | {"authentication": authentication.of_captures([first, *later])})
    own = in_order(c for c in kept if c["person_id"] == new["person_id"])
    if len(own) > MAX_CONTENTS:
        others = [c for c in kept if c["person_id"] != new["person_id"]]
        head, *tail = own[:MAX_CONTENTS]
        kept = [*others, _with_matches(head, own[MAX_CONTENTS:]), *tail]
    return in_order(kept)


def _with_matches(capture: Document, others: Iterable[Document]) -> Document:
    """Return the capture with what others of the same person know from their headers."""
    all_ = [capture, *others]
    matches = merge_matches(match for c in all_ for match in c["matches"])
    named = sorted((entry for c in all_ for entry in c["bcc"]), key=lambda entry: entry["name"])
    bcc = {entry["address"]: entry for entry in named}
    matches.sort(key=lambda match: (match["person_id"], match["address"]))
    return {**capture, "matches": matches, "bcc": [bcc[address] for address in sorted(bcc)]}


def _who_and_what(capture: Document) -> tuple[str, str]:
    return capture["person_id"], capture["content"]


def _by_person(captures: Iterable[Document]) -> dict[str, list[Document]]:
    found: dict[str, list[Document]] = {}
    for capture in captures:
        found.setdefault(capture["person_id"], []).append(capture)
    return found


def _seen(capture: Document, matches: Iterable[Document]) -> Seen:
    persons = sorted({(match["person_id"], match["kind"]) for match in matches})
    return Seen(capture["content"], capture["sort_date"], tuple(persons))
