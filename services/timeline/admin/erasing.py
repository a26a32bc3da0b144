"""Erases people, mail by mail: what `erasure_orders.py` has taken down.

    a replica takes the account's lease -> its oldest job: all mails of the account, in batches,
    beside live mail and after it -> what waits in quarantine -> once more from the start, until
    nothing is left -> dead letters, watched mails, bytes -> the matcher is told -> done

* What was erased no longer concerns the person. So a replica that takes over begins at the start,
  and no position is kept. Each mail is erased, and counted, in one transaction: two replicas at it
  at once, after a lease was lost, do no harm.
* What comes meanwhile is written without the person (`write/erased.py`).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from pymongo import ASCENDING
from pymongo.errors import PyMongoError

from services.timeline.admin.concerned_mails import ConcernedMails
from services.timeline.admin.dropped_blobs import DroppedBlobs
from services.timeline.admin.erased_letters import ErasedLetters
from services.timeline.query.erasures import Erasures
from services.timeline.query.parts import records_of
from services.timeline.query.raw_bytes import RawBytes
from services.timeline.write.erased_records import ErasureJob
from services.timeline.write.redacting import Redaction
from services.timeline.write.requests import EraseHeld
from services.timeline.write.side_records import DONE, Held, Watched
from services.timeline.write.stored import from_document
from services.timeline.write.writer import Writer
from shared.broker import Publisher, PublishFailed
from shared.contracts.events import Erased, ErasureDone
from shared.runtime.periodic import Periodic
from shared.storage.blobs import Blobs, BlobStoreAway
from shared.storage.database import (
    Database,
    DatabaseAway,
    database_errors,
    of_id,
)
from shared.storage.lease import AccountLeases

_EVERY_SECONDS = 2.0
_BATCH = 64
_AT_ONCE = 4
"""Mails that are erased at a time: each may have 30 MiB."""
_TRIES = 10
"""For a mail that others change meanwhile."""
_LEASE = timedelta(seconds=30)
log = structlog.get_logger()


class Erasing(Periodic):
    """Does what was ordered. Any number of replicas may run it."""

    def __init__(
        self,
        database: Database,
        writer: Writer,
        blobs: Blobs,
        letters: ErasedLetters,
        publisher: Publisher,
        *,
        every_seconds: float = _EVERY_SECONDS,
        lease: timedelta = _LEASE,
        batch: int = _BATCH,
    ) -> None:
        super().__init__(every_seconds)
        self._erasures, self._writer, self._batch = Erasures(database), writer, batch
        self._concerned = ConcernedMails(database, RawBytes(database, blobs), 4 * batch)
        self._dropped = DroppedBlobs(database, blobs)
        self._letters, self._publisher = letters, publisher
        self._jobs = database[ErasureJob.collection]
        self._held = database[Held.collection]
        self._watched = database[Watched.collection]
        self._leases = AccountLeases(database, "erasure_leases", lease)
        self._at_once = asyncio.Semaphore(_AT_ONCE)

    async def once(self) -> None:
        """Do what is there to do, unless a dependency is unavailable."""
        try:
            with database_errors():
                await self.work()
        except (DatabaseAway, BlobStoreAway, PublishFailed) as away:
            log.warning("erasure waits", why=f"{type(away).__name__}: {away}")

    async def work(self) -> None:
        """Do the jobs of all accounts whose lease this replica gets."""
        for account in dict.fromkeys(job.account for job in await self._erasures.running()):
            if await self._leases.held(account):
                await self._do_all(account)

    async def _do_all(self, account: str) -> None:
        for job in await self._erasures.running(account):
            if not await self._do(job):
                return
        await self._leases.release(account)

    async def _do(self, job: ErasureJob) -> bool:
        """Erase all that there is of a person; return False when the lease is another's now."""
        if job.is_erased:  # the matcher could not be told
            await self._finish(job)
            return True
        while True:
            changed, failed = 0, 0
            for find, erase in (
                (self._concerned.batches, self._erase_mail),
                (self._waiting, self._erase_held),
            ):
                async for ids in find(job):
                    if not await self._leases.held(job.account):
                        return False
                    done, not_done = await self._all(erase(job, id_) for id_ in ids)
                    changed, failed = changed + done, failed + not_done
            if not changed:
                break
        letters = await self._letters.drop(job.account, job.person)
        await self._jobs.update_one(of_id(job.account, job.id), {"$inc": {"letters": letters}})
        await self._forget_watched(job)
        await self._dropped.remove(job.account)
        erased = {"$set": {"is_erased": True, "failed": failed}}
        await self._jobs.update_one(of_id(job.account, job.id), erased)
        await self._finish(job)
        return True

    async def _finish(self, job: ErasureJob) -> None:
        """Tell the matcher what was erased, and then that it is done here."""
        found = await self._jobs.find_one(of_id(job.account, job.id))
        if found is None or found["state"] == DONE:
            return
        now, counted = datetime.now(UTC), from_document(ErasureJob, found)
        erased = Erased(
            mails_deleted=counted.deleted,
            mails_redacted=counted.redacted,
            quarantined=counted.held,
            dead_letters=counted.letters,
            failed=counted.failed,
        )
        await self._publisher.publish(
            ErasureDone(
                account=job.account,
                erasure_id=job.erasure_id,
                person_id=job.person.person_id,
                done_at=now,
                erased=erased,
            )
        )
        change = {"$set": {"state": DONE, "done_at": now}}
        await self._jobs.update_one(of_id(job.account, job.id), change)
        log.info("erased", erasure=job.erasure_id, failed=counted.failed)

    async def _erase_mail(self, job: ErasureJob, mail_id: str) -> bool:
        """Erase the person from a mail; return whether it has changed."""
        async with self._at_once:
            for _ in range(_TRIES):
                request = await self._concerned.request(job, mail_id)
                if request is None:
                    return False
                answer = await self._writer.submit(request)
                if answer.outcome != "unprepared":
                    return answer.outcome == "changed"
            raise DatabaseAway("the bytes of the mail change all the time")

    async def _waiting(self, job: ErasureJob) -> AsyncIterator[list[str]]:
        """Yield the captures that wait for a yes, in batches."""
        position = ""
        while True:
            which = {"account": job.account, "_id": {"$gt": position}}
            found = self._held.find(which, {"_id": 1}).sort("_id", ASCENDING).limit(self._batch)
            ids = [document["_id"] async for document in found]
            if not ids:
                return
            yield ids
            position = ids[-1]

    async def _erase_held(self, job: ErasureJob, held_id: str) -> bool:
        request = EraseHeld(account=job.account, job_id=job.id, held_id=held_id, person=job.person)
        return (await self._writer.submit(request)).outcome == "changed"

    async def _all(self, erasing: Iterable[Coroutine[Any, Any, bool]]) -> tuple[int, int]:
        """Return how many have changed, and how many never can."""
        answers = await asyncio.gather(*erasing, return_exceptions=True)
        changed, failed = 0, 0
        for answer in answers:
            if isinstance(answer, DatabaseAway | BlobStoreAway | asyncio.CancelledError):
                raise answer
            if isinstance(answer, BaseException):
                _raise_if_away(answer)
                failed += 1
                log.error("not erased", error=type(answer).__name__)
            else:
                changed += answer
        return changed, failed

    async def _forget_watched(self, job: ErasureJob) -> None:
        """Forget mails of theirs that users saw through a set-up window, for what is left of their
        day."""
        redaction = Redaction(job.account, [job.person])
        found = await records_of(Watched, self._watched.find({"account": job.account}))
        for one in found:
            is_later = one.received_at > job.person.at
            if is_later or one.sender is None:
                continue
            if redaction.has_address(one.sender.address):
                await self._watched.delete_one(of_id(job.account, one.id))


def _raise_if_away(error: BaseException) -> None:
    """Raise DatabaseAway for an error of the database that may go away."""
    if isinstance(error, PyMongoError):
        with contextlib.suppress(PyMongoError), database_errors():
            raise error
