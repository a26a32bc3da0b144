"""Records as BSON documents, and back. Nothing else makes or reads a document."""

from datetime import datetime
from typing import TypeVar

import msgspec

from services.timeline.write.records import Record
from shared.storage.database import Document

R = TypeVar("R", bound=Record)


def to_document(record: Record) -> Document:
    """Return the document that is stored."""
    document: Document = msgspec.to_builtins(record, builtin_types=(bytes, datetime))
    return document


def from_document(kind: type[R], document: Document) -> R:
    """Return the record. Raises msgspec.ValidationError for what is not such a document."""
    record: R = msgspec.convert(document, kind)
    return record
