"""Metrics of the broker in every service: publishing, deliveries, queues, dead letters."""

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
        "Messages published, by event and result",
        ["tag", "result"],
    ),
    (*EVENTS, UNKNOWN),
    RESULTS,
)
PUBLISH_SECONDS = Histogram(
    "satchel_publish_seconds",
    "Time from publishing a message to the broker's confirm",
    ["tag"],
)
HANDLED = Counter(
    "satchel_handled_total",
    "Deliveries handled, by queue and how they were settled",
    ["queue", "to"],
)
SETTLED = ("done", "reject", "returned", "redelivered")
HANDLE_SECONDS = Histogram(
    "satchel_handle_seconds",
    "Time from a delivery to its settlement, including waits for a dependency",
    ["queue"],
)
DELIVERY_COUNT = Histogram(
    "satchel_delivery_count",
    "How often a delivery was returned to its queue before. At the delivery limit "
    "it becomes a dead letter",
    ["queue"],
    buckets=(0, 1, 2, 5, 10, 20, 40),
)
IN_FLIGHT = Gauge("satchel_deliveries_in_flight", "Deliveries that are not settled yet", ["queue"])
WAITING = Gauge(
    "satchel_deliveries_waiting", "Deliveries that wait for an unavailable dependency", ["queue"]
)
OLDEST_SECONDS = Gauge(
    "satchel_oldest_seconds",
    "Age of the oldest delivery in flight, in whole seconds; 0 without one. Queues "
    "are first in, first out, so the maximum over all replicas is the lag of the "
    "queue while a consumer is connected",
    ["queue"],
)
QUEUE_MESSAGES = Gauge(
    "satchel_queue_messages",
    "Messages waiting in a queue, without those in flight; NaN while the broker "
    "does not answer. Every replica of ingest reports the same number for every "
    "queue",
    ["queue"],
)
QUEUE_CONSUMERS = Gauge(
    "satchel_queue_consumers",
    "Consumers of a queue; NaN while the broker does not answer. Every replica of "
    "ingest reports the same number for every queue",
    ["queue"],
)
DEAD_LETTERS = from_zero(
    Counter(
        "satchel_dead_letters_total", "Messages that became dead letters, by reason", ["reason"]
    ),
    ("event_too_large", "handler_error", "invalid_event", "unexpected_event"),
)
"""What a service's own handlers reject is counted from zero by the service."""
