"""Whom a review concerns: the people and addresses whose captures may be decided otherwise."""

from collections.abc import Sequence

from services.matcher.decision.pending import PendingChange
from services.matcher.reviews.redeciding import Redeciding

_MAX_BYTES = 40 * 1024
"""Of what the timeline is asked for, in one event. What concerns more, concerns everything."""


async def concerned(
    redeciding: Redeciding, account: str, person_id: str | None, change: PendingChange | None
) -> tuple[Sequence[str] | None, Sequence[str]]:
    """Return the people and the addresses; None: all captures.

    A profile is blocked by an address of a user, so that whoever shares one with the person is
    concerned with all of their addresses.
    """
    if person_id is None:
        return None, ()
    before = await redeciding.directory.get(account, person_id)
    keys = before.keys if before else frozenset[str]()
    if change is not None and change.person is not None:
        keys |= change.person.keys
    now = await redeciding.people(account, keys, None)
    then = await redeciding.people(account, keys, change) if change is not None else ()
    people = {person_id, *(person.person_id for person in (*now, *then))}
    keys = keys.union(*(p.profile_keys for p in (*now, *then) if p.kind.is_profile))
    size = sum(len(text.encode()) + 4 for text in (*people, *keys))
    return (sorted(people), sorted(keys)) if size <= _MAX_BYTES else (None, ())
