"""Hand-overs: the requests and their progress. `admin/hand_overs.py` carries them out."""

from datetime import timedelta

from pymongo import ASCENDING, IndexModel

from services.timeline.query.parts import records_of
from services.timeline.write.side_records import RUNNING, HandOverJob
from services.timeline.write.stored import from_document
from shared.storage.database import Database, Index, of_id

HAND_OVERS_KEPT = timedelta(days=400)
"""After they are done: as long as their line in the audit log."""
INDEXES = (
    # HandOvers.running: of each account in the order in which they were asked for
    Index(
        HandOverJob.collection,
        IndexModel(
            [("account", ASCENDING), ("at", ASCENDING), ("_id", ASCENDING)],
            name="running",
            partialFilterExpression={"state": RUNNING},
        ),
    ),
    Index(
        HandOverJob.collection,
        IndexModel(
            [("done_at", ASCENDING)],
            name="expire",
            expireAfterSeconds=int(HAND_OVERS_KEPT.total_seconds()),
        ),
    ),
)
_AT_ONCE = 200


class HandOvers:
    """The hand-overs of all accounts, for reading."""

    def __init__(self, database: Database) -> None:
        self._jobs = database[HandOverJob.collection]

    async def one(self, account: str, id_: str) -> HandOverJob | None:
        """Return a hand-over of this account."""
        found = await self._jobs.find_one(of_id(account, id_))
        return from_document(HandOverJob, found) if found is not None else None

    async def running(self, account: str | None = None) -> list[HandOverJob]:
        """Return those that are not done, of an account or of all, each account's oldest first."""
        which = {"state": RUNNING} if account is None else {"state": RUNNING, "account": account}
        found = self._jobs.find(which).hint("running")
        order = [("account", ASCENDING), ("at", ASCENDING), ("_id", ASCENDING)]
        return await records_of(HandOverJob, found.sort(order).limit(_AT_ONCE))
