"""Who takes part in a capture, by what the timeline says of it. Pure.

A review is about the directory. So what was read of a mail when it was captured stays: an inline
forward is one although its author is no user any more, and who was a match takes part.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from services.matcher.decision.reports import Bounce, read_bounce
from services.matcher.forwards import forwarded_participants, read_forward
from services.matcher.reading.addresses import normalise
from services.matcher.reading.participants import Participant, participants
from shared.contracts.events import CaptureReviewed, Role
from shared.mail.delivery_reports import may_be_report
from shared.mail.headers import HeaderBlock, read_header_block


@dataclass(frozen=True, slots=True)
class Facts:
    """Who takes part in a capture."""

    participants: tuple[Participant, ...]
    bounce: Bounce | None = None
    """Whom a report adds, if the mail that it is about is from users."""

    @property
    def keys(self) -> frozenset[str]:
        """Return the addresses to ask the directory about."""
        own = frozenset(participant.address for participant in self.participants)
        return own | self.bounce.keys if self.bounce else own


def facts_of(event: CaptureReviewed, raw: bytes, capture_domain: str) -> Facts:
    """Return the facts, each address and role once, in order of weight. Never raises."""
    header = read_header_block(raw)
    found = [
        *_of_header(event, header, capture_domain),
        *(Participant(normalise(address), Role.BCC) for address in event.bcc),
    ]
    bounce = read_bounce(raw, capture_domain, header) if may_be_report(header) else None
    if event.is_forward:
        forward = read_forward(raw, header)
        found += forwarded_participants(forward, capture_domain) if forward else ()
    named = {participant.address for participant in found}
    found += [
        Participant(match.address, match.role, match.source)
        for match in event.matches
        if match.address not in named
    ]
    return Facts(tuple(dict.fromkeys(found)), bounce)


def _of_header(
    event: CaptureReviewed, header: HeaderBlock, capture_domain: str
) -> Iterator[Participant]:
    """Yield who stands in the header, but for another's Bcc."""
    for participant in participants(header, capture_domain):
        if participant.role is not Role.BCC or event.has_own_bcc:
            yield participant
