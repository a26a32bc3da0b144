"""Takes the orders to erase people, from the matcher.

    person.erased -> job, redaction list, line in the audit log: one transaction -> acknowledged

From that transaction on nothing is written of the person that was received before. A batch that is
being written meanwhile has read the list before it, but writes the account's counter of its lane
(`write/mail_changes.py`). The transaction writes those of all lanes, so one of the two is repeated.
"""

from datetime import UTC, datetime

import pymongo
from pymongo import AsyncMongoClient, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from services.timeline.admin.account_erasing import AccountErasureOrders
from services.timeline.write.erased_accounts import ErasedAccounts
from services.timeline.write.erased_records import (
    ErasedHead,
    ErasedPage,
    ErasedPerson,
    ErasureJob,
    page_id,
)
from services.timeline.write.identity import hashed_id
from services.timeline.write.mail_changes import COUNTERS
from services.timeline.write.side_records import RUNNING, AuditLine
from services.timeline.write.stored import from_document, to_document
from services.timeline.write.writer import SLOTS
from shared.broker import Delivery
from shared.contracts.events import AccountErased, PersonErased
from shared.contracts.outcomes import Done, Outcome, Reject, Retry
from shared.storage.database import Database, DatabaseAway, Document, database_errors, of_id
from shared.storage.moments import as_stored

_SECONDS = 10
_MAX_PEOPLE, _MAX_HASHES = 200, 20_000
"""Of a page of the redaction list."""


class ErasureOrders:
    """Writes them down. `erasing.py` carries them out."""

    def __init__(
        self,
        client: AsyncMongoClient[Document],
        database: Database,
        erased: ErasedAccounts | None = None,
    ) -> None:
        self._client, self._database = client, database
        self._erased = erased or ErasedAccounts(database)
        self._of_accounts = AccountErasureOrders(client, database, self._erased)

    async def handle(self, delivery: Delivery) -> Outcome:
        """Handle one `person.erased` or `account.erased`.

        Done                     it is ordered, now or by an earlier delivery; or the account was
                                 erased since
        Retry                    the database is unavailable
        Reject unexpected_event  the queue holds something else
        """
        event = delivery.event
        if isinstance(event, AccountErased):
            return await self._of_accounts.handle(delivery)
        if not isinstance(event, PersonErased):
            return Reject("unexpected_event", event.tag)
        try:
            with database_errors(), pymongo.timeout(_SECONDS):
                if await self._erased.drops(event.account, event.asked_at):
                    return Done()
                async with self._client.start_session() as session:
                    await session.with_transaction(lambda s: self._order(event, s))
        except DatabaseAway as away:
            return Retry(f"{type(away).__name__}: {away}")
        return Done()

    async def _order(self, event: PersonErased, session: AsyncClientSession) -> None:
        job = job_of(event)
        jobs = self._database[ErasureJob.collection]
        if await jobs.find_one(of_id(job.account, job.id), {"_id": 1}, session=session):
            return
        await jobs.insert_one(to_document(job), session=session)
        line = AuditLine(
            id=job.id,
            account=job.account,
            at=as_stored(datetime.now(UTC)),
            who=event.asked_by,
            what="erased",
            kind="person",
            profile=event.person_id,
        )
        await self._database[line.collection].insert_one(to_document(line), session=session)
        await self._list(job, session)
        await self._meet_batches(job, session)

    async def _list(self, job: ErasureJob, session: AsyncClientSession) -> None:
        """Put the person on the redaction list."""
        account, person = job.account, job.person
        lists = self._database[ErasedHead.collection]
        found = await lists.find_one(of_id(account, account), session=session)
        latest, pages = person.at, 1
        if found is not None:
            head = from_document(ErasedHead, found)
            latest, pages = max(head.latest, person.at), head.pages
        found = await lists.find_one(of_id(account, page_id(account, pages - 1)), session=session)
        page = from_document(ErasedPage, found) if found is not None else None
        if page is not None and is_full(page):
            page, pages = None, pages + 1
        people = (*(page.people if page else ()), person)
        new_page = ErasedPage(id=page_id(account, pages - 1), account=account, people=people)
        new_head = ErasedHead(id=account, account=account, latest=latest, pages=pages)
        for record in (new_page, new_head):
            which = of_id(account, record.id)
            await lists.replace_one(which, to_document(record), upsert=True, session=session)

    async def _meet_batches(self, job: ErasureJob, session: AsyncClientSession) -> None:
        writes = [
            UpdateOne(
                of_id(job.account, f"{job.account}/{slot}"),
                {"$set": {"slot": slot, "erasure": job.id}, "$max": {"last": 0}},
                upsert=True,
            )
            for slot in range(SLOTS)
        ]
        await self._database[COUNTERS].bulk_write(writes, ordered=False, session=session)


def job_of(event: PersonErased) -> ErasureJob:
    """Return the job that an order makes. Pure."""
    return ErasureJob(
        id=hashed_id("erasure", event.erasure_id, event.person_id),
        account=event.account,
        erasure_id=event.erasure_id,
        person=ErasedPerson(
            person_id=event.person_id,
            at=event.erased_at,
            addresses=event.addresses,
            names=event.names,
        ),
        asked_at=as_stored(event.asked_at),
        state=RUNNING,
    )


def is_full(page: ErasedPage) -> bool:
    """Return whether the next person begins another page. Pure."""
    hashes = sum(len(person.addresses) for person in page.people)
    return len(page.people) >= _MAX_PEOPLE or hashes >= _MAX_HASHES
