"""The envelope and state of a mail during an SMTP session."""

from dataclasses import dataclass, field

from aiosmtpd.smtp import Envelope

from shared.contracts.capture_address import CaptureAddress
from shared.runtime.in_flight import Reservation


@dataclass
class Mail(Envelope):
    """A mail that an SMTP session is receiving."""

    recipients: dict[str, CaptureAddress] = field(default_factory=dict)
    reservation: Reservation | None = None
    chunks: bytearray | None = None
    """What BDAT brought so far."""
    failed: str = ""
    """What a BDAT was refused with: so are those that follow, sent before the answer was read."""
    due: float | None = None
    """When the minimum rate is missed unless more bytes arrive, by the loop's clock."""

    def __post_init__(self) -> None:
        super().__init__()
