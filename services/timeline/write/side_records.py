"""What the timeline keeps beside mails, as typed records (`records.py` says how they are stored).

* `Bounce`: what a mail says about another.
* `Held`: a capture that waits for a user's yes.
* `Confirmation`: a provider asks a user whether an address may forward.
* `ReadMark`, `ReadBefore`: what a user has read.
* `Hint`: tells open pages that something has changed.
"""

from datetime import datetime
from typing import ClassVar

from msgspec import field

from services.timeline.write.records import Kept, MatchRecord, NamedAddress, Record, Verdict


class Bounce(Kept, frozen=True, kw_only=True, omit_defaults=True):
    """A mail says that another could not be delivered."""

    collection: ClassVar[str] = "bounces"

    token: str
    """Of the mail that came back."""
    owner: str
    recipients: tuple[str, ...]
    at: datetime


class HeldContent(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What is shown of a mail that waits for a user's yes."""

    subject: str
    from_: NamedAddress | None = field(name="from")
    to: tuple[NamedAddress, ...]
    cc: tuple[NamedAddress, ...]
    snippet: str
    forwarded_by: NamedAddress | None
    date: datetime
    matches: tuple[MatchRecord, ...]


class HeldMail(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One event of a capture that waits."""

    part: str
    event: str = ""
    """The event itself, as it came."""
    raw_key: str
    audiences: tuple[str, ...] = field(name="ranges")
    shown: HeldContent


class Held(Kept, frozen=True, kw_only=True, omit_defaults=True):
    """A capture that waits for a user's yes."""

    collection: ClassVar[str] = "quarantine"

    capture_id: str
    owner: str
    at: datetime
    audiences: tuple[str, ...] = field(name="ranges")
    authentication: Verdict | None
    mails: tuple[HeldMail, ...]


class Confirmation(Kept, frozen=True, kw_only=True, omit_defaults=True):
    """A provider asks whether an address may forward to a capture address."""

    collection: ClassVar[str] = "confirmations"

    owner: str = field(name="person_id")
    capture_address: str
    provider: str
    requested_by: str | None
    code: str | None
    link: str | None
    authentication: Verdict | None = None
    at: datetime


class ReadMark(Kept, frozen=True, kw_only=True, omit_defaults=True):
    """How far a user has read a conversation."""

    collection: ClassVar[str] = "read_marks"

    user: str
    conversation: str = field(name="thread")
    through: int
    unread: bool


class ReadBefore(Kept, frozen=True, kw_only=True, omit_defaults=True):
    """How far a user has read everything."""

    collection: ClassVar[str] = "readers"

    read_before: int


class Hint(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A conversation has changed for an audience: open pages fetch it again."""

    collection: ClassVar[str] = "changes"

    account: str
    audience: str = field(name="viewer")
    conversation_id: str
    at: datetime
