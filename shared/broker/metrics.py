"""What every service counts of the broker: publishing, deliveries, queues, dead letters."""

from prometheus_client import Counter, Gauge, Histogram

from shared.contracts.events import EVENTS
from shared.runtime.metrics import from_zero

UNKNOWN = "unknown"
"""The tag of a dead letter that has none of ours."""
RESULTS = (
    "confirmed",
    "unroutable",
    "refused",
    "unconfirmed",
    "timeout",
    "not_connected",
    "connection_lost",
    "cancelled",
    "failed",
    "too_large",
)

PUBLISHED = from_zero(
    Counter(
        "satchel_published_total",
        "Messages given to the broker, by how it ended",
        ["tag", "result"],
    ),
    (*EVENTS, UNKNOWN),
    RESULTS,
)
PUBLISH_SECONDS = Histogram(
    "satchel_publish_seconds",
    "From the call to the broker's confirm, of confirmed messages",
    ["tag"],
)
HANDLED = Counter("satchel_handled_total", "Deliveries, by the handler's outcome", ["queue", "to"])
SETTLED = ("done", "reject", "returned", "redelivered")
HANDLE_SECONDS = Histogram(
    "satchel_handle_seconds", "From a delivery to its outcome, waiting included", ["queue"]
)
DELIVERY_COUNT = Histogram(
    "satchel_delivery_count",
    "How often a delivery had been returned to its queue before; the broker gives up at the limit",
    ["queue"],
    buckets=(0, 1, 2, 5, 10, 20, 40),
)
IN_FLIGHT = Gauge("satchel_deliveries_in_flight", "Deliveries that are not settled yet", ["queue"])
WAITING = Gauge("satchel_deliveries_waiting", "Deliveries held for a dependency", ["queue"])
OLDEST_SECONDS = Gauge(
    "satchel_oldest_seconds",
    "How long ago the oldest delivery in flight was published, to a second; 0 with none. Queues "
    "are first in, first out, so the most of all replicas is the age of the oldest in the queue, "
    "as long as a consumer is connected",
    ["queue"],
)
QUEUE_MESSAGES = Gauge(
    "satchel_queue_messages",
    "Messages that wait in a queue, without those in flight; not a number while the broker does "
    "not tell. Every replica of ingest says the same, of all queues",
    ["queue"],
)
QUEUE_CONSUMERS = Gauge(
    "satchel_queue_consumers",
    "Consumers of a queue; not a number while the broker does not tell. Every replica of ingest "
    "says the same, of all queues",
    ["queue"],
)
DEAD_LETTERS = from_zero(
    Counter("satchel_dead_letters_total", "Dead letters made, by reason", ["reason"]),
    ("event_too_large", "handler_error", "invalid_event", "unexpected_event"),
)
"""What a service's own handlers reject is counted from zero by the service."""
