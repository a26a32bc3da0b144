"""The dashboard's lower half: what the way of a mail stands on, and what waits for an operator."""

from dev.dashboard import Panel, Row
from dev.dashboard_asks import most, rates, slowest

_PUBLISHING = [
    Panel("Published, by how it ended", rates("satchel_published_total", "job, result"), "reqps"),
    Panel("Until the confirm, 99 of 100", slowest("satchel_publish_seconds", "job, tag"), "s"),
]
_NODES = [
    Panel(
        "Alarms, and nodes",
        {
            "memory": "max(rabbitmq_alarms_memory_used_watermark{IN})",
            "disk": "max(rabbitmq_alarms_free_disk_space_watermark{IN})",
            "files": "max(rabbitmq_alarms_file_descriptor_limit{IN})",
            "nodes": 'sum(up{IN, job="broker"})',
        },
        says="One alarm blocks all publishers.",
    ),
    Panel(
        "Free disk, and where the alarm is",
        {
            "{{pod}}": "min by (pod) (rabbitmq_disk_space_available_bytes{IN})",
            "alarm": "max(rabbitmq_disk_space_available_limit_bytes{IN})",
        },
        "bytes",
    ),
]
_QUEUES = [
    Panel(
        "Bytes in the queues",
        most("rabbitmq_detailed_queue_messages_bytes", "queue"),
        "bytes",
        "At 8 GiB a queue refuses, those of old mail at 1 GiB.",
    ),
    Panel(
        "Deliveries that came back before, 99 of 100",
        slowest("satchel_delivery_count", "queue"),
        says="How often they were returned; at 60 the broker gives up.",
    ),
]
_DELIVERIES = [
    Panel(
        "How deliveries end",
        rates("satchel_handled_total", "queue, to"),
        "reqps",
        "reject makes a dead letter; returned and redelivered cost an attempt.",
    ),
    Panel(
        "Directory: changes told to the timeline",
        rates("satchel_announced_total", "tag"),
        "reqps",
    ),
]
BROKER = Row(
    "What it stands on: the broker",
    [(6, _PUBLISHING), (6, _NODES), (6, _QUEUES), (6, _DELIVERIES)],
)

_DATABASE = [
    Panel(
        "MongoDB's answer, 99 of 100",
        slowest("satchel_database_seconds", "job, command"),
        "s",
        steps=[1],
    ),
    Panel(
        "MongoDB: refused, and not answered",
        {
            **rates("satchel_database_errors_total", "job, command"),
            "{{job}} away": "sum by (job) (rate(satchel_database_away_total{IN}[RATE]))",
        },
        "reqps",
        "Conflicts of transactions are in it, and harmless.",
    ),
]
_BLOBS = [
    Panel("The blob store's answer, 99 of 100", slowest("satchel_blob_seconds", "operation"), "s"),
    Panel(
        "The blob store: refused, not answered",
        rates("satchel_blob_errors_total", "job, operation"),
        "reqps",
    ),
]
_LETTERS = [
    Panel("Dead letters that wait", most("satchel_dead_letters_waiting", "reason")),
    Panel(
        "Dead letters in an hour",
        {
            "made: {{reason}}": "sum by (reason) (increase(satchel_dead_letters_total{IN}[1h]))",
            "kept: {{reason}}": "sum by (reason)"
            " (increase(satchel_dead_letters_stored_total{IN}[1h]))",
        },
        says="Only the broker itself makes delivery_limit: it is kept, and by no service made.",
    ),
]
_RECEIPTS = [
    Panel("Receipts for the audit", rates("satchel_receipts_total", "result"), "reqps"),
    Panel("Receipts that wait", most("satchel_receipts_waiting", "pod"), steps=[20_000]),
]
STORES = Row(
    "MongoDB, the blob store, and what waits for an operator",
    [(6, _DATABASE), (6, _BLOBS), (6, _LETTERS), (6, _RECEIPTS)],
)

_HTTP = [
    Panel("Requests", rates("satchel_http_requests_total", "job, status"), "reqps"),
    Panel(
        "Until the end of an answer, 95 of 100",
        slowest("satchel_http_seconds", "job, route", quantile=0.95),
        "s",
        steps=[2],
    ),
]
_READY = [
    Panel(
        "Pods that pass each check of readiness",
        {"{{job}} {{check}}": "sum by (job, check) (satchel_check{IN})"},
    ),
    Panel("Pods that are scraped", {"{{job}}": "sum by (job) (up{IN})"}),
]
_USE = [
    Panel(
        "Memory",
        most("process_resident_memory_bytes", "pod"),
        "bytes",
        "Limits: ingest 768 MiB, matcher 512 MiB, timeline 1 GiB.",
    ),
    Panel("Processor time, in cores", rates("process_cpu_seconds_total", "pod")),
]
_LIFE = [
    Panel("Open files", most("process_open_fds", "pod")),
    Panel(
        "How long ago it started",
        {"{{pod}}": "time() - max by (pod) (process_start_time_seconds{IN})"},
        "s",
    ),
]
PODS = Row("Pages and pods", [(6, _HTTP), (6, _READY), (6, _USE), (6, _LIFE)])
