"""The attacks, by name, in the order in which they are made; last what leaves most to be filed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from dev.siege import http_attacks, smtp_attacks
from dev.siege.ground import Ground
from dev.siege.smtp_attacks import Told


@dataclass(frozen=True, slots=True)
class Attack:
    """One way to attack."""

    name: str
    run: Callable[[Ground, Told], Awaitable[None]]
    """Goes on until it is cancelled."""
    aims_at: str
    """The service whose memory is told."""


ATTACKS = (
    Attack("RCPT and RSET", smtp_attacks.rcpt_and_rset, "ingest"),
    Attack("unfinished DATA", smtp_attacks.unfinished_data, "ingest"),
    Attack("idle sessions", smtp_attacks.idle_sessions, "ingest"),
    Attack("slow DNS", smtp_attacks.slow_dns, "matcher"),
    Attack("boundaries", http_attacks.boundaries_read, "timeline"),
    Attack("explain uploads", http_attacks.explain_uploads, "matcher"),
    Attack("half-sent requests", http_attacks.half_sent_requests, "ingest"),
    Attack("98 enclosed mails", smtp_attacks.enclosed_mails, "matcher"),
)
