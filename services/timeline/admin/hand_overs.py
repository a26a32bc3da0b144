"""Hand-overs: the captures of a user who leaves are given to another, mail by mail.

    ask -> a job, and its line in the audit log, in one transaction
    -> a replica takes the account's lease -> its oldest job: in batches, beside live mail and after
       it -> once more from the start, until nothing is left -> done

* An account's hand-overs are done one after the other, as they were asked for: one from A to B and
  then one from B to C bring A's mail to C.
* What was given is no longer in the list that the job goes through. So a replica that takes over
  begins at the start of what is left, and no position is kept. Each mail is given, and counted, in
  one transaction: two replicas at it at once, after a lease was lost, do no harm.
* What comes to the leaver once all is done stays theirs, until it is asked for again.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import uuid4

import structlog
from pymongo import ASCENDING, AsyncMongoClient

from services.timeline.query.hand_overs import HandOvers
from services.timeline.query.people import Directory
from services.timeline.write.identity import hashed_id
from services.timeline.write.listed_records import MailRow
from services.timeline.write.requests import HandOver, HandOverHeld, Request
from services.timeline.write.side_records import DONE, RUNNING, AuditLine, HandOverJob, Held
from services.timeline.write.stored import to_document
from services.timeline.write.writer import Writer
from shared.runtime.periodic import Periodic
from shared.storage.blobs import BlobStoreAway
from shared.storage.database import (
    BY_ID,
    Database,
    DatabaseAway,
    Document,
    database_errors,
    of_id,
)
from shared.storage.lease import AccountLeases
from shared.storage.moments import as_stored

_EVERY_SECONDS = 2.0
_BATCH = 32
"""Half of what the writer commits together: the other half is for live mail."""
_LEASE = timedelta(seconds=30)
Refusal = Literal["not_a_user", "same", "unknown"]
log = structlog.get_logger()


class HandOverDesk:
    """Takes the orders."""

    def __init__(
        self, client: AsyncMongoClient[Document], database: Database, directory: Directory
    ) -> None:
        self._client, self._database, self._directory = client, database, directory
        self.hand_overs = HandOvers(database)

    async def ask(self, account: str, who: str, from_: str, to: str) -> HandOverJob | Refusal:
        """Order a hand-over; return the one that is under way, if it has been ordered already."""
        if from_ == to:
            return "same"
        people = await self._directory.named(account, [to])
        if to not in people or people[to].kind != "user":
            return "not_a_user"
        if not await self._directory.has_known(account, from_):
            return "unknown"
        running = await self.hand_overs.running(account)
        for job in running[-1:]:  # an earlier one may have another's order after it
            if (job.from_, job.to) == (from_, to):
                return job
        now = as_stored(datetime.now(UTC))
        id_ = hashed_id("hand over", uuid4().hex)
        job = HandOverJob(
            id=id_, account=account, from_=from_, to=to, who=who, at=now, state=RUNNING
        )
        line = AuditLine(
            id=id_,
            account=account,
            at=now,
            who=who,
            what="handed_over",
            kind="captures",
            owner=from_,
            new_owner=to,
        )
        async with self._client.start_session() as session, await session.start_transaction():
            for record in (job, line):
                collection = self._database[record.collection]
                await collection.insert_one(to_document(record), session=session)
        return job


class HandingOver(Periodic):
    """Does what was ordered. Any number of replicas may run it."""

    def __init__(
        self,
        database: Database,
        writer: Writer,
        *,
        every_seconds: float = _EVERY_SECONDS,
        lease: timedelta = _LEASE,
        batch: int = _BATCH,
    ) -> None:
        super().__init__(every_seconds)
        self._hand_overs, self._writer, self._batch = HandOvers(database), writer, batch
        self._jobs = database[HandOverJob.collection]
        self._rows, self._held = database[MailRow.collection], database[Held.collection]
        self._leases = AccountLeases(database, "hand_over_leases", lease)

    async def once(self) -> None:
        """Do what is there to do, unless a dependency is unavailable."""
        try:
            with database_errors():
                await self.work()
        except (DatabaseAway, BlobStoreAway) as away:
            log.warning("hand-over waits", why=f"{type(away).__name__}: {away}")

    async def work(self) -> None:
        """Do the jobs of all accounts whose lease this replica gets."""
        by_account: dict[str, list[HandOverJob]] = {}
        for job in await self._hand_overs.running():
            by_account.setdefault(job.account, []).append(job)
        for account in by_account:
            if await self._leases.held(account):
                # While the lease was another's, these may have been done, or more been ordered.
                await self._do_all(account)

    async def _do_all(self, account: str) -> None:
        for job in await self._hand_overs.running(account):
            if not await self._do(job):
                return
        await self._leases.release(account)

    async def _do(self, job: HandOverJob) -> bool:
        """Give all that there is to give; return False when the lease is another's now."""
        while True:
            given, failed = 0, 0
            for find, request in ((self._mails, _of_mail), (self._captures, _of_capture)):
                position = ""
                while ids := await find(job, position):
                    if not await self._leases.held(job.account):
                        return False
                    done, not_done = await self._give([request(job, id_) for id_ in ids])
                    given, failed, position = given + done, failed + not_done, ids[-1]
            if not given:
                break
        change: Document = {"state": DONE, "done_at": datetime.now(UTC), "failed": failed}
        await self._jobs.update_one(of_id(job.account, job.id), {"$set": change})
        log.info("handed over", hand_over=job.id, failed=failed)
        return True

    async def _mails(self, job: HandOverJob, position: str) -> list[str]:
        """Return the next mails that the leaver has a capture of: each is listed for them."""
        row = f"{job.account}/{job.from_}/"
        which = {
            "account": job.account,
            "_id": {"$gt": row + position, "$lt": f"{row}~"},
            "viewer": job.from_,
        }
        found = self._rows.find(which, {"mail_id": 1}).hint(BY_ID).sort("_id", ASCENDING)
        return [document["mail_id"] for document in await found.limit(self._batch).to_list()]

    async def _captures(self, job: HandOverJob, position: str) -> list[str]:
        """Return the next captures of theirs that wait in quarantine."""
        which = {"account": job.account, "ranges": job.from_, "_id": {"$gt": position}}
        found = self._held.find(which, {"_id": 1}).hint("in_range").sort("_id", ASCENDING)
        return [document["_id"] for document in await found.limit(self._batch).to_list()]

    async def _give(self, requests: Sequence[Request]) -> tuple[int, int]:
        """Return how many were given, and how many never can be."""
        answers = await asyncio.gather(
            *(self._writer.submit(request) for request in requests), return_exceptions=True
        )
        given, failed = 0, 0
        for answer in answers:
            if isinstance(answer, DatabaseAway | BlobStoreAway | asyncio.CancelledError):
                raise answer
            if isinstance(answer, BaseException):
                failed += 1
                log.error("not handed over", error=type(answer).__name__)
            elif answer.outcome == "changed":
                given += 1
        return given, failed


def _of_mail(job: HandOverJob, id_: str) -> Request:
    return HandOver(account=job.account, job_id=job.id, mail_id=id_, from_=job.from_, to=job.to)


def _of_capture(job: HandOverJob, id_: str) -> Request:
    return HandOverHeld(account=job.account, job_id=job.id, held_id=id_, from_=job.from_, to=job.to)
