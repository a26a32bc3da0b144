"""Every exchange, queue and binding, in one table.

Each service declares at start what it publishes to and what it consumes, and it does so again when
it finds something gone, so any broker works without preparation and services start in any order.

Queues are quorum queues. Every argument is given explicitly, since defaults differ between broker
versions and an operator's policy must not be able to displace them. An argument of an existing
queue cannot be changed: a queue's name carries a version for the day one must.

The queue `dead.v1` gets everything that cannot be handled: what a handler rejected, with its
reason, and what reached the broker's delivery limit.

Backfill has queues of its own, all the way: however much of it waits, live mail does not wait
behind it. They are short, so that old mail waits at its source, not on the disk that live mail
needs.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.contracts.events import (
    AccountErased,
    AccountErasureDone,
    CaptureAddressChanged,
    CaptureReviewed,
    ErasureDone,
    Event,
    MailAttached,
    MailAttachedToShares,
    MailConfirmation,
    MailDismissed,
    MailDismissedWithShares,
    MailReceived,
    MailRedecided,
    MailRoundTrip,
    MailWatched,
    PersonChanged,
    PersonDeleted,
    PersonErased,
    ReviewRequested,
    ReviewSettled,
    ReviewWalked,
    RoundTripChanged,
    backfill_key,
)

MAIL_EXCHANGE = "satchel.mail"
"""Topic exchange; the routing key is the event's own (`Event.routing_key`)."""
DEAD_EXCHANGE = "satchel.dead"
"""Topic exchange; the routing key is the dead letter's own tag, or what stood in its place."""

DELIVERY_LIMIT = 60
"""Returns to the queue before the broker gives up on a message. On RabbitMQ 3.10 a crash of a
consumer counts one for each message it held, and so does each 20 minutes of an outage for the one
message that is tried meanwhile: it becomes a dead letter after 20 hours."""
_UNLIMITED = 1_000_000
"""RabbitMQ 4 drops after 20 where none is given and no dead-letter exchange is set; 3.10 knows no
word for unlimited."""
_LIMIT_BYTES = 8 * 1024**3
"""Beyond it a queue refuses what is published, which ingest answers with 451."""
_BACKFILL_LIMIT_BYTES = 1024**3
"""Beyond it the command that brings old mail along waits, and so does the matcher with old mail."""


@dataclass(frozen=True, slots=True)
class Queue:
    """A quorum queue and the routing keys that lead to it."""

    name: str
    exchange: str
    keys: tuple[str, ...]
    arguments: dict[str, str | int] = field(hash=False)


def _quorum(
    delivery_limit: int, dead_exchange: str | None, limit_bytes: int = _LIMIT_BYTES
) -> dict[str, str | int]:
    arguments: dict[str, str | int] = {
        "x-queue-type": "quorum",
        "x-delivery-limit": delivery_limit,
        "x-max-length-bytes": limit_bytes,
        "x-overflow": "reject-publish",
    }
    if dead_exchange is not None:
        arguments["x-dead-letter-exchange"] = dead_exchange
        arguments["x-dead-letter-strategy"] = "at-least-once"
    return arguments


RECEIVED = Queue(
    "matcher.received.v1",
    MAIL_EXCHANGE,
    (MailReceived.tag,),
    _quorum(DELIVERY_LIMIT, DEAD_EXCHANGE),
)
OUTCOMES = Queue(
    "timeline.outcomes.v1",
    MAIL_EXCHANGE,
    (
        MailAttached.tag,
        MailAttachedToShares.tag,
        MailDismissed.tag,
        MailDismissedWithShares.tag,
        MailConfirmation.tag,
        MailRoundTrip.tag,
    ),
    _quorum(DELIVERY_LIMIT, DEAD_EXCHANGE),
)
RECEIVED_BACKFILL = Queue(
    "matcher.backfill.v1",
    MAIL_EXCHANGE,
    tuple(map(backfill_key, RECEIVED.keys)),
    _quorum(DELIVERY_LIMIT, DEAD_EXCHANGE, _BACKFILL_LIMIT_BYTES),
)
OUTCOMES_BACKFILL = Queue(
    "timeline.backfill.v1",
    MAIL_EXCHANGE,
    tuple(map(backfill_key, OUTCOMES.keys)),
    _quorum(DELIVERY_LIMIT, DEAD_EXCHANGE, _BACKFILL_LIMIT_BYTES),
)
PEOPLE = Queue(
    "timeline.people.v1",
    MAIL_EXCHANGE,
    (PersonChanged.tag, PersonDeleted.tag),
    _quorum(DELIVERY_LIMIT, DEAD_EXCHANGE),
)
"""Apart from the outcomes: an import of a whole directory must not delay mail."""
CAPTURE_ADDRESSES = Queue(
    "timeline.capture_addresses.v1",
    MAIL_EXCHANGE,
    (CaptureAddressChanged.tag, RoundTripChanged.tag),
    _quorum(DELIVERY_LIMIT, DEAD_EXCHANGE),
)
"""Nor must it delay who waits for a new address on the set-up page."""
SETUP = Queue(
    "timeline.setup.v1",
    MAIL_EXCHANGE,
    (MailWatched.tag,),
    _quorum(DELIVERY_LIMIT, DEAD_EXCHANGE),
)
"""A queue of its own: a timeline of an earlier version leaves there what it does not know."""
REVIEWED = Queue(
    "matcher.reviews.v1",
    MAIL_EXCHANGE,
    (CaptureReviewed.tag, ReviewWalked.tag, ReviewSettled.tag),
    _quorum(DELIVERY_LIMIT, DEAD_EXCHANGE, _BACKFILL_LIMIT_BYTES),
)
"""Short, as those of backfill: a review of 100,000 mails waits at its source."""
REVIEWS = Queue(
    "timeline.reviews.v1",
    MAIL_EXCHANGE,
    (ReviewRequested.tag, MailRedecided.tag),
    _quorum(DELIVERY_LIMIT, DEAD_EXCHANGE, _BACKFILL_LIMIT_BYTES),
)
ERASURES = Queue(
    "timeline.erasures.v1",
    MAIL_EXCHANGE,
    (PersonErased.tag, AccountErased.tag),
    _quorum(DELIVERY_LIMIT, DEAD_EXCHANGE, _BACKFILL_LIMIT_BYTES),
)
ERASURES_DONE = Queue(
    "matcher.erasures_done.v1",
    MAIL_EXCHANGE,
    (ErasureDone.tag, AccountErasureDone.tag),
    _quorum(DELIVERY_LIMIT, DEAD_EXCHANGE, _BACKFILL_LIMIT_BYTES),
)
DEAD = Queue("dead.v1", DEAD_EXCHANGE, ("#",), _quorum(_UNLIMITED, None))

QUEUES = (
    RECEIVED,
    OUTCOMES,
    RECEIVED_BACKFILL,
    OUTCOMES_BACKFILL,
    PEOPLE,
    CAPTURE_ADDRESSES,
    SETUP,
    REVIEWED,
    REVIEWS,
    ERASURES,
    ERASURES_DONE,
    DEAD,
)


@dataclass(frozen=True, slots=True)
class Topology:
    """What one service uses."""

    queues: tuple[Queue, ...]

    @property
    def exchanges(self) -> tuple[str, ...]:
        """The names of the topic exchanges that the queues are bound to."""
        return tuple(dict.fromkeys(queue.exchange for queue in self.queues))


def uses(*, publishes: Iterable[type[Event]] = (), consumes: Iterable[Queue] = ()) -> Topology:
    """Return what a service has to declare.

    These are the queues it consumes, the queues that its events go to (otherwise mail would be
    refused until their consumer has started once), and the dead-letter queue.
    """
    keys = {key for event in publishes for key in event.routing_keys()}
    wanted = [queue for queue in QUEUES if queue in set(consumes) or keys & set(queue.keys)]
    return Topology((*wanted, DEAD))
