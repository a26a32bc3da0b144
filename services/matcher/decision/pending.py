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


def with_change(
    people: Iterable[Person], change: PendingChange, survivor: str | None = None
) -> tuple[Person, ...]:
    """Return the people as they would be.

    `people` holds all who have an address that the person has or would have, and all who are merged
    with them and have any; `survivor` is the profile that shows the mail of these.

    A merged profile that is deleted keeps its addresses while the merge stands; a profile that
    others were merged into takes those of them along that were deleted before.
    """
    people = tuple(people)
    old = next((one for one in people if one.person_id == change.person_id), None)
    others = [one for one in people if one is not old]
    new = change.person
    if survivor is None:
        return (*others, new) if new else tuple(others)
    is_survivor, root = survivor == change.person_id, survivor
    if new is None and not is_survivor and (old is None or old.kind.is_profile):
        return people
    if new is None and is_survivor:
        others = [one for one in others if _survivor(one) != root or one.addresses]
    members = [one for one in others if _survivor(one) == root]
    keys = frozenset().union(*(one.keys for one in members), new.keys if new else ())
    changed = [
        replace(one, merged_keys=keys - one.keys) if one in members else one for one in others
    ]
    if new is not None:
        merged_keys = keys - new.keys
        into = None if is_survivor else survivor
        changed.append(replace(new, merged_into=into, merged_keys=merged_keys))
    return tuple(changed)


def _survivor(person: Person) -> str:
    return person.merged_into or person.person_id
