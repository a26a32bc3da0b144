"""A plain model of who has an id: what the matcher has to announce, and what is to be seen.

An id has lives: one from each time that it is added until it is deleted, with all addresses that it
had meanwhile. Lives that have an address in common are one person's. Only the mail of the present
person's lives is visible. While an id is merged into another, its mail is visible when the mail of
that one is.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from services.matcher.decision.decide import Person
from services.matcher.directory.people import person_of
from shared.contracts.events import Kind, PersonChanged, PersonDeleted
from shared.contracts.known_addresses import address_hash

ACCOUNT = "acme"
MERGE_ID = "019bc0de000070008000000000000002"
Told = PersonChanged | PersonDeleted


@dataclass
class Id:
    """An id of the ATS."""

    person_id: str
    version: int = 0
    living: Person | None = None
    lives: list[set[str]] = field(default_factory=list)
    merged_into: str | None = None
    was_merged: bool = False

    def put(self, kind: Kind, addresses: Collection[str]) -> None:
        """Add or change the person."""
        person = person_of(self.person_id, kind, "Name", addresses)
        if self.living is None:
            self.lives.append(set())
        if person != self.living:
            self.version += 1
        self.living = person
        self.lives[-1] |= person.keys

    def delete(self) -> None:
        """Delete the person."""
        if self.living is not None:
            self.version += 1
        self.living = None

    def merge(self, into: str | None) -> None:
        """Merge the profile into another, or undo that."""
        self.version += 1
        self.merged_into, self.was_merged = into, True

    @property
    def own(self) -> set[str]:
        """All addresses that the present person ever had."""
        own, found = set(self.lives[-1]), True
        while found:
            found = False
            for life in self.lives:
                if own & life and not life <= own:
                    own, found = own | life, True
        return own

    @property
    def told(self) -> Told:
        """What the matcher announces."""
        own = self.own
        hashes = tuple(sorted(address_hash(ACCOUNT, self.person_id, key) for key in own))
        known_by = hashes if any(not life <= own for life in self.lives) else None
        merge_id = MERGE_ID if self.was_merged else None
        if self.living is None:
            return PersonDeleted(
                account=ACCOUNT,
                person_id=self.person_id,
                version=self.version,
                merge_id=merge_id,
                merged_into=self.merged_into,
                known_by=known_by if self.merged_into else None,
            )
        return PersonChanged(
            account=ACCOUNT,
            person_id=self.person_id,
            version=self.version,
            kind=self.living.kind,
            name=self.living.name,
            addresses=self.living.addresses,
            known_by=known_by,
            merge_id=merge_id,
            merged_into=self.merged_into,
        )


def in_one_order(event: Told) -> Told:
    """Return the event with its hashes sorted, and without when it was told, to compare it."""
    known_by = None if event.known_by is None else tuple(sorted(event.known_by))
    return event.model_copy(update={"known_by": known_by, "told_at": None})


def survivor(person_id: str, ids: Mapping[str, Id]) -> str:
    """Return the profile that an id is shown on, with all that are merged into it."""
    while person_id in ids and (into := ids[person_id].merged_into) is not None:
        person_id = into
    return person_id


def is_seen(person_id: str, key: str, ids: Iterable[Id]) -> bool:
    """Return whether mail of this id is to be seen that was matched by this address."""
    all_ = {one.person_id: one for one in ids}
    if person_id not in all_:
        return True
    shows = survivor(person_id, all_)
    top = all_[shows].living
    if top is None or top.kind is Kind.USER or key not in all_[person_id].own:
        return False
    living = [one.living for one in all_.values() if one.living is not None]
    shown_as_one = [one for one in living if survivor(one.person_id, all_) == shows]
    users = [one for one in living if one.kind is Kind.USER]
    return not any(user.keys & one.keys for user in users for one in shown_as_one)
