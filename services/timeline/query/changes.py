"""What changed for a viewer: from the hints that the write side stored with its rows."""

from bson import ObjectId
from pymongo import ASCENDING, IndexModel

from services.timeline.query.viewer import Viewer
from shared.database import Database, Document, Index

INDEXES = (
    # Changes.since
    Index(
        "changes",
        IndexModel(
            [("account", ASCENDING), ("viewer", ASCENDING), ("_id", ASCENDING)], name="since"
        ),
    ),
)


class Changes:
    """The changes of all accounts, for reading."""

    def __init__(self, database: Database) -> None:
        self.collection = database["changes"]

    async def since(self, viewer: Viewer, since: ObjectId, limit: int) -> list[Document]:
        """Return what changed for a viewer since an id was made, oldest first."""
        query = {
            "account": viewer.account,
            "viewer": {"$in": viewer.audiences},
            "_id": {"$gte": since},
        }
        return await self.collection.find(query).sort("_id", ASCENDING).limit(limit).to_list()
