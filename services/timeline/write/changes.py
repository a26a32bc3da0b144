"""Hints for open inboxes: which conversations changed.

`changes`: `{_id: ObjectId, account, viewer, conversation_id, at}`, written with the rows that
changed and deleted after an hour. A hint says where to look and has no content.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from bson import ObjectId
from pymongo import ASCENDING, IndexModel
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.database import Database, Index

KEPT = timedelta(hours=1)
INDEXES = (
    Index(
        "changes",
        IndexModel(
            [("at", ASCENDING)], name="expire", expireAfterSeconds=int(KEPT.total_seconds())
        ),
    ),
)


class Changes:
    """The changes of all accounts, for writing."""

    def __init__(self, database: Database) -> None:
        self._changes = database["changes"]

    async def tell(
        self,
        account: str,
        audiences: Iterable[str],
        conversation_id: str,
        session: AsyncClientSession,
    ) -> None:
        """Record that a conversation changed for these audiences."""
        documents = [
            {
                "_id": ObjectId(),
                "account": account,
                "viewer": audience,
                "conversation_id": conversation_id,
                "at": datetime.now(UTC),
            }
            for audience in sorted(audiences)
        ]
        if documents:
            await self._changes.insert_many(documents, session=session)
