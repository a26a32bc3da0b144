"""The decision, put into events: what the matcher says about a capture."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from services.matcher.capture_addresses import AddressRecord
from services.matcher.decide import Attach, Decision
from shared.capture_address import KeyRing
from shared.events import Forwarded, MailAttached, MailDismissed, MailReceived, Match

SPLIT_BYTES = 48 * 1024
"""An event that would be larger is several, joined by the timeline."""
_SHOWN = 10
"""Recipients of a forwarded mail that are shown, of each kind; all of them take part."""


def announce(
    received: MailReceived,
    address: AddressRecord,
    decision: Decision,
    message_id: str | None,
    ring: KeyRing,
    forwarded: Forwarded | None = None,
) -> Sequence[MailAttached | MailDismissed]:
    """Return the events that tell a capture's outcome."""
    decided_at = datetime.now(UTC)
    if isinstance(decision, Attach):
        shown = _trimmed(forwarded) if forwarded else None
        taken = len(shown.model_dump_json().encode()) if shown else 0
        parts = list(_split(decision.matches, SPLIT_BYTES - min(taken, SPLIT_BYTES // 2)))
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
                forwarded=shown,
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


def _trimmed(forwarded: Forwarded) -> Forwarded:
    """Return what is shown of a forwarded header: it has to fit beside the matches."""
    few = {"to": forwarded.to[:_SHOWN], "cc": forwarded.cc[:_SHOWN]}
    return forwarded.model_copy(update=few)


def _split(matches: Sequence[Match], limit: int) -> Iterator[tuple[Match, ...]]:
    part: list[Match] = []
    size = 0
    for match in matches:
        match_size = len(match.model_dump_json().encode())
        if part and size + match_size > limit:
            yield tuple(part)
            part, size = [], 0
        part.append(match)
        size += match_size
    yield tuple(part)
