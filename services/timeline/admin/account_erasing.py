"""Erases accounts: all documents and blobs of the timeline.

    account.erased -> nothing is written of it any more (`write/erased_accounts.py`), and a job
    -> a replica takes the job's lease -> first pass: all that there is, within seconds
    -> settled: second pass, for what batches and requests wrote that began before
    -> account_erasure.done -> the job goes

    account_erasures   `{_id: <erasure id>, account, erased_at, settled_at, passes, is_erased,
                       mails, quarantined, dead_letters, holder, until}`, while it runs

* Another replica may take over at any step: a deletion finds nothing twice. Each batch is deleted
  in one transaction with the job (`shared/storage/account_documents.py`).
* The job says that it is erased before the account may be used again. From then on no replica
  deletes anything of it.
"""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pymongo
import structlog
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession

from services.timeline.admin.dead_letters.content import Content
from services.timeline.admin.dead_letters.letter import StoredLetter
from services.timeline.admin.dead_letters.records import letter_in, of_account
from services.timeline.write.erased_accounts import ErasedAccounts
from services.timeline.write.records import Mail
from services.timeline.write.side_records import EVERYBODY, Held, Hint
from services.timeline.write.stored import to_document
from shared.broker import Delivery, Publisher, PublishFailed
from shared.contracts.events import AccountErased, AccountErasureDone, ErasedOfAccount
from shared.contracts.outcomes import Done, Outcome, Reject, Retry
from shared.runtime.periodic import Periodic
from shared.storage.account_documents import AccountDocuments, JobEnded
from shared.storage.blob_keys import MAIL_PREFIX, QUARANTINE_PREFIX
from shared.storage.blobs import Blobs, BlobStoreAway
from shared.storage.database import Database, DatabaseAway, Document, database_errors, of_id
from shared.storage.lease import JobLeases

JOBS = "account_erasures"
_COUNTED = {Mail.collection: "mails", Held.collection: "quarantined"}
_EVERY_SECONDS = 1.0
_LEASE = timedelta(seconds=30)
_SECONDS = 10
log = structlog.get_logger()


class AccountErasureOrders:
    """Takes the orders of the matcher."""

    def __init__(
        self, client: AsyncMongoClient[Document], database: Database, erased: ErasedAccounts
    ) -> None:
        self._client, self._jobs, self._erased = client, database[JOBS], erased

    async def handle(self, delivery: Delivery) -> Outcome:
        """Handle one `account.erased`.

        Done                     it is ordered, now or by an earlier delivery
        Retry                    the database is unavailable
        Reject unexpected_event  the queue holds something else
        """
        event = delivery.event
        if not isinstance(event, AccountErased):
            return Reject("unexpected_event", event.tag)
        try:
            with database_errors(), pymongo.timeout(_SECONDS):
                async with self._client.start_session() as session:
                    await session.with_transaction(lambda s: self._order(event, s))
        except DatabaseAway as away:
            return Retry(f"{type(away).__name__}: {away}")
        return Done()

    async def _order(self, event: AccountErased, session: AsyncClientSession) -> None:
        """Begin, once: a redelivered order must not delete newer mail."""
        if await self._erased.begin(event.account, event.erased_at, session):
            job = {"erased_at": event.erased_at, "settled_at": event.settled_at, "passes": 0}
            new = of_id(event.account, event.erasure_id) | job
            await self._jobs.insert_one(new, session=session)


class AccountErasing(Periodic):
    """Runs the erasures. Any number of replicas may do so."""

    def __init__(
        self,
        client: AsyncMongoClient[Document],
        database: Database,
        blobs: Blobs,
        content: Content,
        erased: ErasedAccounts,
        publisher: Publisher,
        *,
        every_seconds: float = _EVERY_SECONDS,
        lease: timedelta = _LEASE,
    ) -> None:
        super().__init__(every_seconds)
        self._client, self._database, self._blobs = client, database, blobs
        self._content, self._erased, self._publisher = content, erased, publisher
        self._jobs = database[JOBS]
        self._leases = JobLeases(self._jobs, lease)

    async def once(self) -> None:
        """Run what is due, unless a dependency is unavailable."""
        try:
            with database_errors():
                await self.work()
        except (DatabaseAway, BlobStoreAway, PublishFailed) as away:
            log.warning("account erasure waits", why=f"{type(away).__name__}: {away}")

    async def work(self) -> None:
        """Run the jobs whose lease this replica gets."""
        for job in await self._jobs.find({}).to_list():
            which = of_id(job["account"], job["_id"])
            if not await self._leases.held(which):
                continue
            with suppress(JobEnded):  # another replica has it now, or has ended it
                await self._do(job)
            await self._leases.release(which)

    async def _do(self, job: Document) -> None:
        account, which = job["account"], of_id(job["account"], job["_id"])
        now = datetime.now(UTC)
        if not job.get("is_erased"):
            is_settled = now >= job["settled_at"]
            if job["passes"] and not is_settled:
                return
            await self._delete(account, job["_id"])
            if not is_settled:
                await self._tell_pages(account)
                await self._jobs.update_one(which, {"$inc": {"passes": 1}})
                return
            await self._jobs.update_one(which, {"$set": {"is_erased": True}})
        await self._finish(account, which)

    async def _delete(self, account: str, job_id: str) -> None:
        """Delete everything of the account. Raises JobEnded, BlobStoreAway."""
        which = {**of_id(account, job_id), "is_erased": {"$exists": False}}
        documents = AccountDocuments(
            self._client, self._database, JOBS, which, lambda: self._leases.held(which)
        )
        letters = of_account(account)
        with pymongo.timeout(0):  # no deadline, however many there are; None is the client's
            async for found in self._database[StoredLetter.collection].find(letters):
                # The bytes first: only the document tells where they are.
                await self._content.remove(letter_in(found), claim=True)
        await documents.delete(StoredLetter.collection, letters, "dead_letters")
        await documents.delete_all(account, kept=(JOBS,), counted=_COUNTED)
        for prefix in (MAIL_PREFIX, QUARANTINE_PREFIX):
            await self._blobs.delete_under(f"{prefix}{account}/")

    async def _tell_pages(self, account: str) -> None:
        """Let open pages reload: they become empty. The second pass deletes this hint."""
        hint = Hint(account=account, audience=EVERYBODY, conversation_id="", at=datetime.now(UTC))
        await self._database[Hint.collection].insert_one(to_document(hint))

    async def _finish(self, account: str, which: Document) -> None:
        """Let the account be used again, and tell the matcher, which lets it be used."""
        job = await self._jobs.find_one(which)
        if job is None:
            return
        await self._erased.end(account, job["erased_at"])
        erased = {name: job.get(name, 0) for name in ("mails", "quarantined", "dead_letters")}
        await self._publisher.publish(
            AccountErasureDone(
                account=account,
                erasure_id=job["_id"],
                done_at=datetime.now(UTC),
                erased=ErasedOfAccount(**erased),
            )
        )
        await self._jobs.delete_one(which)
        log.info("account erased", erasure=job["_id"])
