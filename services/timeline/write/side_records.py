"""What the timeline keeps beside mails, as typed records (`records.py` says how they are stored).

* `Bounce`: what a mail says about another.
* `Held`: a capture that waits for a user's yes.
* `Confirmation`: a provider asks a user whether an address may forward.
* `ReadMark`, `ReadBefore`: what a user has read.
* `Setup`: what is known of a user's set-up; `HalfDay`: how much each half caught on a day.
* `Watched`: a dismissed mail that its owner asked to see, for a day.
* `Hint`: tells open pages that something has changed.
* `AuditLine`: that a user detached, hid or deleted a mail; nothing of the mail.
* `HandOverJob`: that a user's captures go to another, and how far that is.
* `DroppedBlob`: bytes that are no longer needed, to be removed from the blob store.
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
    mail_id: str | None = None
    """Which mail it is; None for what waited before that was noted."""
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
    unanswered: bool = False
    """It waits only since a question was not answered: it is not forgotten without a no."""


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


class SeenHalf(Record, frozen=True, kw_only=True, omit_defaults=True):
    """When a half of a set-up caught mail."""

    first: datetime
    days: tuple[str, ...]
    """Those with mail, ascending, as far as its rhythm is made of them (`rhythm.py`)."""


class Asked(Record, frozen=True, kw_only=True, omit_defaults=True):
    """The latest question of a provider whether it may forward."""

    at: datetime
    provider: str


class Leaked(Record, frozen=True, kw_only=True, omit_defaults=True):
    """The first mail that showed a capture address to people outside the account."""

    capture_address: str
    at: datetime
    mail_date: datetime


class Setup(Kept, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of a user's set-up. Written when something is new, at most once a day a half:
    so that captures of one owner do not meet in it."""

    collection: ClassVar[str] = "setups"

    owner: str
    sent: SeenHalf | None = None
    received: SeenHalf | None = None
    asked: Asked | None = None
    leaks: tuple[Leaked, ...] = ()
    told: tuple[str, ...] = ()
    """The notices that its owner's pages have been told of."""


class HalfDay(Kept, frozen=True, kw_only=True, omit_defaults=True):
    """How much a half of a set-up caught on a day, as one slot has counted it."""

    collection: ClassVar[str] = "half_days"

    owner: str
    half: str
    day: str
    count: int
    last: datetime


class Watched(Kept, frozen=True, kw_only=True, omit_defaults=True):
    """A dismissed mail for the eyes of its owner, who asked to see the next few. In no backup."""

    collection: ClassVar[str] = "watched"

    owner: str
    capture_address: str
    received_at: datetime
    at: datetime
    sender: NamedAddress | None
    subject: str
    text: str
    links: tuple[str, ...]


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
    """A conversation has changed for an audience: open pages fetch it again.

    Of a user's set-up the audience is `setup_of(user)`, and there is no conversation.
    """

    collection: ClassVar[str] = "changes"

    account: str
    audience: str = field(name="viewer")
    conversation_id: str
    at: datetime


def setup_of(user: str) -> str:
    """Return the audience of hints about a user's set-up: that user alone, whatever is open."""
    return f"setup/{user}"


EVERYBODY = "**"
"""The audience of hints for all of an account's open pages: anything may have changed."""
RUNNING, DONE = "running", "done"
"""The states of a `HandOverJob`."""


class AuditLine(Kept, frozen=True, kw_only=True, omit_defaults=True):
    """What somebody did with mail: who, what and when, and nothing of what it says."""

    collection: ClassVar[str] = "audit_log"

    at: datetime
    who: str
    """A person's id."""
    what: str
    """`rulings.What`."""
    kind: str
    """What it was done to: `mail`, `captures`: all that a user captured, or `person`."""
    mail_id: str | None = None
    """Of a `mail`."""
    profile: str | None = None
    """The id of a `person`, or of whose profile a mail was removed from, or put back on."""
    owner: str | None = None
    """Of `captures`: the user whose they were."""
    new_owner: str | None = None
    """Of `captures`: the user whose they are."""


class HandOverJob(Kept, frozen=True, kw_only=True, omit_defaults=True):
    """A user's captures go to another. An account's are done one after the other."""

    collection: ClassVar[str] = "hand_overs"

    from_: str = field(name="from")
    to: str
    who: str
    """Who asked for it: a person's id."""
    at: datetime
    state: str
    """RUNNING or DONE."""
    done_at: datetime | None = None
    mails: int = 0
    """How many were given so far; counted in their transactions."""
    held: int = 0
    """How many captures that wait for a yes were."""
    failed: int = 0
    """How many mails could not be given, for what they are: a defect."""


class DroppedBlob(Kept, frozen=True, kw_only=True, omit_defaults=True):
    """Bytes that no content names any longer; the id is their key in the blob store."""

    collection: ClassVar[str] = "dropped_blobs"
