"""What the matcher is told of a capture to decide about it again. Pure."""

from collections.abc import Collection

from services.timeline.write.identity import hashed_id
from services.timeline.write.records import Capture, ListedContent, Mail, MatchRecord
from shared.contracts.events import CaptureReviewed, Kind, Match, ReviewedCapture, Role, Source
from shared.mail.address_form import normalise
from shared.mail.header_block import read_header_block

_HEADER_BYTES = 128 * 1024
"""Enough for the largest header block that is read."""
_TEXT_BYTES = 256 * 1024
"""Enough for what a forward or a report says: attachments come after the text."""
_MAX_BYTES = 48 * 1024
"""Of an event."""


def is_concerned(
    capture: Capture,
    content: ListedContent,
    people: Collection[str] | None,
    addresses: Collection[str],
) -> bool:
    """Return whether a review of these people and addresses has to look at a capture."""
    if people is None:
        return True
    if any(m.person_id in people or m.address in addresses for m in capture.matches):
        return True
    named = (*(one.address for one in content.participants), *(one.address for one in capture.bcc))
    return any(normalise(address) in addresses for address in named)


def length_of(capture: Capture, content: ListedContent) -> int:
    """Return how many bytes of a mail its decision may need."""
    return _TEXT_BYTES if _reads_body(capture, content) else _HEADER_BYTES


def needed_of(raw: bytes, capture: Capture, content: ListedContent) -> bytes:
    """Return of these bytes what the decision needs: the header, unless the body took part."""
    if _reads_body(capture, content):
        return raw
    return raw[: read_header_block(raw).body_start]


def _reads_body(capture: Capture, content: ListedContent) -> bool:
    return capture.forwarded is not None or content.auto == "bounce"


def fact_of(
    review_id: str, mail: Mail, capture: Capture, content: ListedContent
) -> CaptureReviewed:
    """Return the event. It has nothing of a capture that names more than fits."""
    of = ReviewedCapture(
        item=hashed_id("review item", mail.account, mail.id, capture.owner, capture.content),
        mail_id=mail.id,
        content=capture.content,
        owner=capture.owner,
        capture_id=capture.capture_id,
    )
    event = CaptureReviewed(
        account=mail.account,
        review_id=review_id,
        capture=of,
        matches=tuple(map(_match, capture.matches)),
        bcc=tuple(one.address for one in capture.bcc),
        has_own_bcc=content.raw_of == capture.owner,
        is_forward=capture.forwarded is not None,
    )
    if len(event.model_dump_json().encode()) > _MAX_BYTES:
        return CaptureReviewed(
            account=mail.account, review_id=review_id, capture=of, too_large=True
        )
    return event


def _match(match: MatchRecord) -> Match:
    return Match(
        person_id=match.person_id,
        kind=Kind(match.kind),
        address=match.address,
        role=Role(match.role),
        source=Source(match.source),
        shared_address=match.shared_address,
    )
