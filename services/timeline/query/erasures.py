"""Erasures: the requests, and who was erased. `admin/erasing.py` carries them out."""

from collections.abc import Iterable
from datetime import timedelta

from pymongo import ASCENDING, IndexModel

from services.timeline.query.parts import records_of
from services.timeline.write.erased_records import ErasedPage, ErasedPerson, ErasureJob
from services.timeline.write.records import Capture
from services.timeline.write.side_records import RUNNING
from shared.storage.database import BY_ID, Database, Index

ERASURES_KEPT = timedelta(days=400)
"""After they are done: as long as their line in the audit log. The receipt is the matcher's."""
INDEXES = (
    # Erasures.running: of each account in the order in which they were asked for
    Index(
        ErasureJob.collection,
        IndexModel(
            [("account", ASCENDING), ("asked_at", ASCENDING), ("_id", ASCENDING)],
            name="running",
            partialFilterExpression={"state": RUNNING},
        ),
    ),
    Index(
        ErasureJob.collection,
        IndexModel(
            [("done_at", ASCENDING)],
            name="expire",
            expireAfterSeconds=int(ERASURES_KEPT.total_seconds()),
        ),
    ),
)
_AT_ONCE = 200


class Erasures:
    """The erasures of all accounts, for reading."""

    def __init__(self, database: Database) -> None:
        self._jobs = database[ErasureJob.collection]

    async def running(self, account: str | None = None) -> list[ErasureJob]:
        """Return those that are not done, of an account or of all, each account's oldest first."""
        which = {"state": RUNNING} if account is None else {"state": RUNNING, "account": account}
        found = self._jobs.find(which).hint("running")
        order = [("account", ASCENDING), ("asked_at", ASCENDING), ("_id", ASCENDING)]
        return await records_of(ErasureJob, found.sort(order).limit(_AT_ONCE))


class ErasedPeople:
    """The redaction lists of all accounts, for reading."""

    def __init__(self, database: Database) -> None:
        self._lists = database[ErasedPage.collection]

    async def before(self, account: str, captures: Iterable[Capture]) -> list[ErasedPerson]:
        """Return who was erased after the first of these captures arrived."""
        first = min(capture.at for capture in captures)
        # A slash follows the account in every page's key, and a zero follows the slash.
        which = {"account": account, "_id": {"$gt": f"{account}/", "$lt": f"{account}0"}}
        pages = await records_of(ErasedPage, self._lists.find(which).hint(BY_ID))
        return [person for page in pages for person in page.people if first <= person.at]
