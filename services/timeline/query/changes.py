"""Hints of changes, as the write side stored them, for one viewer."""

from bson import ObjectId
from msgspec import field
from pymongo import ASCENDING, IndexModel

from services.timeline.query.parts import records_of
from services.timeline.query.viewer import Viewer
from services.timeline.write.side_records import EVERYBODY, Hint, setup_of
from shared.storage.database import Database, Index

INDEXES = (
    # Changes.since
    Index(
        "changes",
        IndexModel(
            [("account", ASCENDING), ("viewer", ASCENDING), ("_id", ASCENDING)], name="since"
        ),
    ),
)


class Change(Hint, frozen=True, kw_only=True, omit_defaults=True):
    """A hint, with the id by which a client says what it has seen."""

    id: ObjectId = field(name="_id")


class Changes:
    """The changes of all accounts, for reading."""

    def __init__(self, database: Database) -> None:
        self.collection = database[Change.collection]

    async def since(self, viewer: Viewer, since: ObjectId, limit: int) -> list[Change]:
        """Return what changed for a viewer since an id, oldest first."""
        query = {
            "account": viewer.account,
            "viewer": {"$in": audiences_of(viewer)},
            "_id": {"$gte": since},
        }
        found = self.collection.find(query).sort("_id", ASCENDING).limit(limit)
        return await records_of(Change, found)


def audiences_of(viewer: Viewer) -> list[str]:
    """Return the audiences whose changes a viewer sees, including their own set-up."""
    return [*viewer.audiences, setup_of(viewer.person_id), EVERYBODY]
