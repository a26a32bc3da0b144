"""Events about people and capture addresses."""

from typing import ClassVar, Literal

from pydantic import AwareDatetime, Field

from shared.contracts.events.event import Event
from shared.contracts.events.words import Account, Kind, MergeId, PersonId


class PersonChanged(Event):
    """A person was created or changed."""

    tag: ClassVar[str] = "person.changed.v1"

    account: Account
    person_id: PersonId
    version: int = Field(ge=1)
    kind: Kind
    name: str
    addresses: tuple[str, ...]
    merge_id: MergeId | None = None
    """The latest merge of this profile into another, undone or not."""
    merged_into: PersonId | None = None
    """The profile that shows this one's mail, while that merge stands."""
    known_by: tuple[str, ...] | None = None
    """Set where somebody else had this id before: hashes (`known_addresses.py`) of the addresses
    that this person has or had. Mail that was matched by another address is not theirs."""
    told_at: AwareDatetime | None = None
    """When the directory was read for this event. What was told until an account was erased is
    dropped. None: an older matcher told it."""


class PersonDeleted(Event):
    """A person was deleted."""

    tag: ClassVar[str] = "person.deleted.v1"

    account: Account
    person_id: PersonId
    version: int = Field(ge=1)
    merge_id: MergeId | None = None
    """As in `PersonChanged`: who was merged and is deleted then has mail that is shown."""
    merged_into: PersonId | None = None
    known_by: tuple[str, ...] | None = None
    """As in `PersonChanged`, while that merge stands."""
    told_at: AwareDatetime | None = None
    """As in `PersonChanged`."""


class CaptureAddressChanged(Event):
    """A user's capture address was created or changed."""

    tag: ClassVar[str] = "capture_address.changed.v1"

    account: Account
    person_id: PersonId
    address: str
    version: int = Field(ge=1)
    state: Literal["active", "grace", "revoked"]
    valid_until: AwareDatetime | None = None
    told_at: AwareDatetime | None = None
    """As in `PersonChanged`."""
