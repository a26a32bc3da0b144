"""Receipts: a line in the blob store for each capture that ingest accepted; nothing of its mail.

They are a ledger apart from the broker and the databases, so that losses there are noticed: the
audit (`services/timeline/admin/audit`) compares every receipt with what became of the capture.

    receipts/<day>/<hour>-<random>.ndjson   some of the receipts of one hour (UTC), a line each

* A receipt is written some seconds after its mail was accepted. An ingest that is killed loses its
  last ones: an outcome without a receipt is no gap, a receipt without an outcome is one.
* They are kept exactly as long as dead letters (`RETENTION`): a dead letter is stored after its
  receipt, so no receipt outlives what explains it.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import groupby
from typing import Literal
from uuid import UUID, uuid4

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.contracts.capture_id import moment_of

RECEIPT_PREFIX = "receipts/"


class Receipt(BaseModel):
    """The record of an accepted capture. Fields are only ever added, and as optional."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    capture_id: UUID
    account_tag: str
    received_at: AwareDatetime
    size: int = Field(ge=0)
    """The raw mail's size in bytes."""
    door: Literal["smtp", "http"]
    backfill: bool = Field(default=False, exclude_if=lambda backfill: not backfill)
    """Backfill: the capture id of a mail is always the same, so it may repeat."""

    @property
    def at(self) -> datetime:
        """When, by the capture id where it tells: outcomes can be found by that, too."""
        return moment_of(self.capture_id) or self.received_at


def encode(receipts: Iterable[Receipt]) -> dict[str, bytes]:
    """Return the objects to write, by key: the receipts of each hour."""
    by_hour = groupby(sorted(receipts, key=lambda receipt: receipt.at), lambda r: _hour(r.at))
    return {
        f"{RECEIPT_PREFIX}{hour}-{uuid4().hex}.ndjson": b"".join(
            f"{receipt.model_dump_json()}\n".encode() for receipt in some
        )
        for hour, some in by_hour
    }


def decode(data: bytes) -> list[Receipt]:
    """Return the receipts of one object. Raises ValueError if it is damaged."""
    return [Receipt.model_validate_json(line) for line in data.splitlines()]


def day_prefix(moment: datetime) -> str:
    """Return the prefix of the keys of that day's receipts."""
    return f"{RECEIPT_PREFIX}{moment.astimezone(UTC):%Y-%m-%d}/"


def is_of_hour(key: str, hour: datetime) -> bool:
    """Return whether the object has receipts of the hour that begins then."""
    return key.startswith(f"{RECEIPT_PREFIX}{_hour(hour)}-")


def first_id(moment: datetime) -> str:
    """Return what sorts before every UUIDv7 that was made then or later, and after all others."""
    return str(UUID(int=int(moment.timestamp() * 1000) << 80))


def _hour(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d/%H}"
