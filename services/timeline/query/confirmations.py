"""A user's forwarding confirmations, as the write side stored them."""

from datetime import UTC, datetime

from pymongo import ASCENDING, DESCENDING, IndexModel

from services.timeline.query.parts import records_of
from services.timeline.write.indexes import CONFIRMATIONS_KEPT
from services.timeline.write.side_records import Confirmation
from shared.database import Database, Index

INDEXES = (
    # Confirmations.of
    Index(
        "confirmations",
        IndexModel(
            [("account", ASCENDING), ("person_id", ASCENDING), ("at", DESCENDING)], name="of_person"
        ),
    ),
)


class Confirmations:
    """The confirmations of all accounts, for reading."""

    def __init__(self, database: Database) -> None:
        self._confirmations = database[Confirmation.collection]

    async def of(
        self, account: str, person_id: str, limit: int = 20, now: datetime | None = None
    ) -> list[Confirmation]:
        """Return a user's latest confirmations, newest first; none that is too old to be shown.

        The database removes those a little later.
        """
        since = (now or datetime.now(UTC)) - CONFIRMATIONS_KEPT
        found = self._confirmations.find(
            {"account": account, "person_id": person_id, "at": {"$gt": since}}
        )
        return await records_of(Confirmation, found.sort("at", DESCENDING).limit(limit))
