"""The matches of a mail, and who may see which.

Only the owner of a capture may see its Bcc. So a match that is known from Bcc alone names its
owners in `bcc_owners` and is hidden from everybody else, on the profile's timeline too.
"""

from collections.abc import Iterable

from shared.database import Document
from shared.events import Role, Source

EVERYONE = "*"
"""The viewer of what the whole team may see."""
_ROLES = [role.value for role in Role]
_SOURCES = [source.value for source in Source]
"""An open header before what a body says."""


def merge_matches(matches: Iterable[Document]) -> list[Document]:
    """Return the matches of all captures, one for each profile and address, in whatever order.

    What one capture knows from Bcc and another from an open header is open, and nothing of the Bcc
    is told.
    """
    merged: dict[tuple[str, str], Document] = {}
    for match in matches:
        key = match["person_id"], match["address"]
        merged[key] = _merged(merged[key], match) if key in merged else match
    return list(merged.values())


def visible_matches(matches: Iterable[Document], viewer: str) -> list[Document]:
    """Return the matches that the viewer may see."""
    return [match for match in matches if viewer in match.get("bcc_owners", (viewer,))]


def _merged(one: Document, other: Document) -> Document:
    """Return what two captures know of the same profile and address."""
    if ("bcc_owners" in one) != ("bcc_owners" in other):
        return other if "bcc_owners" in one else one
    kept = one if _rank(one) <= _rank(other) else other
    merged = {
        **kept,
        "shared_address": one["shared_address"] or other["shared_address"],
    }
    if "bcc_owners" in one:
        merged["bcc_owners"] = sorted({*one["bcc_owners"], *other["bcc_owners"]})
    return merged


def _rank(match: Document) -> tuple[int, int, str]:
    """Return which of two is kept: the same, whichever came first."""
    source, role = _SOURCES.index(match["source"]), _ROLES.index(match["role"])
    return source, role, match["kind"]
