"""The keys of the blob store, and how long what is under them is kept.

claims/<capture id>              one capture's mail between ingest and its outcome; never shared
claims/<random id>               the same for backfill, whose capture may be in transit twice
claims/<...>.<place>             a mail that it encloses, between matcher and timeline
quarantine/<account>/<capture id>/<place>  a mail that waits for a user's decision
mails/<account>/<mail id>/<content>/<hash>  the raw bytes of a large attached mail, for good
receipts/<day>/<...>             what ingest accepted, without the mail (`receipts.py`)
dead/<dead letter id>            the body of a dead letter, as long as it waits
sealed/<random id>               a large capture in a rematch window, encrypted
erasures/<account>/<erasure id>  the ids of people who were erased, for good: for after a restore
idempotency/<hash>               what an upload with an `Idempotency-Key` became, for a day
"""

import hashlib
from datetime import timedelta
from uuid import UUID

CLAIM_CHECK_BYTES = 256 * 1024
"""A raw mail above this size does not travel through the broker."""
CLAIM_PREFIX = "claims/"
QUARANTINE_PREFIX = "quarantine/"
MAIL_PREFIX = "mails/"
DEAD_PREFIX = "dead/"
SEALED_PREFIX = "sealed/"
"""No backup has what is under it."""
SEALED_RETENTION = timedelta(days=31)
"""Longer than any rematch window."""
ERASURE_PREFIX = "erasures/"
IDEMPOTENCY_PREFIX = "idempotency/"
IDEMPOTENCY_KEPT = timedelta(hours=24)
"""How long the key of an upload counts."""
RETENTION = timedelta(days=14)
"""How long dead letters are kept, at most."""
CLAIM_RETENTION = 2 * RETENTION
"""How long claims are kept: a mail may wait long before it becomes a dead letter, and its replay
needs the claim."""


def claim_key(id_: UUID) -> str:
    """Return the key of the claim of one capture's mail."""
    return f"{CLAIM_PREFIX}{id_}"


def enclosed_key(claim: str, place: str) -> str:
    """Return the key of a mail that the claim's mail encloses."""
    return f"{claim}.{place}"


def quarantine_key(account: str, capture_id: UUID, place: str) -> str:
    """Return the key of a quarantined mail of a capture."""
    return f"{QUARANTINE_PREFIX}{account}/{capture_id}/{place or 'mail'}"


def mail_key(account: str, content_id: str, raw: bytes) -> str:
    """Return the key of an attached mail's bytes: the same bytes have the same key."""
    return f"{MAIL_PREFIX}{account}/{content_id}/{hashlib.sha256(raw).hexdigest()[:32]}"
