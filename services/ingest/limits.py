"""What one SMTP session may do. Limits that sessions share are in
`connections.py`, `rates.py` (mails a second) and `shared/runtime/in_flight.py` (bytes).
"""

from dataclasses import dataclass

MIB = 1024 * 1024
"""A mail counts once more for each, where mails are counted."""


@dataclass(frozen=True, slots=True)
class SmtpLimits:
    """What one SMTP session may do, in bytes and seconds, and how many sessions there may be."""

    mail_bytes: int
    idle_seconds: float = 300.0
    """Without a command, or a piece of a mail (RFC 5321 section 4.5.3.2)."""
    session_seconds: float = 3600.0
    slow_seconds: float = 60.0
    """How long a mail may stay below `min_rate` bytes a second."""
    min_rate: float = 1000.0
    commands: int = 1000
    """Without a mail that was taken."""
    errors: int = 20
    """Answers of 5xx."""
    recipients: int = 100
    """Per mail. RFC 5321 section 4.5.3.1.8: at least 100."""
    connections: int = 1000
    connections_per_address: int = 100
    connections_per_network: int = 250
