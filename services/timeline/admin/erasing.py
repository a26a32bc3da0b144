"""Erases people, mail by mail: what `erasure_orders.py` has taken down.

    a replica takes the account's lease -> its oldest job: all mails of the account, in batches,
    beside live mail and after it -> what waits in quarantine -> once more from the start, until
    nothing is left -> dead letters, watched mails, bytes -> the matcher is told -> done

* Every mail of the account is looked at: one in which the person only takes part is in no list of
  theirs, and their addresses are known by hashes alone. What is read of a mail is what lists show.
* What was erased no longer concerns the person. So a replica that takes over begins at the start,
  and no position is kept. Each mail is erased, and counted, in one transaction: two replicas at it
  at once, after a lease was lost, do no harm.
* What comes meanwhile is written without the person (`write/erased.py`).
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from pymongo import ASCENDING
from pymongo.errors import DuplicateKeyError, PyMongoError

from services.timeline.admin.dropped_blobs import DroppedBlobs
from services.timeline.admin.erased_letters import ErasedLetters
from services.timeline.query.erasures import Erasures
from services.timeline.query.parts import fields_of, records_of
from services.timeline.query.raw_bytes import RawBytes
from services.timeline.write.erased_records import ErasureJob
from services.timeline.write.erasing import Plan, planned
from services.timeline.write.forgetting import common_bytes
from services.timeline.write.listed_records import MailRow
from services.timeline.write.mail_rows import content_id
from services.timeline.write.records import ListedContent, Mail
from services.timeline.write.redacted_bytes import redacted_bytes
from services.timeline.write.redacting import Redaction
from services.timeline.write.requests import Erase, EraseHeld, PreparedBytes
from services.timeline.write.side_records import DONE, Held, Watched
from services.timeline.write.stored import from_document
from services.timeline.write.writer import Writer
from shared.broker import Publisher, PublishFailed
from shared.contracts.events import Erased, ErasureDone
from shared.runtime.periodic import Periodic
from shared.storage.blob_keys import mail_key
from shared.storage.blobs import BlobMissing, Blobs, BlobStoreAway
from shared.storage.database import (
    BY_ID,
    Database,
    DatabaseAway,
    database_errors,
    of_id,
    of_ids,
)

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
        self._bytes, self._dropped = RawBytes(database, blobs), DroppedBlobs(database, blobs)
        self._letters, self._publisher = letters, publisher
        self._jobs = database[ErasureJob.collection]
        self._rows, self._held = database[MailRow.collection], database[Held.collection]
        self._mails, self._contents = (
            database[Mail.collection],
            database[ListedContent.collection],
        )
        self._watched = database[Watched.collection]
        self._leases = database["erasure_leases"]
        self._holder, self._lease = secrets.token_hex(8), lease
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
            if await self._holds(account):
                await self._do_all(account)

    async def _do_all(self, account: str) -> None:
        for job in await self._erasures.running(account):
            if not await self._do(job):
                return
        mine = {**of_id(account, account), "holder": self._holder}
        await self._leases.delete_one(mine)

    async def _do(self, job: ErasureJob) -> bool:
        """Erase all that there is of a person; return False when the lease is another's now."""
        failed = 0
        while True:
            changed, failed = 0, 0
            for find, erase in (
                (self._concerned_mails, self._erase_mail),
                (self._waiting, self._erase_held),
            ):
                async for ids in find(job):
                    if not await self._holds(job.account):
                        return False
                    done, not_done = await self._all(erase(job, id_) for id_ in ids)
                    changed, failed = changed + done, failed + not_done
            if not changed:
                break
        letters = await self._letters.drop(job.account, job.person.person_id)
        await self._jobs.update_one(of_id(job.account, job.id), {"$inc": {"letters": letters}})
        await self._forget_watched(job)
        await self._dropped.remove(job.account)
        await self._finish(job, failed)
        return True

    async def _finish(self, job: ErasureJob, failed: int) -> None:
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
            failed=failed,
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
        change = {"$set": {"state": DONE, "done_at": now, "failed": failed}}
        await self._jobs.update_one(of_id(job.account, job.id), change)
        log.info("erased", erasure=job.erasure_id, failed=failed)

    async def _concerned_mails(self, job: ErasureJob) -> AsyncIterator[list[str]]:
        """Yield the mails that concern the person, batch by batch; an empty one, too."""
        position = f"{job.account}/"
        while True:
            # A slash follows the account in every key, and a zero follows the slash.
            which = {"account": job.account, "_id": {"$gt": position, "$lt": f"{job.account}0"}}
            rows = self._rows.find(which, {"mail_id": 1, "viewer": 1}).hint(BY_ID)
            found = await rows.sort("_id", ASCENDING).limit(4 * self._batch).to_list()
            if not found:
                return
            # Whoever captured a mail has a row of it. The team's say nothing more.
            own = (row["mail_id"] for row in found if not row["viewer"].startswith(("*", "!")))
            yield await self._concerned(job, [*dict.fromkeys(own)])
            position = found[-1]["_id"]

    async def _concerned(self, job: ErasureJob, ids: Sequence[str]) -> list[str]:
        found = self._mails.find(of_ids(job.account, ids)).hint(BY_ID)
        mails = await records_of(Mail, found)
        contents = await self._contents_of(job.account, mails)
        plans = await asyncio.to_thread(_plans, job, mails, contents)
        return [mail.id for mail, plan in plans if plan is not None]

    async def _contents_of(
        self, account: str, mails: Iterable[Mail]
    ) -> dict[str, list[ListedContent]]:
        ids = {content_id(mail.id, c.content) for mail in mails for c in mail.captures}
        found = self._contents.find(of_ids(account, sorted(ids)), fields_of(ListedContent))
        by_mail: dict[str, list[ListedContent]] = {}
        for content in await records_of(ListedContent, found.hint(BY_ID)):
            by_mail.setdefault(content.mail_id, []).append(content)
        return by_mail

    async def _erase_mail(self, job: ErasureJob, mail_id: str) -> bool:
        """Erase the person from a mail; return whether it has changed."""
        async with self._at_once:
            for _ in range(_TRIES):
                found = await self._mails.find_one(of_id(job.account, mail_id))
                if found is None:
                    return False
                mail = from_document(Mail, found)
                contents = (await self._contents_of(job.account, [mail])).get(mail_id, [])
                plan = planned(mail, contents, job.person)
                if plan is None:
                    return False
                request = Erase(
                    account=job.account,
                    job_id=job.id,
                    mail_id=mail_id,
                    person=job.person,
                    prepared={
                        content.key: await self._prepared(job, mail, content, plan)
                        for content in contents
                        if content.key in plan.keys
                    },
                )
                answer = await self._writer.submit(request)
                if answer.outcome != "unprepared":
                    return answer.outcome == "changed"
            raise DatabaseAway("the bytes of the mail change all the time")

    async def _prepared(
        self, job: ErasureJob, mail: Mail, content: ListedContent, plan: Plan
    ) -> PreparedBytes:
        """Return the bytes of a content without the person."""
        key, is_stripped = content.raw_key, content.key in plan.stripped
        try:
            raw = await self._bytes.get(job.account, key)
        except BlobMissing:  # they were lost before
            return PreparedBytes(key, key, None, is_stripped=is_stripped)
        has_id = mail.message_id is not None
        made = await asyncio.to_thread(
            _bytes_without, raw, plan.redaction, strip=is_stripped, has_id=has_id
        )
        if made == raw:
            return PreparedBytes(key, key, None, is_stripped=is_stripped)
        new_key = f"{mail_key(job.account, content.id, made)}.{job.id}"
        return PreparedBytes(key, new_key, made, is_stripped=is_stripped)

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
            if one.sender is not None and redaction.has_address(one.sender.address):
                await self._watched.delete_one(of_id(job.account, one.id))

    async def _holds(self, account: str) -> bool:
        """Take or renew the account's lease; return whether this replica has it."""
        now = datetime.now(UTC)
        free = {
            **of_id(account, account),
            "$or": [{"until": {"$lt": now}}, {"holder": self._holder}],
        }
        change = {"$set": {"holder": self._holder, "until": now + self._lease}}
        with contextlib.suppress(DuplicateKeyError):  # another has it
            await self._leases.update_one(free, change, upsert=True)
            return True
        return False


def _plans(
    job: ErasureJob, mails: Iterable[Mail], contents: Mapping[str, list[ListedContent]]
) -> list[tuple[Mail, Plan | None]]:
    return [(mail, planned(mail, contents.get(mail.id, []), job.person)) for mail in mails]


def _bytes_without(raw: bytes, redaction: Redaction, *, strip: bool, has_id: bool) -> bytes:
    return redacted_bytes(common_bytes(raw, has_id=has_id) if strip else raw, redaction)


def _raise_if_away(error: BaseException) -> None:
    """Raise DatabaseAway for an error of the database that may go away."""
    if isinstance(error, PyMongoError):
        with contextlib.suppress(PyMongoError), database_errors():
            raise error
