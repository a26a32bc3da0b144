"""The names of people whom a mail refers to by id, as far as its viewer sees them."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from pydantic import BaseModel

from services.timeline.query.mails import ShownMail
from services.timeline.query.people import KnownPerson
from services.timeline.write.records import ListedContent
from shared.contracts.events import Kind

NO_NAMES: Mapping[str, KnownPerson] = MappingProxyType({})


class NamedPerson(BaseModel):
    """A person whom a mail refers to by id."""

    person_id: str
    kind: Kind
    name: str


def people_named(shown: Iterable[ShownMail[ListedContent]]) -> set[str]:
    """Return the ids of all people that these mails name to their viewer."""
    return {
        id_
        for one in shown
        for id_ in (
            *(match.person_id for match in one.matches),
            *one.detached,
            *(capture.owner for capture in one.viewer.captures(one.mail)),
            *(owner for owners in one.variants.values() for owner in owners),
        )
    }


def person_out(person: KnownPerson) -> NamedPerson:
    """Return a person, without their addresses."""
    return NamedPerson(person_id=person.person_id, kind=Kind(person.kind), name=person.name)
