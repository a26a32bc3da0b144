"""A plain model of who has an id: what the matcher has to announce, and what is to be seen.

An id has lives: one from each time that it is added until it is deleted, with all addresses that it
had meanwhile. Lives that have an address in common are one person's. Of the present person's lives
the mail is to be seen, and of nobody else's.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from services.matcher.decision.decide import Person
from services.matcher.directory.people import person_of
from shared.contracts.events import Kind, PersonChanged, PersonDeleted
from shared.contracts.known_addresses import address_hash

ACCOUNT = "acme"
Told = PersonChanged | PersonDeleted


@dataclass
class Id:
    """An id of the ATS."""

    person_id: str
    version: int = 0
    living: Person | None = None
    lives: list[set[str]] = field(default_factory=list)

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
        if self.living is None:
            return PersonDeleted(account=ACCOUNT, person_id=self.person_id, version=self.version)
        own = self.own
        hashes = tuple(sorted(address_hash(ACCOUNT, self.person_id, key) for key in own))
        return PersonChanged(
            account=ACCOUNT,
            person_id=self.person_id,
            version=self.version,
            kind=self.living.kind,
            name=self.living.name,
            addresses=self.living.addresses,
            known_by=hashes if any(not life <= own for life in self.lives) else None,
        )


def in_one_order(event: Told) -> Told:
    """Return the event with its hashes sorted, to compare it."""
    if isinstance(event, PersonDeleted) or event.known_by is None:
        return event
    return event.model_copy(update={"known_by": tuple(sorted(event.known_by))})


def is_seen(person_id: str, key: str, ids: Iterable[Id]) -> bool:
    """Return whether mail of this id is to be seen that was matched by this address."""
    all_ = {one.person_id: one for one in ids}
    one = all_.get(person_id)
    if one is None:
        return True
    if one.living is None or one.living.kind is Kind.USER or key not in one.own:
        return False
    users = (other.living for other in all_.values() if other.living is not None)
    return not any(user.keys & one.living.keys for user in users if user.kind is Kind.USER)
