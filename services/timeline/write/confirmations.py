"""Forwarding confirmations: a provider asks whether an address may forward to a capture address.

`confirmations`: `{_id: <capture id>, account, person_id, capture_address, provider, requested_by,
code, link, at}`, for the owner of the capture address alone, and gone after 30 days: providers let
their links and codes run out before.
"""

from datetime import timedelta

from pymongo import ASCENDING, IndexModel
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.database import Database, Index
from shared.events import MailConfirmation

KEPT = timedelta(days=30)
INDEXES = (
    Index(
        "confirmations",
        IndexModel(
            [("at", ASCENDING)], name="expire", expireAfterSeconds=int(KEPT.total_seconds())
        ),
    ),
)


class Confirmations:
    """The confirmations of all accounts, for writing."""

    def __init__(self, database: Database) -> None:
        self._confirmations = database["confirmations"]

    async def keep(self, event: MailConfirmation, session: AsyncClientSession) -> None:
        """Keep a confirmation; a repetition changes nothing."""
        await self._confirmations.update_one(
            {"_id": str(event.capture_id), "account": event.account},
            {
                "$setOnInsert": {
                    "person_id": event.owner,
                    "capture_address": event.capture_address,
                    "provider": event.provider,
                    "requested_by": event.requested_by,
                    "code": event.code,
                    "link": event.link,
                    "at": event.received_at,
                }
            },
            upsert=True,
            session=session,
        )
