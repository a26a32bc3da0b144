"""The matches of a mail, and who may see which. Pure.

Bcc is shown to the owner of the capture alone. So a match that is known from Bcc only carries its
owners in `bcc_owners`. No other user sees it, not even on the profile's timeline.
"""

from collections.abc import Iterable

import msgspec

from services.timeline.write.records import MatchRecord
from shared.contracts.events import Role, Source

_ROLES = [role.value for role in Role]
_SOURCES = [source.value for source in Source]
"""An open header before what a body says."""


def merge_matches(matches: Iterable[MatchRecord]) -> list[MatchRecord]:
    """Return the matches of all captures, one for each profile and address, in whatever order.

    What one capture knows from Bcc and another from an open header is open, and nothing of the Bcc
    is told.
    """
    merged: dict[tuple[str, str], MatchRecord] = {}
    for match in matches:
        key = match.person_id, match.address
        merged[key] = _merged(merged[key], match) if key in merged else match
    return list(merged.values())


def visible_matches(matches: Iterable[MatchRecord], viewer: str) -> list[MatchRecord]:
    """Return the matches that the viewer may see."""
    return [match for match in matches if not match.bcc_owners or viewer in match.bcc_owners]


def _merged(one: MatchRecord, other: MatchRecord) -> MatchRecord:
    """Return what two captures know of the same profile and address."""
    if bool(one.bcc_owners) != bool(other.bcc_owners):
        return other if one.bcc_owners else one
    kept = one if _rank(one) <= _rank(other) else other
    return msgspec.structs.replace(
        kept,
        shared_address=one.shared_address or other.shared_address,
        bcc_owners=tuple(sorted({*one.bcc_owners, *other.bcc_owners})),
        made_for=min(one.made_for or "", other.made_for or "") or None,
    )


def _rank(match: MatchRecord) -> tuple[int, int, str]:
    """Return which of two is kept: the same, whichever came first."""
    return _SOURCES.index(match.source), _ROLES.index(match.role), match.kind
