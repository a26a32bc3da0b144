"""What each audience reads, as typed records: derived from those in `records.py`.

MailRow, TermBlock     mails as an audience lists and finds them
ProfileRow             mails on a profile's timeline
Summary, SummaryRow    conversations as an audience lists them
"""

from datetime import datetime
from typing import ClassVar

from msgspec import field

from services.timeline.write.records import Kept, NamedAddress, Record


class ProfileRef(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A profile that a mail is on."""

    person_id: str
    kind: str


class MailRow(Kept, frozen=True, kw_only=True, omit_defaults=True):
    """A mail as an audience lists and finds it."""

    collection: ClassVar[str] = "mail_rows"

    audience: str = field(name="viewer")
    mail_id: str
    conversation: str = field(name="thread")
    date: datetime
    content: str
    subject: str
    snippet: str
    has_attachments: bool
    participants: tuple[NamedAddress, ...]
    persons: tuple[ProfileRef, ...]
    terms: tuple[str, ...] = ()
    terms_digest: bytes = b""
    """The digest of `terms`: a cache of them compares it to know that they are current."""
    block: bytes | None = None
    """The place of the block that its terms are in (`term_blocks`); None: it is fresh."""
    arrived: int = 0
    """The conversation's `arrived` when the mail was news to the audience, 0 if it never was."""
    arrived_before: int = 0
    """The conversation's `arrived` before that."""


class TermBlock(Kept, frozen=True, kw_only=True, omit_defaults=True):
    """What rows of an audience that follow each other by date are found by."""

    collection: ClassVar[str] = "term_blocks"

    audience: str = field(name="viewer")
    place: bytes
    terms: tuple[str, ...]


class ProfileRow(Kept, frozen=True, kw_only=True, omit_defaults=True):
    """A mail on a profile's timeline, as an audience has it."""

    collection: ClassVar[str] = "profile_mails"

    audience: str = field(name="viewer")
    person_id: str
    mail_id: str
    date: datetime


class FirstMail(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A conversation's oldest mail."""

    date: datetime
    mail_id: str
    subject: str


class LastMail(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A conversation's newest mail."""

    date: datetime
    mail_id: str
    snippet: str


class DatedAddress(NamedAddress, frozen=True, kw_only=True, omit_defaults=True):
    """Who takes part in a conversation, and when last."""

    date: datetime


class Summary(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What an inbox shows of a conversation."""

    last_mail_at: datetime
    first: FirstMail
    last: LastMail
    mail_count: int
    with_attachments: int
    participants: tuple[DatedAddress, ...]
    persons: tuple[ProfileRef, ...]


class SummaryRow(Kept, frozen=True, kw_only=True, omit_defaults=True):
    """A conversation as an audience lists it: a `Summary` with an id (a record has one base)."""

    collection: ClassVar[str] = "conversations"

    audience: str = field(name="viewer")
    conversation: str = field(name="thread")
    arrived: int
    """Grows with every mail that is news to the audience: unread is told by it."""
    last_mail_at: datetime
    first: FirstMail
    last: LastMail
    mail_count: int
    with_attachments: int
    participants: tuple[DatedAddress, ...]
    persons: tuple[ProfileRef, ...]
