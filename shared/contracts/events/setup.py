"""Events about a user's set-up: round trips, and what the set-up window shows."""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.contracts.events.event import CaptureEvent, Event
from shared.contracts.events.words import Account, Named, PersonId


class RoundTripResult(StrEnum):
    """What a capture means for a round trip (docs/round-trip.md)."""

    RETURNED = "returned"
    """The challenge, at a capture address of the user it was sent to, in time."""
    STALE = "stale"
    """A challenge whose time is over, or that was not forwarded but backfilled."""
    MISDIRECTED = "misdirected"
    """A challenge at somebody else's capture address."""
    BOUNCED = "bounced"
    """A mail server says that the challenge, or its forward, was refused."""
    IGNORED = "ignored"
    """Something else at a return path: a delay notice, an automatic reply."""


class MailRoundTrip(CaptureEvent):
    """A capture belongs to a round trip. It is not a mail, and nothing of it is kept."""

    tag: ClassVar[str] = "mail.round_trip.v1"

    account: Account
    result: RoundTripResult
    owner: PersonId | None = None
    """The user whose receiving half it proves; set when it was returned, and only then."""
    capture_address: str | None = None
    """Where it came back to; None for what came to a return path."""
    received_at: AwareDatetime
    decided_at: AwareDatetime


class RoundTripState(StrEnum):
    """The state of a user's latest round trip."""

    SENT = "sent"
    """The relay has taken the challenge. Past `expires_at` it is lost."""
    RETURNED = "returned"
    BOUNCED = "bounced"
    FAILED = "failed"
    """The relay could not take it: that says nothing of the user's mailbox."""
    FORGOTTEN = "forgotten"
    """The user was deleted: nothing else is told."""


class RoundTripChanged(Event):
    """A user's latest round trip has changed."""

    tag: ClassVar[str] = "round_trip.changed.v1"

    account: Account
    person_id: PersonId
    version: int = Field(ge=1)
    state: RoundTripState
    address: str | None = None
    """The user's own, to which the challenge went."""
    sent_at: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None
    at: AwareDatetime
    """When it came to this state."""
    repeated: bool = False
    """Sent by the weekly repeat of the account, not on request."""
    status: str | None = Field(default=None, max_length=20)
    """The enhanced status code of a bounce (RFC 3463), where it has one."""
    reason: str | None = Field(default=None, max_length=400)
    """Why it bounced, in words."""
    advice: str | None = Field(default=None, max_length=800)
    """What to do about it."""
    told_at: AwareDatetime | None = None
    """As in `PersonChanged`."""


class MailWatched(Event):
    """A mail that matched no profile, shown to its owner, who opened the set-up window.

    It is dismissed all the same. Live mail only; the content is bounded, and kept for a day.
    """

    tag: ClassVar[str] = "mail.watched.v1"
    is_fleeting: ClassVar[bool] = True

    capture_id: UUID
    account: Account
    owner: PersonId
    capture_address: str
    received_at: AwareDatetime
    decided_at: AwareDatetime
    sender: Named | None = None
    subject: str = ""
    text: str = ""
    links: tuple[str, ...] = ()
    """The targets of the mail's links, as text: nothing opens them."""
