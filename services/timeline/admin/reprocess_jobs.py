"""Reading an account's mail again, as `--reprocess` does, when an operator asks over the API.

    ask -> a job -> a replica holds it for a moment -> in batches: each content is read again and
    replaced, with others in one transaction -> done

What was replaced is not met again, the position is kept after each batch, and a content that is
read twice is the same: so replicas may die, and race. Live mail goes before.
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import structlog
from pymongo import ASCENDING, IndexModel, ReturnDocument

from services.timeline.admin.reprocess import read_again
from services.timeline.admin.rereading import ContentVersion, Rereader
from services.timeline.content.reader import READER_VERSION
from services.timeline.query.parts import fields_of, records_of
from services.timeline.write.identity import hashed_id
from services.timeline.write.records import Content
from services.timeline.write.side_records import DONE, RUNNING, ReprocessJob
from services.timeline.write.stored import from_document, to_document
from services.timeline.write.writer import Writer
from shared.runtime.periodic import Periodic
from shared.storage.blobs import Blobs, BlobStoreAway
from shared.storage.database import (
    Database,
    DatabaseAway,
    Document,
    Index,
    database_errors,
    of_id,
)
from shared.storage.moments import as_stored

JOBS_KEPT = timedelta(days=400)
INDEXES = (
    # Jobs.running: the oldest first
    Index(
        ReprocessJob.collection,
        IndexModel(
            [("account", ASCENDING), ("at", ASCENDING)],
            name="running",
            partialFilterExpression={"state": RUNNING},
        ),
    ),
    Index(
        ReprocessJob.collection,
        IndexModel(
            [("done_at", ASCENDING)],
            name="expire",
            expireAfterSeconds=int(JOBS_KEPT.total_seconds()),
        ),
    ),
)
_EVERY_SECONDS = 2.0
_BATCH = 32
"""Half of what the writer commits together: the other half is for live mail."""
_HELD = timedelta(seconds=60)
AFTER = ReturnDocument.AFTER
log = structlog.get_logger()


class ReprocessJobs:
    """The jobs of all accounts."""

    def __init__(self, database: Database) -> None:
        self._jobs = database[ReprocessJob.collection]

    async def ask(self, account: str, who: str, *, include_current: bool) -> ReprocessJob:
        """Order it; return the one that is under way, if it has been ordered already."""
        for job in await self.running(account):
            if job.include_current == include_current:
                return job
        job = ReprocessJob(
            id=hashed_id("reprocess", uuid4().hex),
            account=account,
            who=who,
            at=as_stored(datetime.now(UTC)),
            state=RUNNING,
            include_current=include_current,
        )
        await self._jobs.insert_one(to_document(job))
        return job

    async def one(self, account: str, id_: str) -> ReprocessJob | None:
        """Return a job of this account."""
        found = await self._jobs.find_one(of_id(account, id_))
        return from_document(ReprocessJob, found) if found is not None else None

    async def running(self, account: str | None = None) -> list[ReprocessJob]:
        """Return those that are not done, of an account or of all."""
        which = {"state": RUNNING} if account is None else {"state": RUNNING, "account": account}
        found = self._jobs.find(which).hint("running").sort("at", ASCENDING)
        return await records_of(ReprocessJob, found.limit(200))

    async def hold(self, job: ReprocessJob, holder: str) -> ReprocessJob | None:
        """Take a job, or keep it; return it as it is now, or None if it is another's, or done."""
        now = datetime.now(UTC)
        free = {"$or": [{"until": None}, {"until": {"$lt": now}}, {"holder": holder}]}
        which = {**of_id(job.account, job.id), "state": RUNNING, **free}
        change = {"$set": {"holder": holder, "until": now + _HELD}}
        found = await self._jobs.find_one_and_update(which, change, return_document=AFTER)
        return from_document(ReprocessJob, found) if found is not None else None

    async def change(self, job: ReprocessJob, holder: str, fields: Document) -> None:
        """Change a job that this replica holds."""
        which = {**of_id(job.account, job.id), "state": RUNNING, "holder": holder}
        await self._jobs.update_one(which, {"$set": fields})


class Reprocessing(Periodic):
    """Does the jobs. Any number of replicas may run it."""

    def __init__(
        self,
        database: Database,
        writer: Writer,
        blobs: Blobs,
        *,
        every_seconds: float = _EVERY_SECONDS,
        batch: int = _BATCH,
    ) -> None:
        super().__init__(every_seconds)
        self._jobs, self._contents = ReprocessJobs(database), database[Content.collection]
        self._rereader, self._writer = Rereader(database, blobs), writer
        self._holder, self._batch = secrets.token_hex(8), batch

    async def once(self) -> None:
        """Do what is there to do, unless a dependency is unavailable."""
        try:
            with database_errors():
                for job in await self._jobs.running():
                    await self._do(job)
        except (DatabaseAway, BlobStoreAway) as away:
            log.warning("reprocessing waits", why=f"{type(away).__name__}: {away}")

    async def _do(self, job: ReprocessJob) -> None:
        while (held := await self._jobs.hold(job, self._holder)) is not None:
            which = {"account": held.account, "_id": {"$gt": held.position}}
            found = self._contents.find(which, fields_of(ContentVersion)).sort("_id", ASCENDING)
            batch = await records_of(ContentVersion, found.limit(self._batch))
            if not batch:
                done = {"state": DONE, "done_at": datetime.now(UTC)}
                await self._jobs.change(held, self._holder, done)
                log.info("reprocessed", reprocessing=held.id)
                return
            tally = await self._tallied(held, batch)
            done = {"position": batch[-1].id, "tally": dict(tally)}
            await self._jobs.change(held, self._holder, done)

    async def _tallied(self, job: ReprocessJob, batch: Sequence[ContentVersion]) -> Counter[str]:
        """Read contents again; return the tally with what became of them."""
        met = [content for content in batch if content.read_at < job.at]
        old = [c for c in met if job.include_current or c.reader_version != READER_VERSION]
        tally = Counter(job.tally)
        tally["unchanged"] += len(met) - len(old)
        tally.update(await asyncio.gather(*map(self._one, old)))
        return tally

    async def _one(self, content: ContentVersion) -> str:
        try:
            return await read_again(self._rereader, self._writer, content)
        except (DatabaseAway, BlobStoreAway):
            raise
        except Exception as error:  # it never will be: counted, and the others go on
            log.error("not reprocessed", error=type(error).__name__)
            return "failed"
