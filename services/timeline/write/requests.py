"""Requests to the writer, and their answers. No I/O."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from services.timeline.write.erased_records import ErasedPerson
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


What = Literal["detached", "attached", "private", "team", "forgotten", "handed_over", "erased"]
"""What a user may do with mail: as the audit log has it."""


class Ruling(Struct, frozen=True, kw_only=True):
    """What a user wants of a mail that is attached."""

    account: str
    mail_id: str
    who: str
    line_id: str
    """Of the line in the audit log, should anything change."""


class Detach(Ruling, frozen=True, kw_only=True):
    """Remove a mail from a profile, or put it back."""

    person_id: str
    merged: tuple[str, ...] = ()
    """The people that are merged into it: the mail is removed from them all, so that it stays so
    when they are parted."""
    undo: bool = False


class Hide(Ruling, frozen=True, kw_only=True):
    """Make what `who` captured of a mail private, or the team's again."""

    undo: bool = False


class Prepared(Struct, frozen=True):
    """Bytes of a content without what only those knew who delete their captures of it."""

    raw_key: str
    """Where the bytes are that it was made from."""
    new_key: str
    """Where they are to be: a key that no bytes had before. The same may have been deleted from
    another, and be on their way out."""
    raw: bytes | None
    """None: they were lost before."""


class Forget(Ruling, frozen=True, kw_only=True):
    """Delete what an owner captured of a mail, or all captures of it."""

    owner: str | None
    """None: all."""
    prepared: Mapping[str, Prepared] = {}
    """By the keys of contents that others have captured, too."""


class HandOver(Struct, frozen=True, kw_only=True):
    """Give what a user captured of a mail to another."""

    account: str
    job_id: str
    """Of the `HandOverJob` that counts it."""
    mail_id: str
    from_: str
    to: str


class PreparedBytes(Struct, frozen=True):
    """Bytes of a content without an erased person in their header."""

    raw_key: str
    """Where the bytes are that they were made from."""
    new_key: str
    """Where they are to be: a key that no bytes had before, or the same where nothing changes."""
    raw: bytes | None
    """None where nothing changes, or they were lost before."""
    is_stripped: bool = False
    """They are without what only the owner knew to whom they came (`forgetting.common_bytes`)."""


class Erase(Struct, frozen=True, kw_only=True):
    """Delete a mail, or leave it without a person who is erased."""

    account: str
    job_id: str
    """Of the `ErasureJob` that counts it."""
    mail_id: str
    person: ErasedPerson
    prepared: Mapping[str, PreparedBytes] = {}
    """By the keys of the contents that stay."""


class EraseHeld(Struct, frozen=True, kw_only=True):
    """Delete a capture that waits for a yes, or leave it without a person who is erased."""

    account: str
    job_id: str
    held_id: str
    person: ErasedPerson


class Stamp(Struct, frozen=True, kw_only=True):
    """Let a mail count as changed, for who keeps a copy: it is shown on another profile."""

    account: str
    mail_id: str


class HandOverHeld(Struct, frozen=True, kw_only=True):
    """Give what a user has of a capture that waits for a yes to another."""

    account: str
    job_id: str
    held_id: str
    from_: str
    to: str


Request = (
    Attach
    | Dismiss
    | Confirm
    | Return
    | Watch
    | Refuse
    | Replace
    | Detach
    | Hide
    | Forget
    | HandOver
    | HandOverHeld
    | Erase
    | EraseHeld
    | Stamp
)


class Answer(Struct, frozen=True, kw_only=True):
    """The answer to a request."""

    outcome: str
    """`attached`, `quarantined`, `dismissed`, `confirmation`, `round_trip` or `watched`; of a
    Replace `changed`, `unchanged` or `moved`; of a Ruling `changed`, `unchanged` or `unknown`, and
    of a Forget whose bytes are others meanwhile `unprepared`, and of an Erase; of an Erase, a
    HandOver or a Stamp `changed` or `unchanged`."""
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
    if isinstance(request, Ruling | HandOver | HandOverHeld | Erase | EraseHeld | Stamp):
        return request.account
    return request.event.account


def is_backfill(request: Request) -> bool:
    """Return whether live mail goes before this request."""
    if isinstance(request, HandOver | HandOverHeld | Erase | EraseHeld | Stamp):
        return True
    return isinstance(request, Attach | Dismiss | Confirm | Return) and request.event.backfill
