"""Requests to the writer, and their answers. No I/O."""

from typing import Literal

from msgspec import Struct

from services.timeline.write.projection import Projection
from services.timeline.write.records import Content
from services.timeline.write.side_records import Held
from shared.contracts.events import (
    MailAttached,
    MailConfirmation,
    MailDismissed,
    MailRoundTrip,
    MailWatched,
    Share,
)

Final = Literal["refused", "expired"]


class Attach(Struct, frozen=True, kw_only=True):
    """Show a mail, or quarantine it."""

    event: MailAttached
    projection: Projection
    raw: bytes
    may_wait: bool = False
    """The account wants such mail to wait."""
    is_released: bool = False
    """A user has released it from quarantine."""
    proves: tuple[Share, ...] = ()
    """Shares of the same capture without a match: they prove a half and nothing else."""


class Dismiss(Struct, frozen=True, kw_only=True):
    """Record that a capture was dismissed."""

    event: MailDismissed
    proves: tuple[Share, ...] = ()
    """Of a capture at an address of the account: the users whose set-up it proves."""


class Confirm(Struct, frozen=True, kw_only=True):
    """Keep a provider's forwarding confirmation for its owner."""

    event: MailConfirmation


class Return(Struct, frozen=True, kw_only=True):
    """Record that a capture belongs to a round trip: it is no mail."""

    event: MailRoundTrip


class Watch(Struct, frozen=True, kw_only=True):
    """Keep a dismissed mail for a day, because its owner asked to see it."""

    event: MailWatched


class Refuse(Struct, frozen=True, kw_only=True):
    """Delete a quarantined capture."""

    held: Held
    reason: Final


class Replace(Struct, frozen=True, kw_only=True):
    """Replace a content with what today's reader makes of its bytes."""

    mail_id: str
    content: Content
    projections: tuple[Projection, ...]


Request = Attach | Dismiss | Confirm | Return | Watch | Refuse | Replace


class Answer(Struct, frozen=True, kw_only=True):
    """The answer to a request."""

    outcome: str
    """`attached`, `quarantined`, `dismissed`, `confirmation`, `round_trip` or `watched`; of a
    Replace `changed`, `unchanged` or `moved`."""
    complete: bool = True
    """Whether all parts of the event have been seen."""
    again: bool = False
    """Whether it had been recorded so before."""
    mail_id: str | None = None
    """The mail, once it can be read."""
    conversation_id: str | None = None


def account_of(request: Request) -> str:
    """Return the account that a request writes to."""
    if isinstance(request, Refuse):
        return request.held.account
    if isinstance(request, Replace):
        return request.content.account
    return request.event.account


def is_backfill(request: Request) -> bool:
    """Return whether live mail goes before this request."""
    return isinstance(request, Attach | Dismiss | Confirm | Return) and request.event.backfill
