"""Who may see what of a mail. Pure.

An audience is who reads a row; a caller reads the audiences that are theirs.

    *      the team: every mail with a match that is known from an open header
    u1     what u1's own capture address caught, as it was caught
    !u1    what only u1 may see although the team sees the rest: mails and profiles that are
           known from the Bcc of u1's capture alone

With `visibility` `team` a caller reads `*` and `!u1`; with `owner`, or for `owner=me`, only `u1`.
So nothing that a colleague's capture brought is ever in an audience of somebody who may not see
it: no text, no count, no date.

Users rule over a mail (`rulings.py`): what an owner has made private is known as from a Bcc, and a
profile that the mail was removed from has no part in it. `as_ruled` says so of the captures that
are stored; all else here is told what it returns.

A mail can have several contents, since anyone can copy its Message-ID, From and Date. A match
belongs to the content that it came with, so a profile has the mail with a content that names it. Of
several an audience is shown a verified one first, then the earliest.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from services.timeline.write import authentication
from services.timeline.write.listed_records import ProfileRef
from services.timeline.write.matches import merge_matches
from services.timeline.write.records import Capture, Mail, MatchRecord, NamedAddress

TEAM = "*"
MAX_CONTENTS = 20
"""Verified ones of one mail and owner, and as many others: no forged copy takes the place of a
verified one."""


class View(Struct, frozen=True):
    """A mail as one audience has it."""

    content: str
    """The key of the content that is shown."""
    date: datetime
    """What lists sort by: the mail's date, never later than its arrival."""
    persons: tuple[ProfileRef, ...]
    """The profiles that it is on."""


def as_ruled(mail: Mail) -> tuple[Capture, ...]:
    """Return the captures of a mail as its users want them seen."""
    if not mail.detached and not mail.private:
        return mail.captures
    return tuple(_as_ruled(mail, capture) for capture in mail.captures)


def _as_ruled(mail: Mail, capture: Capture) -> Capture:
    is_private = capture.owner in mail.private
    matches = (
        replace(
            match,
            bcc_owners=(capture.owner,) if is_private else match.bcc_owners,
            detached=match.person_id in mail.detached,
        )
        for match in capture.matches
    )
    return replace(capture, matches=tuple(matches))


def private_to(owner: str) -> str:
    """Return the audience of what only this user may see although the team sees the rest."""
    return f"!{owner}"


def views(captures: Sequence[Capture]) -> dict[str, View]:
    """Return how each audience has a mail that was captured so. One that is absent has not."""
    merged = merge_matches(match for capture in captures for match in capture.matches)
    public = [match for match in merged if not match.bcc_owners]
    found: dict[str, View] = {}
    if public:
        found[TEAM] = _view(as_shown(c for c in captures if c.is_open)[0], public)
    for owner, own in _by_owner(captures).items():
        shown = as_shown(own)[0]
        found[owner] = _view(shown, [match for c in own for match in c.matches])
        hidden = [match for match in merged if owner in match.bcc_owners]
        if hidden and not public:
            found[private_to(owner)] = _view(shown, hidden)
    return found


def profile_dates(captures: Sequence[Capture]) -> dict[tuple[str, str], datetime]:
    """Return when each profile has the mail, by audience and profile: as the content that is shown
    there has it."""
    open_ = as_shown(capture for capture in captures if capture.is_open)
    found = {(TEAM, who): date for who, date in _dates(open_, only_open=True).items()}
    of_team = {person_id for _, person_id in found}
    for owner, own in _by_owner(captures).items():
        for person_id, date in _dates(as_shown(own)).items():
            found[owner, person_id] = date
            if person_id not in of_team:
                found[private_to(owner), person_id] = date
    return found


def as_shown(captures: Iterable[Capture]) -> list[Capture]:
    """Return captures with those first whose content is shown first: a verified one, then the
    earliest. They are all that somebody may know of; those of one content are as they arrived."""
    by_content: dict[str, list[Capture]] = {}
    for capture in in_order(captures):
        by_content.setdefault(capture.content, []).append(capture)
    contents = sorted(by_content.values(), key=lambda own: not _is_verified(own))
    return [capture for own in contents for capture in own]


def _is_verified(captures: Iterable[Capture]) -> bool:
    return authentication.of_captures(captures).verdict == "verified"


def _dates(shown: Iterable[Capture], *, only_open: bool = False) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for capture in shown:
        for match in capture.matches:
            if not (match.detached or (only_open and match.bcc_owners)):
                found.setdefault(match.person_id, capture.sort_date)
    return found


def in_order(captures: Iterable[Capture]) -> list[Capture]:
    """Return the captures as they arrived: the same order whatever is processed first."""
    return sorted(captures, key=lambda c: (c.at, c.capture_id, c.place))


def add_capture(captures: Sequence[Capture], new: Capture) -> tuple[Capture, ...]:
    """Return the captures with a new one: of each owner and content the first that arrived.

    The same whatever comes first or comes again.
    """
    same = [c for c in captures if (c.owner, c.content) == (new.owner, new.content)]
    kept = [c for c in captures if c not in same]
    first, *later = in_order([*same, new])
    verdict = authentication.of_captures([first, *later])
    kept.append(replace(_with_matches(first, later), authentication=verdict))
    return tuple(in_order(kept))


def has_room(captures: Iterable[Capture], new: Capture) -> bool:
    """Return whether the owner of a new capture may have one more content of this mail."""
    own: dict[str, list[Capture]] = {}
    for capture in captures:
        if capture.owner == new.owner:
            own.setdefault(capture.content, []).append(capture)
    alike = [of for of in own.values() if _is_verified(of) is _is_verified([new])]
    return new.content in own or len(alike) < MAX_CONTENTS


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
    persons = sorted({(match.person_id, match.kind) for match in matches if not match.detached})
    refs = tuple(ProfileRef(person_id=person_id, kind=kind) for person_id, kind in persons)
    return View(capture.content, capture.sort_date, refs)
