"""What was promised: one entry for each 250."""

import threading
import time
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to send, and what must become of it."""

    number: int
    message_id: str
    raw: bytes
    attach: bool
    recipients: tuple[str, ...]
    """Capture addresses: the envelope's."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A 250: the mail, without its bytes, and the capture id that the answer named."""

    letter: Letter
    capture_id: str
    at: float
    """When, by this machine's monotonic clock, in seconds."""


@dataclass
class Ledger:
    """All receipts, and what else the senders were told. Written by many threads."""

    receipts: list[Receipt] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """Answers of 5xx: there must be none for a passing fault."""
    retries: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def accepted(self, letter: Letter, capture_id: str) -> None:
        """Note a 250."""
        with self._lock:
            self.receipts.append(Receipt(replace(letter, raw=b""), capture_id, time.monotonic()))

    def refuse(self, answer: str) -> None:
        """Note a 5xx."""
        with self._lock:
            self.refused.append(answer)

    def retry(self) -> None:
        """Note a 4xx or a lost connection: the mail will be sent again."""
        with self._lock:
            self.retries += 1
