"""Events about people and accounts that are erased. None tells a name or an address."""

from typing import Annotated, ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.contracts.events.event import Event
from shared.contracts.events.words import Account, PersonId

ErasureId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
"""The id of an erasure."""


class PersonErased(Event):
    """A person was erased from the directory: their mail is to be erased, too.

    People who were merged into one profile are erased together, with an event each.
    """

    tag: ClassVar[str] = "person.erased.v1"

    account: Account
    erasure_id: ErasureId
    person_id: PersonId
    asked_by: PersonId
    asked_at: AwareDatetime
    erased_at: AwareDatetime
    """From then on no decision names them. Mail that was received later is about somebody else."""
    addresses: tuple[str, ...]
    """Hashes (`known_addresses.py`) of the addresses that they have or had."""
    names: tuple[str, ...]
    """Hashes of their names."""


class Erased(BaseModel):
    """How much was removed of a person. What concerns two people who are erased together counts for
    both."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mails_deleted: int = Field(0, ge=0, description="Mails that concerned no one else")
    mails_redacted: int = Field(
        0, ge=0, description="Mails of others, which are kept without the person"
    )
    quarantined: int = Field(
        0, ge=0, description="Captures in quarantine that were deleted, or wait without the person"
    )
    dead_letters: int = Field(0, ge=0, description="Dead letters that were dropped")
    failed: int = Field(
        0, ge=0, description="What could not be erased, for what it is: a defect, see the logs"
    )


class ErasureDone(Event):
    """The mail of an erased person is erased."""

    tag: ClassVar[str] = "erasure.done.v1"

    account: Account
    erasure_id: ErasureId
    person_id: PersonId
    done_at: AwareDatetime
    erased: Erased


class AccountErased(Event):
    """An account was erased from the directory: all that there is of it is to be erased.

    Until `account_erasure.done.v1` is handled the matcher decides about no mail of the account.
    """

    tag: ClassVar[str] = "account.erased.v1"

    account: Account
    erasure_id: ErasureId
    erased_at: AwareDatetime
    """Mail that was received, and directory events that were read, until then are never written."""
    settled_at: AwareDatetime
    """By then every request and batch that began before the erasure has ended. Until then nothing
    is written of the account; then what they left is deleted."""


class ErasedOfAccount(BaseModel):
    """How much was removed of an account."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    people: int = Field(0, ge=0, description="People of the directory, deleted ones included")
    mails: int = Field(0, ge=0, description="Mails")
    quarantined: int = Field(0, ge=0, description="Captures in quarantine")
    dead_letters: int = Field(0, ge=0, description="Dead letters")


class AccountErasureDone(Event):
    """What the timeline had of an account is erased."""

    tag: ClassVar[str] = "account_erasure.done.v1"

    account: Account
    erasure_id: ErasureId
    done_at: AwareDatetime
    erased: ErasedOfAccount
