"""The redaction list: what was received before a person was erased and is written later. Pure.

A redelivery, a replayed dead letter, a yes to what waited, a mail in flight: each is written as if
its event had never named the person. What was received later is about whoever has the id and the
address now.

An account's `ErasedHead` is loaded with every capture. For all but those it says that there is
nothing to look at. Who adds to the list writes a document of every lane that a batch writes, too
(`admin/erasures.py`), so that a batch that did not know of it is repeated.
"""

from datetime import datetime

from msgspec.structs import replace

from services.timeline.write.erased_records import ErasedHead, ErasedPage, ErasedPerson, page_id
from services.timeline.write.projection import Projection
from services.timeline.write.redacted_bytes import redacted_bytes
from services.timeline.write.redacting import (
    Redaction,
    concerns,
    redacted_bounce,
    redacted_capture,
    redacted_content,
)
from services.timeline.write.requests import Attach
from services.timeline.write.state import Draft


def erased_before(draft: Draft, account: str, received_at: datetime) -> list[ErasedPerson]:
    """Return who was erased after a mail was received. Raises NotLoaded."""
    head = draft.one(ErasedHead, account, account)
    if head is None or received_at > head.latest:
        return []
    ids = [page_id(account, number) for number in range(head.pages)]
    pages = draft.many(ErasedPage, account, ids).values()
    return [
        person
        for page in pages
        if page is not None
        for person in page.people
        if received_at <= person.at
    ]


def without_erased(draft: Draft, request: Attach) -> Attach:
    """Return the request without who was erased since; its event names no one when none is left."""
    event, projection = request.event, request.projection
    people = erased_before(draft, event.account, event.received_at)
    if not people:
        return request
    erased = {person.person_id for person in people}
    matches = tuple(match for match in event.matches if match.person_id not in erased)
    redaction = Redaction(event.account, people, [match.address for match in matches])
    if not concerns([projection.capture], [projection.content], redaction):
        return request
    event = event.model_copy(update={"matches": matches})
    if not matches:
        return replace(request, event=event)
    raw = redacted_bytes(request.raw, redaction)
    made = redacted_projection(projection, redaction)
    # The same key may have had the bytes that came, and be on its way out of the blob store.
    content = replace(
        made.content,
        raw_key=f"{made.content.raw_key}.{made.capture.capture_id}",
        size=len(raw),
        redacted=True,
    )
    return replace(request, event=event, raw=raw, projection=replace(made, content=content))


def redacted_projection(projection: Projection, redaction: Redaction) -> Projection:
    """Return what a capture says without the people. It has to name somebody else."""
    capture = redacted_capture(projection.capture, redaction, projection.content.from_)
    bounce = projection.bounce
    return replace(
        projection,
        content=redacted_content(projection.content, redaction),
        capture=capture or projection.capture,
        bounce=redacted_bounce(bounce, redaction) if bounce else None,
    )
