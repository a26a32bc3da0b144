"""What ingest counts. Accounts and addresses are never labels."""

from prometheus_client import Counter, Gauge, Histogram

RECEIVED = Counter(
    "satchel_received_total", "Mails offered, by door and answer", ["door", "answer"]
)
RECEIVED_BYTES = Histogram(
    "satchel_received_bytes",
    "Sizes of accepted mails",
    ["door"],
    buckets=[2**n for n in range(10, 26, 2)],
)
RECEIVE_SECONDS = Histogram(
    "satchel_receive_seconds", "From the whole mail read to the broker's confirm", ["door"]
)
SMTP_REFUSED = Counter(
    "satchel_smtp_refused_total",
    "SMTP refusals, by reason: of a session, a recipient or a mail",
    ["reason"],
)
SMTP_SESSIONS = Gauge("satchel_smtp_sessions", "Open SMTP sessions")
RECEIPTS = Counter(
    "satchel_receipts_total",
    "Receipts for the audit: written, retried (the blob store was away), dropped",
    ["result"],
)
RECEIPTS_WAITING = Gauge("satchel_receipts_waiting", "Receipts that are not written yet")
BYTES_IN_HAND = Gauge("satchel_bytes_in_hand", "Bytes of mails that are being read or made durable")
