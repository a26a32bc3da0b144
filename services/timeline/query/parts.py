"""Parts of documents: a query reads the fields that its record has, and no more."""

from typing import TypeVar

from pymongo.asynchronous.cursor import AsyncCursor

from services.timeline.write.records import Record
from services.timeline.write.stored import from_document
from shared.storage.database import Document

R = TypeVar("R", bound=Record)


def fields_of(kind: type[Record]) -> Document:
    """Return the projection that reads a record; without `_id`, unless the record has it."""
    return {"_id": 0, **dict.fromkeys(kind.__struct_encode_fields__, 1)}


async def records_of(kind: type[R], found: AsyncCursor[Document]) -> list[R]:
    """Return all that a query finds."""
    return [from_document(kind, document) for document in await found.to_list()]
