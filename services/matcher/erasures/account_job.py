"""Carries out erasures of accounts in the matcher, and ends them.

    a replica takes the erasure's lease -> first pass: all that the matcher has -> account.erased
    -> settled, and the timeline is done: second pass, for what requests wrote that began before
    -> remembered for after a restore -> receipt

Another replica may take over at any step: a deletion finds nothing twice, and `account.erased` may
be published twice.
Each batch is deleted in one transaction with the job, so that once the account can be used again
no replica deletes anything of it (`shared/storage/account_documents.py`).
"""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import structlog
from pymongo import AsyncMongoClient

from services.matcher.decisions import Decisions
from services.matcher.erasures.accounts import (
    COLLECTION,
    AccountErasures,
    id_of,
    order_of,
    running_job,
)
from services.matcher.erasures.again import remember_account
from services.matcher.erasures.receipts import Signer
from services.matcher.erasures.uploads import forget_uploads
from services.matcher.rematch.sealed import SealedCaptures
from shared.broker import Delivery, Publisher, PublishFailed
from shared.contracts.events import AccountErasureDone
from shared.contracts.outcomes import Done, Outcome, Reject, Retry
from shared.runtime.periodic import Periodic
from shared.storage.account_documents import AccountDocuments, JobEnded
from shared.storage.blob_keys import ERASURE_PREFIX
from shared.storage.blobs import Blobs, BlobStoreAway
from shared.storage.database import Database, DatabaseAway, Document, database_errors
from shared.storage.lease import JobLeases

_COUNTED = {"people": "erased.people"}
_DECISIONS = "decisions"
_BY_ID = ("round_trip_accounts",)
"""Collections whose documents have the account as their id."""
_EVERY_SECONDS = 1.0
_LEASE = timedelta(seconds=30)
_TELL_AGAIN = timedelta(minutes=1)
"""Publish again: a timeline of an older version makes a dead letter of this event."""
log = structlog.get_logger()


class AccountErasing(Periodic):
    """Runs the erasures. Any number of replicas may do so."""

    def __init__(
        self,
        client: AsyncMongoClient[Document],
        database: Database,
        blobs: Blobs,
        erasures: AccountErasures,
        sealed: SealedCaptures,
        signer: Signer | None,
        publisher: Publisher,
        *,
        every_seconds: float = _EVERY_SECONDS,
        lease: timedelta = _LEASE,
    ) -> None:
        super().__init__(every_seconds)
        self._client, self._database, self._blobs = client, database, blobs
        self._erasures, self._sealed, self._signer = erasures, sealed, signer
        self._decisions, self._publisher = Decisions(database), publisher
        self._leases = JobLeases(erasures.documents, lease)

    async def once(self) -> None:
        """Run what is due, unless a dependency is unavailable."""
        try:
            with database_errors():
                await self.work()
        except (DatabaseAway, BlobStoreAway, PublishFailed) as away:
            log.warning("account erasures wait", why=f"{type(away).__name__}: {away}")

    async def work(self) -> None:
        """Run the erasures whose lease this replica gets."""
        for job in await self._erasures.running():
            if not await self._leases.held(running_job(job)):
                continue
            with suppress(JobEnded):  # another replica has it now, or has ended it
                await self._do(job)
            await self._leases.release(running_job(job))

    async def _do(self, job: Document) -> None:
        now = datetime.now(UTC)
        if not job.get("is_deleted"):
            await self._delete(job, is_last=False)
            await self._erasures.note(job, {"is_deleted": True})
        if "timeline" not in job:
            if "told_at" not in job or now - job["told_at"] > _TELL_AGAIN:
                await self._publisher.publish(order_of(job))
                await self._erasures.note(job, {"told_at": now})
            return
        if now < job["settled_at"] or self._signer is None:
            return
        await self._delete(job, is_last=True)
        await remember_account(self._blobs, job["account"], id_of(job), job["asked_by"])
        await self._erasures.finish(job, self._signer)
        log.info("account erasure done", erasure=id_of(job))

    async def _delete(self, job: Document, *, is_last: bool) -> None:
        """Delete all that the matcher has of the account, claims in the last pass alone.

        Until the timeline knows of the erasure, it makes a dead letter of a mail without its claim.

        Raises JobEnded, BlobStoreAway.
        """
        account = job["account"]
        documents = AccountDocuments(
            self._client,
            self._database,
            COLLECTION,
            running_job(job),
            lambda: self._leases.held(running_job(job)),
        )
        await self._sealed.forget_account(account)
        await self._erasures.retire_addresses(account)
        if is_last:
            async for claim in self._decisions.claims_of(account):
                await self._blobs.delete(claim)
            await documents.delete(_DECISIONS, self._decisions.of_account(account))
        await documents.delete_all(account, kept=(COLLECTION, _DECISIONS), counted=_COUNTED)
        for collection in _BY_ID:
            await documents.delete(collection, {"_id": account})
        await self._blobs.delete_under(f"{ERASURE_PREFIX}{account}/")
        await forget_uploads(self._blobs, account)


class CountingAccounts:
    """Notes what the timeline has erased of accounts."""

    def __init__(self, erasures: AccountErasures) -> None:
        self._erasures = erasures

    async def handle(self, delivery: Delivery) -> Outcome:
        """Handle one `account_erasure.done`.

        Done                     it is noted, now or by an earlier delivery
        Retry                    the database is unavailable
        Reject unexpected_event  the queue holds something else
        """
        event = delivery.event
        if not isinstance(event, AccountErasureDone):
            return Reject("unexpected_event", event.tag)
        try:
            with database_errors():
                await self._erasures.counted(event.account, event.erasure_id, event.erased)
        except DatabaseAway as away:
            return Retry(f"{type(away).__name__}: {away}")
        return Done()
