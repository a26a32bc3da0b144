"""Finishes erasures: counts what the timeline has erased, and signs the receipt.

erasure.done -> decisions of large mails without the person -> remembered for after a restore
-> counted -> nobody left: receipt
"""

from datetime import UTC, datetime, timedelta

import pymongo
import structlog
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession

from services.matcher.decisions import Decisions
from services.matcher.erasures.account_job import CountingAccounts
from services.matcher.erasures.again import remember
from services.matcher.erasures.receipts import Signer
from services.matcher.erasures.records import Erasures
from services.matcher.reviews.records import Reviews
from shared.broker import Delivery
from shared.contracts.events import AccountErasureDone, ErasureDone
from shared.contracts.outcomes import Done, Outcome, Reject, Retry
from shared.runtime.periodic import Periodic
from shared.storage.blobs import Blobs, BlobStoreAway
from shared.storage.database import Database, DatabaseAway, Document, database_errors, of_id
from shared.storage.moments import as_stored

_SECONDS = 10
_EVERY_SECONDS = 30.0
_ABANDONED = timedelta(seconds=30)
"""After this time the process that began an erasure is not going on with it."""
log = structlog.get_logger()


class Finishing:
    """Finishes them, and has the public keys of the receipts."""

    def __init__(
        self,
        client: AsyncMongoClient[Document],
        database: Database,
        blobs: Blobs,
        signer: Signer | None,
        erasures: Erasures,
        reviews: Reviews,
        accounts: CountingAccounts | None = None,
    ) -> None:
        self._accounts = accounts
        self._client, self._decisions, self._signer = client, Decisions(database), signer
        self._blobs, self._known, self._reviews = blobs, erasures, reviews
        self._erasures, self._erased = database["erasures"], database["erased"]
        self._keys = database["erasure_keys"]

    @property
    def can_sign(self) -> bool:
        """Whether there is a key to sign with."""
        return self._signer is not None

    async def public_keys(self) -> list[dict[str, str]]:
        """Return the public keys of receipts, of former secrets as well."""
        keys = {one["_id"]: dict(one["key"]) for one in await self._keys.find().to_list()}
        if self._signer is not None:
            keys[self._signer.key_id] = self._signer.public
        return [keys[id_] for id_ in sorted(keys)]

    async def handle(self, delivery: Delivery) -> Outcome:
        """Handle one `erasure.done` or `account_erasure.done`.

        Done                     it is counted, now or by an earlier delivery
        Retry                    the database or the blob store is unavailable, or there is no key
        Reject unexpected_event  the queue holds something else
        """
        event = delivery.event
        if isinstance(event, AccountErasureDone) and self._accounts is not None:
            return await self._accounts.handle(delivery)
        if not isinstance(event, ErasureDone):
            return Reject("unexpected_event", event.tag)
        if self._signer is None:
            return Retry("ERASURE_SIGNING_KEY is not set")
        signer = self._signer
        try:
            with database_errors():
                order = await self._erased.find_one(_order(event))
                if order is None:
                    return Done()
                addresses = order["addresses"]
                await self._decisions.erase(event.account, event.person_id, addresses)
                # One that began meanwhile has what the timeline told before it erased.
                await self._reviews.forget(event.account)
                erasure = await self._known.one(event.account, event.erasure_id)
                if erasure is not None:
                    await remember(self._blobs, event.account, erasure)
                with pymongo.timeout(_SECONDS):
                    async with self._client.start_session() as session:
                        await session.with_transaction(lambda s: self._count(event, signer, s))
        except (DatabaseAway, BlobStoreAway) as away:
            return Retry(f"{type(away).__name__}: {away}")
        return Done()

    async def _count(self, event: ErasureDone, signer: Signer, session: AsyncClientSession) -> None:
        account, key = event.account, f"{event.account}/{event.erasure_id}"
        if not (await self._erased.delete_one(_order(event), session=session)).deleted_count:
            return
        counts = {f"erased.{name}": count for name, count in event.erased.model_dump().items()}
        which = of_id(account, key)
        await self._erasures.update_one(which, {"$inc": counts}, session=session)
        others = {"account": account, "_id": {"$gt": f"{key}/", "$lt": f"{key}0"}}
        if await self._erased.find_one(others, {"_id": 1}, session=session) is not None:
            return
        found = await self._erasures.find_one(which, session=session)
        if found is None:
            return
        now = as_stored(datetime.now(UTC))
        change = {"state": "done", "done_at": now, "receipt": signer.sign(_claims(found, now))}
        await self._erasures.update_one(which, {"$set": change}, session=session)
        public = {"$set": {"key": signer.public}}
        await self._keys.update_one({"_id": signer.key_id}, public, upsert=True, session=session)
        log.info("erasure done", erasure=event.erasure_id)


def _order(event: ErasureDone) -> Document:
    """Return the query for what the timeline was told about a person."""
    return of_id(event.account, f"{event.account}/{event.erasure_id}/{event.person_id}")


def _claims(found: Document, done_at: datetime) -> dict[str, object]:
    """Return what a receipt says."""
    return {
        "erasure": found["_id"].partition("/")[2],
        "account": found["account"],
        "kind": "person",
        "person_id": found["person_id"],
        "person_ids": found["person_ids"],
        "asked_by": found["asked_by"],
        "asked_at": found["asked_at"].isoformat(),
        "done_at": done_at.isoformat(),
        "erased": found["erased"],
    }


class Resuming(Periodic):
    """Goes on with erasures whose process died between two steps. Any number of replicas may."""

    def __init__(self, erasures: Erasures) -> None:
        super().__init__(_EVERY_SECONDS)
        self._erasures = erasures

    async def once(self) -> None:
        """Go on with them, unless the database is unavailable."""
        try:
            with database_errors():
                for account, one in await self._erasures.unfinished(datetime.now(UTC) - _ABANDONED):
                    await self._erasures.announce(account, one)
        except DatabaseAway as away:
            log.warning("erasures wait", why=str(away))
