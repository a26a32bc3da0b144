"""The directory as it would be after a change that is not made yet. Pure; no I/O."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from services.matcher.decision.decide import Person


@dataclass(frozen=True, slots=True)
class PendingChange:
    """A person as they would be put, or that they would be deleted."""

    person_id: str
    person: Person | None
    """None: deleted."""


def with_change(people: Iterable[Person], change: PendingChange) -> tuple[Person, ...]:
    """Return the people as they would be.

    `people` holds all who have an address that the person has or would have, and who is merged
    with them. A merged profile that is deleted keeps its addresses while the merge stands; a
    profile that others were merged into takes those of them along that were deleted before.
    """
    people = tuple(people)
    old = next((one for one in people if one.person_id == change.person_id), None)
    others = [one for one in people if one is not old]
    new = change.person
    if old is None:
        return (*others, new) if new else tuple(others)
    if new is None and old.merged_into is not None and old.kind.is_profile:
        return people
    root = _survivor(old)
    if new is None:
        others = [one for one in others if _survivor(one) != root or one.addresses]
    members = [one for one in others if _survivor(one) == root]
    keys = frozenset().union(*(one.keys for one in members), new.keys if new else ())
    changed = [
        replace(one, merged_keys=keys - one.keys) if one in members else one for one in others
    ]
    if new is not None:
        merged_keys = keys - new.keys
        changed.append(replace(new, merged_into=old.merged_into, merged_keys=merged_keys))
    return tuple(changed)


def _survivor(person: Person) -> str:
    return person.merged_into or person.person_id
