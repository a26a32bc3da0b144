"""The matches of a mail, and who may see which.

Bcc is shown to the owner of the capture alone: so a match that is known from Bcc only carries its
owners in `bcc_owners`, and is there for nobody else, the profile's timeline included.
"""

from collections.abc import Iterable

from shared.database import Document

EVERYONE = "*"
"""The viewer of what the whole team may see."""


def merge_matches(matches: Iterable[Document]) -> list[Document]:
    """Return the matches of all captures, one for each profile and address.

    What one capture knows from Bcc and another from an open header is open.
    """
    merged: dict[tuple[str, str], Document] = {}
    for match in matches:
        key = match["person_id"], match["address"]
        kept = merged.get(key)
        if kept is None:
            merged[key] = dict(match)
            continue
        owners = sorted({*kept.get("bcc_owners", ()), *match.get("bcc_owners", ())})
        is_open = "bcc_owners" not in kept or "bcc_owners" not in match
        shared = kept["shared_address"] or match["shared_address"]
        basis = match if "bcc_owners" in kept and "bcc_owners" not in match else kept
        merged[key] = {**basis, "shared_address": shared}
        if not is_open:
            merged[key]["bcc_owners"] = owners
    return list(merged.values())


def visible_matches(matches: Iterable[Document], viewer: str) -> list[Document]:
    """Return the matches that the viewer may see."""
    return [match for match in matches if viewer in match.get("bcc_owners", (viewer,))]
