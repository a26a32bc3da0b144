"""Who may see what of a mail. Pure.

An audience is who reads a row; a caller reads the audiences that are theirs.

    *      the team: every mail with a match that is known from an open header
    u1     what u1's own capture address caught, as it was caught
    !u1    what only u1 may see although the team sees the rest: mails and profiles that are
           known from the Bcc of u1's capture alone

With `visibility` `team` a caller reads `*` and `!u1`; with `owner`, or for `owner=me`, only `u1`.
So nothing that a colleague's capture brought is ever in an audience of somebody who may not see
it: no text, no count, no date.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from services.timeline.write import authentication
from services.timeline.write.matches import merge_matches
from services.timeline.write.records import Capture, MatchRecord, NamedAddress, ProfileRef

TEAM = "*"
MAX_CONTENTS = 20
"""Of one mail and owner."""


class View(Struct, frozen=True):
    """A mail as one audience has it."""

    content: str
    """The key of the content that is shown."""
    date: datetime
    """What lists sort by: the mail's date, never later than its arrival."""
    persons: tuple[ProfileRef, ...]
    """The profiles that it is on."""


def private_to(owner: str) -> str:
    """Return the audience of what only this user may see although the team sees the rest."""
    return f"!{owner}"


def views(captures: Sequence[Capture]) -> dict[str, View]:
    """Return how each audience has a mail that was captured so. One that is absent has not."""
    captures = in_order(captures)
    merged = merge_matches(match for capture in captures for match in capture.matches)
    public = [match for match in merged if not match.bcc_owners]
    found: dict[str, View] = {}
    if public:
        first = next(capture for capture in captures if capture.is_open)
        found[TEAM] = _view(first, public)
    for owner, own in _by_owner(captures).items():
        found[owner] = _view(own[0], [match for c in own for match in c.matches])
        hidden = [match for match in merged if owner in match.bcc_owners]
        if hidden and not public:
            found[private_to(owner)] = _view(own[0], hidden)
    return found


def profile_dates(
    captures: Sequence[Capture], seen: Mapping[str, View]
) -> dict[tuple[str, str], datetime]:
    """Return when each profile has the mail, by audience and profile.

    `seen` are the views of the captures. A profile that one owner alone may see, beside others
    that the team sees, is dated as the owner has the mail.
    """
    found = {(a, ref.person_id): view.date for a, view in seen.items() for ref in view.persons}
    merged = merge_matches(match for capture in captures for match in capture.matches)
    for match in merged:
        for owner in match.bcc_owners:
            if (TEAM, match.person_id) not in found:
                found.setdefault((private_to(owner), match.person_id), seen[owner].date)
    return found


def in_order(captures: Iterable[Capture]) -> list[Capture]:
    """Return the captures as they arrived: the same order whatever is processed first."""
    return sorted(captures, key=lambda c: (c.at, c.capture_id, c.place))


def add_capture(captures: Sequence[Capture], new: Capture) -> tuple[Capture, ...]:
    """Return the captures with a new one: of each owner and content the first that arrived.

    The same whatever comes first or comes again. Of one owner at most MAX_CONTENTS: what else
    matched there is known from the first of them at that moment.
    """
    same = [c for c in captures if (c.owner, c.content) == (new.owner, new.content)]
    kept = [c for c in captures if c not in same]
    first, *later = in_order([*same, new])
    verdict = authentication.of_captures([first, *later])
    kept.append(replace(_with_matches(first, later), authentication=verdict))
    own = in_order(c for c in kept if c.owner == new.owner)
    if len(own) > MAX_CONTENTS:
        others = [c for c in kept if c.owner != new.owner]
        head, *tail = own[:MAX_CONTENTS]
        kept = [*others, _with_matches(head, own[MAX_CONTENTS:]), *tail]
    return tuple(in_order(kept))


def _with_matches(capture: Capture, others: Iterable[Capture]) -> Capture:
    """Return the capture with what others of the same owner know from their headers."""
    all_ = [capture, *others]
    matches = merge_matches(match for c in all_ for match in c.matches)
    by_name = sorted((entry for c in all_ for entry in c.bcc), key=lambda entry: entry.name)
    bcc: dict[str, NamedAddress] = {entry.address: entry for entry in by_name}
    return replace(
        capture,
        matches=tuple(sorted(matches, key=lambda match: (match.person_id, match.address))),
        bcc=tuple(bcc[address] for address in sorted(bcc)),
    )


def _by_owner(captures: Iterable[Capture]) -> dict[str, list[Capture]]:
    found: dict[str, list[Capture]] = {}
    for capture in captures:
        found.setdefault(capture.owner, []).append(capture)
    return found


def _view(capture: Capture, matches: Iterable[MatchRecord]) -> View:
    persons = sorted({(match.person_id, match.kind) for match in matches})
    refs = tuple(ProfileRef(person_id=person_id, kind=kind) for person_id, kind in persons)
    return View(capture.content, capture.sort_date, refs)
