"""What is kept of people who were erased, as typed records (`records.py` says how they are stored).

* `ErasureJob`: that a person is being erased, and how far that is.
* `ErasedHead`, `ErasedPage`: the redaction list of an account. Mail that was received before a
  person was erased, and is written afterwards, is written without them (`erased.py`).

No name and no address is in any of these: they are told by hashes (`known_addresses.py`).
"""

from datetime import datetime
from typing import ClassVar

from services.timeline.write.records import Kept, Record


class ErasedPerson(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A person who was erased: by what they are known, and until when."""

    person_id: str
    at: datetime
    """Mail that was received later is not about who was erased."""
    addresses: tuple[str, ...]
    names: tuple[str, ...]


class ErasureJob(Kept, frozen=True, kw_only=True, omit_defaults=True):
    """A person is being erased. An account's are erased one after the other."""

    collection: ClassVar[str] = "erasures"

    erasure_id: str
    """The matcher's, which may be of several people who were one profile."""
    person: ErasedPerson
    asked_at: datetime
    state: str
    """RUNNING or DONE."""
    is_erased: bool = False
    """Nothing is left to erase; the matcher is still to be told."""
    done_at: datetime | None = None
    deleted: int = 0
    """How many mails were deleted so far; counted in their transactions."""
    redacted: int = 0
    """How many mails of others were left without the person."""
    held: int = 0
    """How many captures that wait for a yes were deleted, or left without the person."""
    letters: int = 0
    """How many dead letters were dropped."""
    failed: int = 0
    """How many could not be erased, for what they are: a defect."""


class ErasedHead(Kept, frozen=True, kw_only=True, omit_defaults=True):
    """Where an account's redaction list ends. Its id is the account."""

    collection: ClassVar[str] = "erased_people"

    latest: datetime
    """The latest `ErasedPerson.at`: what was received later needs no look at the list."""
    pages: int


class ErasedPage(Kept, frozen=True, kw_only=True, omit_defaults=True):
    """A part of an account's redaction list."""

    collection: ClassVar[str] = "erased_people"

    people: tuple[ErasedPerson, ...]


def page_id(account: str, number: int) -> str:
    """Return the id of a page of an account's redaction list, which count from 0."""
    return f"{account}/{number}"
