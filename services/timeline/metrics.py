"""What the timeline counts. Accounts and addresses are never labels."""

from prometheus_client import Counter, Gauge, Histogram

from services.timeline.admin.dead_letters.reasons import OTHER, REASONS
from shared.broker import metrics as broker
from shared.runtime.metrics import from_zero

from_zero(broker.DEAD_LETTERS, ("claim_missing",))

PROJECTED = from_zero(
    Counter("satchel_projected_total", "Outcomes written to the database", ["outcome"]),
    ("attached", "quarantined", "dismissed", "confirmation", "round_trip", "watched"),
)
VISIBLE_SECONDS = Histogram(
    "satchel_visible_seconds",
    "From ingest's receipt, just before its 250, to the outcome being readable, of live mail; "
    "what is delivered again is not counted again",
    buckets=[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200],
)
DEAD_LETTERS_STORED = from_zero(
    Counter("satchel_dead_letters_stored_total", "Dead letters kept", ["reason"]),
    (*REASONS, OTHER),
)
DEAD_LETTERS_WAITING = from_zero(
    Gauge(
        "satchel_dead_letters_waiting",
        "Dead letters that wait for a person; every replica says the same",
        ["reason"],
    ),
    (*REASONS, OTHER),
)
SETUP_NOTICES = from_zero(
    Gauge(
        "satchel_setup_notices",
        "Notices of users' set-ups that need a person; every replica says the same",
        ["kind"],
    ),
    ("silent_half", "leak", "confirmation_expired"),
)
LIVE_STREAMS = Gauge("satchel_live_streams", "Clients that listen to live hints")

BATCH_REQUESTS = Histogram(
    "satchel_batch_requests",
    "Requests that were committed together",
    buckets=[1, 2, 4, 8, 16, 32, 64],
)
TERM_BLOCKS = Counter("satchel_term_blocks_total", "Blocks of search terms that were made")
TERM_BLOCKS_FAILED = Counter(
    "satchel_term_blocks_failed_total",
    "Times that search terms could not be put into blocks; searches are slower until they are",
)
CONFLICTS = Counter(
    "satchel_batch_conflicts_total",
    "Batches that met another writer's, or a server that stepped down, and were repeated",
)
HALVINGS = Counter(
    "satchel_batch_halvings_total",
    "Batches that were halved to find the capture that cannot be written",
)
