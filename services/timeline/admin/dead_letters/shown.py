"""A dead letter as it is shown, by the API and by the command."""

from services.timeline.admin.dead_letters.content import Content
from shared.blobs import BlobMissing
from shared.database import Document
from shared.mail.headers import decode_text, read_header_block

_TAKEN = (
    *("capture_id", "tag", "reason", "queue", "at"),
    *("size", "state", "replays", "expires_at"),
)


def fields(document: Document) -> Document:
    """Return the fields that lists show."""
    settled = {"by": document.get("by"), "at": document.get("settled_at")}
    return {
        **{field: document[field] for field in _TAKEN},
        "id": document["_id"],
        "detail": document.get("detail", ""),
        "settled": {**settled, "why": document.get("why")} if settled["at"] else None,
    }


async def in_full(document: Document, content: Content) -> Document:
    """Return all fields; headers as far as the mail is there. Raises BlobStoreAway."""
    try:
        block = read_header_block(await content.mail_start(document))
    except BlobMissing:
        headers = []
    else:
        headers = [{"name": name, "value": decode_text(value)} for name, value in block.fields]
    return {**fields(document), "event": document.get("event"), "headers": headers}
