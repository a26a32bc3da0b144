"""The events: all that the services know of each other.

* An event travels as JSON in the AMQP header `event`; the AMQP body is the raw mail, untouched, or
  empty. The property `type` carries the tag, which names the event and its version.
* It is routed by its tag; what is about old mail (`backfill`) by its tag and `.backfill`, to queues
  of its own.
* Producers forbid extra fields, consumers ignore them: a new optional field can be rolled out in
  any order. A field is only ever added as optional; anything else is a new version of the event,
  consumed everywhere before it is produced anywhere.
* `schemas/` beside it holds the JSON Schema and one example of each; a test fails when they drift.

| tag                | producer | consumer | body                                    |
|--------------------|----------|----------|-----------------------------------------|
| mail.received.v1   | ingest   | matcher  | the mail, or empty when `blob_key` is set |
| mail.attached.v1   | matcher  | timeline | the mail, or empty when `blob_key` is set |
| mail.attached.v2   | matcher  | timeline | the mail, or empty when `blob_key` is set |
| mail.dismissed.v1  | matcher  | timeline | empty                                   |
| mail.dismissed.v2  | matcher  | timeline | empty                                   |
| mail.confirmation.v1 | matcher | timeline | empty                                 |
| mail.round_trip.v1 | matcher  | timeline | empty                                   |
| mail.watched.v1    | matcher  | timeline | empty                                   |
| person.changed.v1  | matcher  | timeline | empty                                   |
| person.deleted.v1  | matcher  | timeline | empty                                   |
| capture_address.changed.v1 | matcher | timeline | empty                            |
| round_trip.changed.v1 | matcher | timeline | empty                                 |
| review.requested.v1 | matcher | timeline | empty                                   |
| review.capture.v1  | timeline | matcher | the beginning of the mail, or empty     |
| review.walked.v1   | timeline | matcher | empty                                    |
| mail.redecided.v1  | matcher  | timeline | empty                                   |
| review.settled.v1  | timeline | matcher | empty                                    |
| person.erased.v1   | matcher  | timeline | empty                                   |
| erasure.done.v1    | timeline | matcher  | empty                                   |
| account.erased.v1  | matcher  | timeline | empty                                   |
| account_erasure.done.v1 | timeline | matcher | empty                                |

`mail.attached.v2` and `mail.dismissed.v2` are about captures at an address of the account, which
several users may have a share in; the first versions are about a user's own address.

Those of the directory and `round_trip.changed.v1` are versioned, per person and per address: they
may come in any order and any number of times, and an older one never wins. Those of reviews
(`reviews.py`) and of erasures may come any number of times, too.
"""

from shared.contracts.events.directory import CaptureAddressChanged as CaptureAddressChanged
from shared.contracts.events.directory import PersonChanged as PersonChanged
from shared.contracts.events.directory import PersonDeleted as PersonDeleted
from shared.contracts.events.erasures import AccountErased as AccountErased
from shared.contracts.events.erasures import AccountErasureDone as AccountErasureDone
from shared.contracts.events.erasures import Erased as Erased
from shared.contracts.events.erasures import ErasedOfAccount as ErasedOfAccount
from shared.contracts.events.erasures import ErasureDone as ErasureDone
from shared.contracts.events.erasures import ErasureId as ErasureId
from shared.contracts.events.erasures import PersonErased as PersonErased
from shared.contracts.events.event import MAX_EVENT_BYTES as MAX_EVENT_BYTES
from shared.contracts.events.event import CaptureEvent as CaptureEvent
from shared.contracts.events.event import Event as Event
from shared.contracts.events.event import InvalidEvent as InvalidEvent
from shared.contracts.events.event import MailEvent as MailEvent
from shared.contracts.events.event import backfill_key as backfill_key
from shared.contracts.events.mails import MailAttached as MailAttached
from shared.contracts.events.mails import MailAttachedToShares as MailAttachedToShares
from shared.contracts.events.mails import MailConfirmation as MailConfirmation
from shared.contracts.events.mails import MailDismissed as MailDismissed
from shared.contracts.events.mails import MailDismissedWithShares as MailDismissedWithShares
from shared.contracts.events.mails import MailReceived as MailReceived
from shared.contracts.events.mails import Share as Share
from shared.contracts.events.reviews import Attachment as Attachment
from shared.contracts.events.reviews import CaptureReviewed as CaptureReviewed
from shared.contracts.events.reviews import MailRedecided as MailRedecided
from shared.contracts.events.reviews import ReviewedCapture as ReviewedCapture
from shared.contracts.events.reviews import ReviewId as ReviewId
from shared.contracts.events.reviews import ReviewRequested as ReviewRequested
from shared.contracts.events.reviews import ReviewSettled as ReviewSettled
from shared.contracts.events.reviews import ReviewWalked as ReviewWalked
from shared.contracts.events.setup import MailRoundTrip as MailRoundTrip
from shared.contracts.events.setup import MailWatched as MailWatched
from shared.contracts.events.setup import RoundTripChanged as RoundTripChanged
from shared.contracts.events.setup import RoundTripResult as RoundTripResult
from shared.contracts.events.setup import RoundTripState as RoundTripState
from shared.contracts.events.words import ACCOUNT_PATTERN as ACCOUNT_PATTERN
from shared.contracts.events.words import Account as Account
from shared.contracts.events.words import Authentication as Authentication
from shared.contracts.events.words import AuthenticationMethod as AuthenticationMethod
from shared.contracts.events.words import AuthenticationVerdict as AuthenticationVerdict
from shared.contracts.events.words import Direction as Direction
from shared.contracts.events.words import DismissalReason as DismissalReason
from shared.contracts.events.words import Forwarded as Forwarded
from shared.contracts.events.words import Half as Half
from shared.contracts.events.words import Kind as Kind
from shared.contracts.events.words import Leak as Leak
from shared.contracts.events.words import Match as Match
from shared.contracts.events.words import MergeId as MergeId
from shared.contracts.events.words import Named as Named
from shared.contracts.events.words import PersonId as PersonId
from shared.contracts.events.words import Role as Role
from shared.contracts.events.words import Source as Source

EVENTS: dict[str, type[Event]] = {
    event.tag: event
    for event in (
        MailReceived,
        MailAttached,
        MailAttachedToShares,
        MailDismissed,
        MailDismissedWithShares,
        MailConfirmation,
        MailRoundTrip,
        MailWatched,
        PersonChanged,
        PersonDeleted,
        CaptureAddressChanged,
        RoundTripChanged,
        ReviewRequested,
        CaptureReviewed,
        ReviewWalked,
        MailRedecided,
        ReviewSettled,
        PersonErased,
        ErasureDone,
        AccountErased,
        AccountErasureDone,
    )
}
FLEETING = frozenset(tag for tag, event in EVENTS.items() if event.is_fleeting)
"""The tags of what no backup and no dead letter keeps."""


def decode_event(tag: str | None, text: object) -> Event:
    """Return the event of an AMQP message's `type` and `event` header; raise InvalidEvent."""
    model = EVENTS.get(tag or "")
    if model is None:
        raise InvalidEvent("unknown tag")
    if not isinstance(text, str):
        raise InvalidEvent(f"{model.tag} has no header `event`")
    return model.decode(text)
