"""What the timeline counts. Accounts and addresses are never labels."""

from prometheus_client import Counter, Gauge, Histogram

PROJECTED = Counter("satchel_projected_total", "Outcomes written to the database", ["outcome"])
VISIBLE_SECONDS = Histogram(
    "satchel_visible_seconds",
    "From ingest's receipt to the outcome being readable, of live mail",
    buckets=[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200],
)
DEAD_LETTERS_STORED = Counter("satchel_dead_letters_stored_total", "Dead letters kept", ["reason"])
DEAD_LETTERS_WAITING = Gauge(
    "satchel_dead_letters_waiting",
    "Dead letters that wait for a person; every replica says the same",
    ["reason"],
)
