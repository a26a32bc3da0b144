"""Metrics of ingest. Accounts and addresses are never labels."""

import math

from prometheus_client import Counter, Gauge, Histogram

from shared.runtime.metrics import from_zero

_DOORS = ("smtp", "http")

RECEIVED = from_zero(
    Counter(
        "satchel_received_total", "Mails received, by transport and answer", ["door", "answer"]
    ),
    _DOORS,
    ("accepted", "not_accepted"),
)
from_zero(RECEIVED, ("http",), ("account_rate",))  # SMTP refuses a recipient for that, not a mail
RECEIVED_BYTES = from_zero(
    Histogram(
        "satchel_received_bytes",
        "Size of accepted mails",
        ["door"],
        buckets=[2**n for n in range(10, 26, 2)],
    ),
    _DOORS,
)
RECEIVE_SECONDS = from_zero(
    Histogram(
        "satchel_receive_seconds",
        "Time from the last byte of a mail to the broker's confirm",
        ["door"],
    ),
    _DOORS,
)
SMTP_REFUSED = from_zero(
    Counter(
        "satchel_smtp_refused_total",
        "SMTP sessions, recipients and mails refused, by reason",
        ["reason"],
    ),
    (
        "account_rate",
        "account_sessions",
        "commands",
        "connections",
        "connections_per_address",
        "errors",
        "fault",
        "handshake",
        "line_too_long",
        "made_memory",
        "made_room",
        "no_capture_address",
        "proxy_header",
        "syntax",
        "timeout",
        "too_large",
        "too_many_recipients",
        "too_much_at_once",
        "too_slow",
    ),
)
SMTP_SESSIONS = Gauge("satchel_smtp_sessions", "Open SMTP sessions")
RECEIPTS = from_zero(
    Counter(
        "satchel_receipts_total",
        "Receipts for the audit, by result: written, retried because the blob store "
        "was unavailable, or dropped",
        ["result"],
    ),
    ("written", "retried", "dropped"),
)
RECEIPTS_WAITING = Gauge("satchel_receipts_waiting", "Receipts in memory that are not written yet")
CERTIFICATE_EXPIRES = Gauge(
    "satchel_certificate_expires_timestamp_seconds",
    "When the STARTTLS certificate expires, as a Unix time; NaN without a certificate",
)
CERTIFICATE_EXPIRES.set(math.nan)
BYTES_IN_FLIGHT = Gauge("satchel_bytes_in_flight", "Bytes of mail that are being read or published")
