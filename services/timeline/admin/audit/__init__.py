"""`--audit`: what was promised, held against what is there.

    receipts of ingest -> outcomes, dead letters          (`captures.py`), hour by hour
    contents           -> their raw bytes, and back       (`blobs.py`), all there are
    claims             -> the captures that need them     (`blobs.py`)

It changes nothing, runs beside live mail, and holds no more in memory than the receipts of an hour.
What it finds:

gap               a capture that was accepted and has neither an outcome nor a dead letter
blob_missing      a content whose raw bytes are gone, or what a dead letter that waits needs
without_receipt   outcomes of captures without a receipt, hour by hour: ingest was killed
                  before it wrote them, or told the sender to try again after the broker had them
orphan_blob       raw bytes that no content names: a crash between the blob and the database
orphan_claim      a claim whose capture is settled, or was never accepted; swept in time
damaged_receipts  an object of receipts that cannot be read

The first two are broken promises, and so may be the last. A capture that is not settled and younger
than the grace is under way, and so is what lies in the blob store for less than that.
"""

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

BROKEN = frozenset({"gap", "blob_missing", "damaged_receipts"})
"""What makes the audit fail."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not add up."""

    kind: str
    what: str
    """A capture id, a blob's key, or an hour."""
    at: datetime | None = None
    account: str = ""
    """The account, or its tag where only a receipt tells."""
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON, without what is not known."""
        found = asdict(self) | {"at": self.at.isoformat() if self.at else ""}
        return {name: value for name, value in found.items() if value}


Findings = AsyncIterator[Finding]
