"""Metrics of the matcher. Accounts and addresses are never labels."""

from prometheus_client import Counter, Histogram

from shared.broker import metrics as broker
from shared.contracts.events import (
    AuthenticationVerdict,
    CaptureAddressChanged,
    DismissalReason,
    PersonChanged,
    PersonDeleted,
    PersonErased,
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

ACCOUNT_ERASED = "account_erased"
DECISIONS = from_zero(
    Counter("satchel_decisions_total", "Captures decided, by decision", ["decision"]),
    ("attached", "confirmation", "round_trip", ACCOUNT_ERASED, *DismissalReason),
)
WATCHED = Counter(
    "satchel_watched_total", "Dismissed mails shown to their owner through a set-up window"
)
SEALED = from_zero(
    Counter(
        "satchel_rematch_sealed_total",
        "Unmatched captures of accounts whose rematch window is on: sealed, beyond the day's room "
        "(full), or as old as the window when they were decided (late)",
        ["result"],
    ),
    ("sealed", "full", "late"),
)
REMATCHED = from_zero(
    Counter(
        "satchel_rematched_total",
        "Sealed captures opened for an address of the directory: attached, kept because nobody "
        "matches, dismissed and destroyed, or failed",
        ["result"],
    ),
    ("attached", "kept", "dismissed", "failed"),
)
SEALED_ENDED = Counter(
    "satchel_rematch_ended_total",
    "Sealed captures destroyed because their rematch window ended, was shortened or turned off",
)
DECIDE_SECONDS = Histogram(
    "satchel_decide_seconds", "Time from a capture's delivery to its decision"
)
LOOK_UPS = from_zero(
    Counter(
        "satchel_directory_lookups_total",
        "Directory look-ups, by where the answer came from",
        ["from"],
    ),
    ("cache", "database"),
)
VERSION_READS = Counter("satchel_version_reads_total", "Reads of an account's directory version")
AUTHENTICATIONS = from_zero(
    Counter(
        "satchel_authentications_total",
        "Attached mails and forwarding confirmations authenticated, by verdict",
        ["verdict"],
    ),
    AuthenticationVerdict,
)
AUTHENTICATIONS_CUT_SHORT = Counter(
    "satchel_authentications_cut_short_total",
    "Captures whose authentication was cut short because too many others waited for slow DNS",
)
AUTHENTICATE_SECONDS = Histogram(
    "satchel_authenticate_seconds", "Time to authenticate all mails of one capture"
)
ROUND_TRIPS = from_zero(
    Counter(
        "satchel_round_trips_total",
        "Round-trip challenges, by result: sent, failed at the relay, or what came back",
        ["result"],
    ),
    ("sent", "failed", "returned", "bounced", "stale", "misdirected", "ignored"),
)
ANNOUNCED = from_zero(
    Counter("satchel_announced_total", "Directory changes published, by event", ["tag"]),
    (
        *(PersonChanged.tag, PersonDeleted.tag, PersonErased.tag),
        *(CaptureAddressChanged.tag, RoundTripChanged.tag),
    ),
)
ANNOUNCE_FAILURES = Counter(
    "satchel_announce_failures_total",
    "Failed outbox polls. The outbox polls twice a second",
)
