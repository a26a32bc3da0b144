"""A user's forwarding confirmations, as the write side stored them.

Anyone can write one. Authenticated ones are listed first, in places that no other takes: so the
provider's request is shown, however many are forged. None is merged with another: each capture is
one entry, whatever code or link it has.
"""

from datetime import UTC, datetime

from pymongo import ASCENDING, DESCENDING, IndexModel

from services.timeline.query.parts import records_of
from services.timeline.write.indexes import CONFIRMATIONS_KEPT
from services.timeline.write.side_records import Confirmation
from shared.storage.database import Database, Index

INDEXES = (
    # Confirmations.of
    Index(
        "confirmations",
        IndexModel(
            [("account", ASCENDING), ("person_id", ASCENDING), ("at", DESCENDING)], name="of_person"
        ),
    ),
    # Confirmations.of: those that are verified, however many others there are
    Index(
        "confirmations",
        IndexModel(
            [
                ("account", ASCENDING),
                ("person_id", ASCENDING),
                ("authentication.verdict", ASCENDING),
                ("at", DESCENDING),
            ],
            name="by_verdict",
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
        """Return a user's latest confirmations that have not expired.

        First up to five times `limit` verified ones, then `limit` others, each newest first. The
        database deletes expired ones a little later.
        """
        since = (now or datetime.now(UTC)) - CONFIRMATIONS_KEPT
        shown: list[Confirmation] = []
        for verdicts, most in ((["verified"], 5 * limit), (["failed", "unverified", None], limit)):
            found = self._confirmations.find(
                {
                    "account": account,
                    "person_id": person_id,
                    "authentication.verdict": {"$in": verdicts},
                    "at": {"$gt": since},
                }
            )
            shown += await records_of(Confirmation, found.sort("at", DESCENDING).limit(most))
        return shown


def is_doubtful(asked: Confirmation) -> bool:
    """Return whether someone else may have written it. False if it was not checked."""
    return asked.authentication is not None and asked.authentication.verdict != "verified"
