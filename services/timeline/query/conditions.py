"""Conditions of queries, put together."""

from shared.storage.database import Document


def all_of(*conditions: Document) -> Document:
    """Return the condition that all of those hold which say something."""
    present = [condition for condition in conditions if condition]
    return {"$and": present} if present else {}
