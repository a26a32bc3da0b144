"""What the timeline keeps, as typed records: one class a kind of document, frozen.

A record knows its collection. `stored.py` turns records into BSON and back, and is the only place
that does. A field's stored name stands beside it where it differs. A field with a default is left
out of the document while it has that value, and a field that a record does not know is passed
over: so an older document is read, and an older timeline reads a newer one's.

    captured   Capture in Mail, Content      what came, and what is shown of it
               RawMail                       its bytes, where they are few
    connected  Token, Conversation           which mails belong together
    counted    Outcome                       what became of a capture

What each audience reads, derived from these, is in `listed_records.py`, what is kept beside mails
in `side_records.py`.
"""

from datetime import datetime
from typing import Any, ClassVar

from msgspec import Struct, field


class Record(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A document, or a part of one."""


class Kept(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A document: every one belongs to an account, and has an id that is made from what it is."""

    collection: ClassVar[str]

    id: str = field(name="_id")
    account: str


# Captured ------------------------------------------------------------------------------------


class NamedAddress(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A name and an address, as a mail has them."""

    name: str
    address: str


class Participant(NamedAddress, frozen=True, kw_only=True, omit_defaults=True):
    """Who takes part in a mail; `Role` and `Source` of `shared.contracts.events`."""

    role: str
    source: str


class Attachment(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A part that is not shown."""

    index: int
    filename: str
    content_type: str
    size: int
    """In bytes, decoded."""
    digest: str
    """Of its bytes, to tell one from another."""


class ListedContent(Kept, frozen=True, kw_only=True, omit_defaults=True):
    """What lists show of a mail, in one of the forms in which it was captured."""

    collection: ClassVar[str] = "contents"

    mail_id: str
    subject: str
    from_: NamedAddress | None = field(name="from")
    to: tuple[NamedAddress, ...]
    cc: tuple[NamedAddress, ...]
    reply_to: tuple[NamedAddress, ...]
    forwarded_by: NamedAddress | None
    participants: tuple[Participant, ...]
    snippet: str
    forward: bool
    auto: str | None
    invite: dict[str, Any] | None
    """`Invite.model_dump(mode="json")`."""
    attachments: tuple[Attachment, ...]
    incomplete: bool
    reader_version: int
    read_at: datetime
    size: int
    raw_key: str
    raw_of: str
    """The owner of the capture whose raw bytes are kept."""
    redacted: bool = False
    """Somebody was erased from it (`erasing.py`): its id is still that of what came."""

    @property
    def key(self) -> str:
        """Which of the mail's contents it is."""
        return self.id.partition("/")[2]


class Content(ListedContent, frozen=True, kw_only=True, omit_defaults=True):
    """All that is shown of a mail, in one of the forms in which it was captured."""

    text: str
    html: str | None


RAW_IN_DATABASE_BYTES = 64 * 1024
"""Up to this size raw bytes are committed with the documents: no file to be synced, no PUT."""


class RawMail(Kept, frozen=True, kw_only=True, omit_defaults=True):
    """The raw bytes of a small mail; its id is the content's `raw_key`."""

    collection: ClassVar[str] = "raw_mails"

    raw: bytes


class MatchRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A profile's address in a mail."""

    person_id: str
    kind: str
    address: str
    role: str
    source: str
    shared_address: bool
    bcc_owners: tuple[str, ...] = ()
    """Set where it is known from Bcc alone: who may see it."""
    detached: bool = False
    """A user has removed the mail from this profile. Never stored so: `audiences.as_ruled` says it
    of what is stored."""
    made_for: str | None = None
    """The profile whose address it is, where that is merged into the one that the mail is shown on.
    Never stored so: `query/merges.py` says it of what is stored."""


class Forward(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What an inline forward says of the original; `Forwarded` of `shared.contracts.events`."""

    sender: NamedAddress
    to: tuple[NamedAddress, ...]
    cc: tuple[NamedAddress, ...]
    date: str | None
    subject: str | None


class Verdict(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Whether a mail is from whom it says; `Authentication` of `shared.contracts.events`."""

    verdict: str
    method: str | None
    domain: str | None
    reason: str | None


class Capture(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One arrival of a mail at a capture address."""

    owner: str = field(name="person_id")
    at: datetime
    capture_id: str
    place: str
    capture_address: str
    door: str
    direction: str
    sent_by_owner: bool | None = None
    forwarded: Forward | None
    content: str
    """The key of its content."""
    said: str
    """A hash of its text, white space aside: captures that differ in it are variants."""
    date: datetime
    sort_date: datetime
    """The mail's date, never later than its arrival."""
    matches: tuple[MatchRecord, ...]
    bcc: tuple[NamedAddress, ...]
    authentication: Verdict | None = None
    backfill: bool = False

    @property
    def is_open(self) -> bool:
        """Whether the team may know of it: something else than a Bcc named a profile."""
        return any(not match.bcc_owners for match in self.matches)


class Redecided(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A review was applied to what an owner captured of a mail in one form."""

    owner: str
    content: str
    """The key of the content."""
    at: datetime
    """When it was decided again: an event that was decided before changes nothing of it."""


class Mail(Kept, frozen=True, kw_only=True, omit_defaults=True):
    """A mail as a person would count it, with all of its captures."""

    collection: ClassVar[str] = "mails"

    message_id: str | None
    token: str
    captures: tuple[Capture, ...]
    detached: tuple[str, ...] = ()
    """The profiles that users have removed it from."""
    private: tuple[str, ...] = ()
    """The owners whose captures of it are for themselves alone."""
    forgotten: tuple[str, ...] = ()
    """The owners who have deleted it, or EVERYONE: another capture of theirs is dismissed. Of a
    mail without captures nothing else is kept. ERASED says that it went with a person."""
    redecided: tuple[Redecided, ...] = ()
    """What reviews have changed, of each owner and content the latest."""
    team_arrived: tuple[int, int] = (0, 0)
    """While it is private, `arrived_before` and `arrived` of the row that the team had."""

    def is_forgotten_by(self, owner: str) -> bool:
        """Return whether a capture of this owner is dismissed."""
        return owner in self.forgotten or EVERYONE in self.forgotten

    def without_captures(self) -> "Mail":
        """Return what is kept of a mail without captures: which it was, who deleted it, and which
        captures of it were dismissed by a review."""
        return Mail(
            id=self.id,
            account=self.account,
            message_id=None,
            token="",
            captures=(),
            forgotten=self.forgotten,
            redecided=self.redecided,
        )


EVERYONE = "*"
"""In the place of an owner: all of them."""
ERASED = ""
"""In the place of an owner: nobody deleted the mail, and whoever captures it anew has it."""


# Connected -----------------------------------------------------------------------------------


class Token(Kept, frozen=True, kw_only=True, omit_defaults=True):
    """A Message-ID, hashed, and the conversation that it belongs to."""

    collection: ClassVar[str] = "tokens"

    conversation: str = field(name="thread")


class Conversation(Kept, frozen=True, kw_only=True, omit_defaults=True):
    """How many mails a conversation has. Every join writes this document."""

    collection: ClassVar[str] = "threads"

    mails: int
    joined: int = 0
    """Grows with every write, so that two transactions that join meet here."""


# Counted -------------------------------------------------------------------------------------


class Outcome(Kept, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a capture; its id is the capture's."""

    collection: ClassVar[str] = "outcomes"

    day: str
    at: datetime | None = None
    decision: str
    """`attached`, `dismissed`, `confirmation`, `round_trip` or `quarantined`."""
    reason: str | None = None
    message_id_hash: str | None = None
    parts: tuple[str, ...] = ()
    """The events of an attached capture that have been seen."""
    mails: tuple[str, ...] = ()
    """Of an attached capture, the ids of its mails."""
    expires_at: datetime | None = None
    """When that it was dismissed needs not be known any longer; None for what stays."""
