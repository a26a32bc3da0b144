"""The marks that reviews leave on a mail (`redeciding.py`): what is settled, until when. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec.structs import replace

from services.timeline.write.records import Capture, Mail, Redecided
from shared.storage.moments import as_stored


def is_settled(mail: Mail, capture: Capture, decided_at: datetime) -> bool:
    """Return whether a review decided about such captures after this one was decided."""
    return any(
        (mark.owner, mark.content) == (capture.owner, capture.content)
        and as_stored(decided_at) <= mark.at
        for mark in mail.redecided
    )


def united(*marks: Iterable[Redecided]) -> tuple[Redecided, ...]:
    """Return of each owner and content the latest mark, in whatever order they were made."""
    latest: dict[tuple[str, str], Redecided] = {}
    for mark in (mark for some in marks for mark in some):
        known = latest.get((mark.owner, mark.content))
        if known is None or known.at < mark.at:
            latest[mark.owner, mark.content] = mark
    return tuple(latest[key] for key in sorted(latest))


def moved(mail: Mail, key: str, made: Mapping[str, str]) -> tuple[Redecided, ...]:
    """Return the marks of a mail whose content with this key was read anew.

    `made` has the key of what was made of it, by owner.
    """
    return united(
        replace(mark, content=made.get(mark.owner, key)) if mark.content == key else mark
        for mark in mail.redecided
    )
