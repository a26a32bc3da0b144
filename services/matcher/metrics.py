"""What the matcher counts. Accounts and addresses are never labels."""

from prometheus_client import Counter, Histogram

from shared.broker import metrics as broker
from shared.contracts.events import (
    AuthenticationVerdict,
    CaptureAddressChanged,
    DismissalReason,
    PersonChanged,
    PersonDeleted,
    RoundTripChanged,
)
from shared.runtime.metrics import from_zero

from_zero(
    broker.DEAD_LETTERS,
    (
        "claim_missing",
        "header_too_long",
        "too_many_enclosed",
        "unknown_capture_address",
        "unreadable_journal_report",
    ),
)

DECISIONS = from_zero(
    Counter("satchel_decisions_total", "Decisions, by outcome", ["decision"]),
    ("attached", "confirmation", "round_trip", *DismissalReason),
)
WATCHED = Counter(
    "satchel_watched_total", "Dismissed mails that a set-up window has shown to their owner"
)
DECIDE_SECONDS = Histogram("satchel_decide_seconds", "From a capture in flight to its decision")
LOOK_UPS = from_zero(
    Counter(
        "satchel_directory_lookups_total",
        "Look-ups of a decision, by where the answer was",
        ["from"],
    ),
    ("cache", "database"),
)
VERSION_READS = Counter("satchel_version_reads_total", "Reads of account versions")
AUTHENTICATIONS = from_zero(
    Counter(
        "satchel_authentications_total",
        "Attached mails and forwarding confirmations, by what was found out of From",
        ["verdict"],
    ),
    AuthenticationVerdict,
)
AUTHENTICATIONS_CUT_SHORT = Counter(
    "satchel_authentications_cut_short_total",
    "Captures whose slow DNS questions were given up, since too many others waited",
)
AUTHENTICATE_SECONDS = Histogram("satchel_authenticate_seconds", "Of all mails of one capture")
ROUND_TRIPS = from_zero(
    Counter(
        "satchel_round_trips_total",
        "Challenges that were sent, or that the relay could not take (failed), and what came back",
        ["result"],
    ),
    ("sent", "failed", "returned", "bounced", "stale", "misdirected", "ignored"),
)
ANNOUNCED = from_zero(
    Counter("satchel_announced_total", "Changes of the directory published", ["tag"]),
    (PersonChanged.tag, PersonDeleted.tag, CaptureAddressChanged.tag, RoundTripChanged.tag),
)
ANNOUNCE_FAILURES = Counter(
    "satchel_announce_failures_total",
    "Looks for changes of the directory to publish that failed; there are two a second",
)
