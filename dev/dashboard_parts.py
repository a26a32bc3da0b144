"""The dashboard's lower half: what the way of a mail stands on, and what waits for an operator."""

from dev.dashboard import Panel, Row
from dev.dashboard_asks import most, rates, slowest

_PUBLISHING = [
    Panel(
        "Messages published, by result", rates("satchel_published_total", "job, result"), "reqps"
    ),
    Panel("Time to the broker's confirm, p99", slowest("satchel_publish_seconds", "job, tag"), "s"),
]
_NODES = [
    Panel(
        "Broker alarms and nodes",
        {
            "memory": "max(rabbitmq_alarms_memory_used_watermark{IN})",
            "disk": "max(rabbitmq_alarms_free_disk_space_watermark{IN})",
            "files": "max(rabbitmq_alarms_file_descriptor_limit{IN})",
            "nodes": 'sum(up{IN, job="broker"})',
        },
        says="One alarm on any node blocks every publisher.",
    ),
    Panel(
        "Free disk, and the alarm's limit",
        {
            "{{pod}}": "min by (pod) (rabbitmq_disk_space_available_bytes{IN})",
            "alarm": "max(rabbitmq_disk_space_available_limit_bytes{IN})",
        },
        "bytes",
    ),
]
_QUEUES = [
    Panel(
        "Queue size",
        most("rabbitmq_detailed_queue_messages_bytes", "queue"),
        "bytes",
        "A queue refuses messages at 8 GiB; backfill queues at 1 GiB.",
    ),
    Panel(
        "Returns of a delivery to its queue, p99",
        slowest("satchel_delivery_count", "queue"),
        says="After 60 the broker makes it a dead letter.",
    ),
]
_DELIVERIES = [
    Panel(
        "Deliveries, by how they were settled",
        rates("satchel_handled_total", "queue, to"),
        "reqps",
        "reject makes a dead letter. returned and redelivered each use one delivery attempt.",
    ),
    Panel(
        "Directory changes published",
        rates("satchel_announced_total", "tag"),
        "reqps",
    ),
]
BROKER = Row(
    "Broker",
    [(6, _PUBLISHING), (6, _NODES), (6, _QUEUES), (6, _DELIVERIES)],
)

_DATABASE = [
    Panel(
        "MongoDB command time, p99",
        slowest("satchel_database_seconds", "job, command"),
        "s",
        steps=[1],
    ),
    Panel(
        "MongoDB errors",
        {
            **rates("satchel_database_errors_total", "job, command"),
            "{{job}} away": "sum by (job) (rate(satchel_database_away_total{IN}[RATE]))",
        },
        "reqps",
        "Includes transaction conflicts, which are retried and harmless.",
    ),
]
_BLOBS = [
    Panel("Blob store operation time, p99", slowest("satchel_blob_seconds", "operation"), "s"),
    Panel(
        "Blob store errors",
        rates("satchel_blob_errors_total", "job, operation"),
        "reqps",
    ),
]
_LETTERS = [
    Panel("Dead letters waiting", most("satchel_dead_letters_waiting", "reason")),
    Panel(
        "New dead letters per hour",
        {
            "made: {{reason}}": "sum by (reason) (increase(satchel_dead_letters_total{IN}[1h]))",
            "stored: {{reason}}": "sum by (reason)"
            " (increase(satchel_dead_letters_stored_total{IN}[1h]))",
        },
        says="Only the broker makes dead letters for delivery_limit, so these appear only "
        "as stored.",
    ),
]
_RECEIPTS = [
    Panel("Receipts for the audit", rates("satchel_receipts_total", "result"), "reqps"),
    Panel("Receipts waiting", most("satchel_receipts_waiting", "pod"), steps=[20_000]),
]
STORES = Row(
    "MongoDB, blob store, dead letters and receipts",
    [(6, _DATABASE), (6, _BLOBS), (6, _LETTERS), (6, _RECEIPTS)],
)

_HTTP = [
    Panel("Requests", rates("satchel_http_requests_total", "job, status"), "reqps"),
    Panel(
        "Request time, p95",
        slowest("satchel_http_seconds", "job, route", quantile=0.95),
        "s",
        steps=[2],
    ),
]
_READY = [
    Panel(
        "Pods passing each readiness check",
        {"{{job}} {{check}}": "sum by (job, check) (satchel_check{IN})"},
    ),
    Panel("Pods scraped", {"{{job}}": "sum by (job) (up{IN})"}),
]
_USE = [
    Panel(
        "Memory",
        most("process_resident_memory_bytes", "pod"),
        "bytes",
        "Limits: ingest 768 MiB, matcher 640 MiB, timeline 1,280 MiB.",
    ),
    Panel("CPU, in cores", rates("process_cpu_seconds_total", "pod")),
]
_LIFE = [
    Panel("Open files", most("process_open_fds", "pod")),
    Panel(
        "Uptime",
        {"{{pod}}": "time() - max by (pod) (process_start_time_seconds{IN})"},
        "s",
    ),
]
PODS = Row("API, pages and pods", [(6, _HTTP), (6, _READY), (6, _USE), (6, _LIFE)])
