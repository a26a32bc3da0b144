"""Events about people and capture addresses."""

from typing import ClassVar, Literal

from pydantic import AwareDatetime, Field

from shared.contracts.events.event import Event
from shared.contracts.events.words import Account, Kind, PersonId


class PersonChanged(Event):
    """A person was created or changed."""

    tag: ClassVar[str] = "person.changed.v1"

    account: Account
    person_id: PersonId
    version: int = Field(ge=1)
    kind: Kind
    name: str
    addresses: tuple[str, ...]
    known_by: tuple[str, ...] | None = None
    """Set where somebody else had this id before: hashes (`known_addresses.py`) of the addresses
    that this person has or had. Mail that was matched by another address is not theirs."""


class PersonDeleted(Event):
    """A person was deleted."""

    tag: ClassVar[str] = "person.deleted.v1"

    account: Account
    person_id: PersonId
    version: int = Field(ge=1)


class CaptureAddressChanged(Event):
    """A user's capture address was created or changed."""

    tag: ClassVar[str] = "capture_address.changed.v1"

    account: Account
    person_id: PersonId
    address: str
    version: int = Field(ge=1)
    state: Literal["active", "grace", "revoked"]
    valid_until: AwareDatetime | None = None
