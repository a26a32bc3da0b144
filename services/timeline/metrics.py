"""Metrics of the timeline. Accounts and addresses are never labels."""

from prometheus_client import Counter, Gauge, Histogram

from services.timeline.admin.dead_letters.reasons import OTHER, REASONS
from shared.broker import metrics as broker
from shared.runtime.metrics import from_zero

from_zero(broker.DEAD_LETTERS, ("claim_missing",))

ACCOUNT_ERASED = "account_erased"
PROJECTED = from_zero(
    Counter(
        "satchel_projected_total",
        "Outcomes written to the database, by outcome; `account_erased`: dropped, since their "
        "account was erased",
        ["outcome"],
    ),
    (
        *("attached", "quarantined", "dismissed", "confirmation", "round_trip", "watched"),
        ACCOUNT_ERASED,
    ),
)
VISIBLE_SECONDS = Histogram(
    "satchel_visible_seconds",
    "Time from ingest's 250 to the outcome being readable, for live mail; "
    "redeliveries are not counted",
    buckets=[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200],
)
DEAD_LETTERS_STORED = from_zero(
    Counter("satchel_dead_letters_stored_total", "Dead letters stored, by reason", ["reason"]),
    (*REASONS, OTHER),
)
DEAD_LETTERS_WAITING = from_zero(
    Gauge(
        "satchel_dead_letters_waiting",
        "Dead letters that wait for an operator; every replica reports the same number",
        ["reason"],
    ),
    (*REASONS, OTHER),
)
SETUP_NOTICES = from_zero(
    Gauge(
        "satchel_setup_notices",
        "Open set-up notices that need a user's attention; every replica reports the same number",
        ["kind"],
    ),
    ("silent_half", "leak", "confirmation_expired"),
)
LIVE_STREAMS = Gauge("satchel_live_streams", "Clients connected to GET /v1/events")

BATCH_REQUESTS = Histogram(
    "satchel_batch_requests",
    "Requests committed in one transaction",
    buckets=[1, 2, 4, 8, 16, 32, 64],
)
TERM_BLOCKS = Counter("satchel_term_blocks_total", "Blocks of search terms written")
TERM_BLOCKS_FAILED = Counter(
    "satchel_term_blocks_failed_total",
    "Failed attempts to write search terms into blocks. Searches are slower until one succeeds",
)
CONFLICTS = Counter(
    "satchel_batch_conflicts_total",
    "Batches repeated after a write conflict or a step-down of the primary",
)
HALVINGS = Counter(
    "satchel_batch_halvings_total",
    "Batches halved to find a capture that cannot be written",
)
