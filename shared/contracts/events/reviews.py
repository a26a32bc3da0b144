"""Events of reviews: which attachments would be decided otherwise today, and the change of them.

matcher  review.requested  -> timeline goes through the mail that may be concerned
timeline review.capture    -> matcher decides about a capture anew, once for each
         review.walked     -> matcher knows how many there are
matcher  mail.redecided    -> timeline replaces the matches of a capture, when a review is
                              applied
timeline review.settled    -> matcher notes what became of it
"""

from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.contracts.events.event import Event
from shared.contracts.events.words import Account, Direction, Match, PersonId

ReviewId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
"""The id of a review."""
ItemId = Annotated[str, Field(pattern=r"^[a-z2-7]{32}$")]
"""What a review knows a capture by: the same whenever the same capture is met."""


class ReviewEvent(Event):
    """An event of one review."""

    account: Account
    review_id: ReviewId


class ReviewRequested(ReviewEvent):
    """Somebody wants to know what would be decided otherwise today."""

    tag: ClassVar[str] = "review.requested.v1"

    people: tuple[PersonId, ...] | None = None
    """Captures that name one of these profiles, or one of the addresses; None: all captures."""
    addresses: tuple[str, ...] = ()
    """In the form in which addresses compare."""


class ReviewedCapture(BaseModel):
    """A capture of a mail: what one user captured in one form."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    item: ItemId
    mail_id: str
    content: str
    """The key of the content that it came with."""
    owner: PersonId
    capture_id: str


class CaptureReviewed(ReviewEvent):
    """What a capture was decided by: its facts, and as the AMQP body the beginning of the mail.

    The body is the header; of a mail whose body took part in the decision, the text as well. It is
    empty where the bytes were lost.
    """

    tag: ClassVar[str] = "review.capture.v1"
    is_fleeting: ClassVar[bool] = True

    capture: ReviewedCapture
    matches: tuple[Match, ...] = ()
    """Those that it has now."""
    bcc: tuple[str, ...] = ()
    """The addresses that the owner alone knows from Bcc."""
    has_own_bcc: bool = Field(default=False, exclude_if=lambda has_own_bcc: not has_own_bcc)
    """The body came to this owner; otherwise Bcc in it is another's."""
    is_forward: bool = Field(default=False, exclude_if=lambda is_forward: not is_forward)
    """Its body names the original's participants."""
    too_large: bool = Field(default=False, exclude_if=lambda too_large: not too_large)
    """It names more than an event can hold, so it cannot be reviewed."""


class ReviewWalked(ReviewEvent):
    """The timeline has gone through all the mail that may be concerned."""

    tag: ClassVar[str] = "review.walked.v1"

    captures: int = Field(ge=0)
    """As many `review.capture.v1` there are, repetitions not counted."""


class Attachment(BaseModel):
    """An address of a profile in a mail."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    person_id: PersonId
    address: str


class MailRedecided(ReviewEvent):
    """A capture is decided otherwise than it was: a review is applied."""

    tag: ClassVar[str] = "mail.redecided.v1"

    capture: ReviewedCapture
    was: tuple[Attachment, ...]
    """What it was attached to when it was reviewed. If that has changed since, nothing is done."""
    matches: tuple[Match, ...] = ()
    """What it is attached to from now on; none: it is dismissed."""
    direction: Direction | None = None
    decided_at: AwareDatetime
    by: str
    """The person id of who applied the review; empty for a back-end."""


class ReviewSettled(ReviewEvent):
    """What became of a redecided capture."""

    tag: ClassVar[str] = "review.settled.v1"

    item: ItemId
    outcome: Literal["applied", "changed_meanwhile", "failed"]
