"""The decision, put into events: what the matcher says about a capture."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from services.matcher.capture_addresses import AddressRecord
from services.matcher.decide import Attach, Decision
from shared.capture_address import KeyRing
from shared.events import MailAttached, MailDismissed, MailReceived, Match

SPLIT_BYTES = 48 * 1024
"""An event that would be larger is several, joined by the timeline."""


def announce(
    received: MailReceived,
    address: AddressRecord,
    decision: Decision,
    message_id: str | None,
    ring: KeyRing,
) -> Sequence[MailAttached | MailDismissed]:
    """Return the events that tell a capture's outcome."""
    decided_at = datetime.now(UTC)
    if isinstance(decision, Attach):
        parts = list(_split(decision.matches))
        return [
            MailAttached(
                capture_id=received.capture_id,
                blob_key=received.blob_key,
                size=received.size,
                account=address.account,
                owner=address.person_id,
                capture_address=received.capture_address,
                received_at=received.received_at,
                decided_at=decided_at,
                door=received.door,
                direction=decision.direction,
                matches=matches,
                part=number,
                parts=len(parts),
            )
            for number, matches in enumerate(parts, start=1)
        ]
    return [
        MailDismissed(
            capture_id=received.capture_id,
            account=address.account,
            reason=decision.reason,
            received_at=received.received_at,
            decided_at=decided_at,
            message_id_hash=ring.forgetful_hash(address.account, message_id)
            if message_id
            else None,
        )
    ]


def _split(matches: Sequence[Match]) -> Iterator[tuple[Match, ...]]:
    part: list[Match] = []
    size = 0
    for match in matches:
        match_size = len(match.model_dump_json().encode())
        if part and size + match_size > SPLIT_BYTES:
            yield tuple(part)
            part, size = [], 0
        part.append(match)
        size += match_size
    yield tuple(part)
