"""Walks: the facts of the captures that a review concerns are sent to the matcher.

    a walk -> a replica takes the account's lease -> in batches: the mails of each user, their
    captures -> review.capture, one for each -> review.walked

* A walk goes through the rows that list mails for their owners: one range of one index, led by the
  account. Its position is kept after each batch, so a replica that takes over goes on there. What
  it repeats has the same names, and the matcher counts it once.
* Nothing is written but the position. Mail that arrives meanwhile is decided by the directory of
  today, and need not be met.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

import structlog
from pymongo import ASCENDING, IndexModel

from services.timeline.admin.review_facts import fact_of, is_concerned, length_of, needed_of
from services.timeline.query.parts import fields_of, records_of
from services.timeline.query.raw_bytes import RawBytes
from services.timeline.write.listed_records import MailRow
from services.timeline.write.mail_rows import content_id
from services.timeline.write.records import Capture, ListedContent, Mail
from services.timeline.write.side_records import DONE, RUNNING, ReviewWalk
from services.timeline.write.stored import from_document
from shared.broker import Publisher, PublishFailed
from shared.contracts.events import CaptureReviewed, ReviewWalked
from shared.runtime.periodic import Periodic
from shared.storage.blobs import BlobMissing, Blobs, BlobStoreAway
from shared.storage.database import (
    BY_ID,
    Database,
    DatabaseAway,
    Document,
    Index,
    database_errors,
    of_id,
    of_ids,
)
from shared.storage.lease import AccountLeases

WALKS_KEPT = timedelta(days=7)
INDEXES = (
    # ReviewWalking.work: of each account the oldest first
    Index(
        ReviewWalk.collection,
        IndexModel(
            [("account", ASCENDING), ("at", ASCENDING)],
            name="running",
            partialFilterExpression={"state": RUNNING},
        ),
    ),
    Index(
        ReviewWalk.collection,
        IndexModel(
            [("at", ASCENDING)],
            name="expire",
            expireAfterSeconds=int(WALKS_KEPT.total_seconds()),
        ),
    ),
)
_EVERY_SECONDS = 1.0
_BATCH = 32
_LEASE = timedelta(seconds=30)
log = structlog.get_logger()


class ReviewWalking(Periodic):
    """Sends the facts of captures. Any number of replicas may run it."""

    def __init__(
        self,
        database: Database,
        blobs: Blobs,
        publisher: Publisher,
        *,
        every_seconds: float = _EVERY_SECONDS,
        lease: timedelta = _LEASE,
        batch: int = _BATCH,
    ) -> None:
        super().__init__(every_seconds)
        self._walks = database[ReviewWalk.collection]
        self._leases = AccountLeases(database, "review_leases", lease)
        self._rows, self._mails = database[MailRow.collection], database[Mail.collection]
        self._contents = database[ListedContent.collection]
        self._bytes, self._publisher = RawBytes(database, blobs), publisher
        self._batch = batch

    async def once(self) -> None:
        """Do what is there to do, unless a dependency is unavailable."""
        try:
            with database_errors():
                await self.work()
        except (DatabaseAway, BlobStoreAway, PublishFailed) as away:
            log.warning("review walk waits", why=f"{type(away).__name__}: {away}")

    async def work(self) -> None:
        """Go on with the walks of all accounts whose lease this replica gets."""
        found = self._walks.find({"state": RUNNING}).hint("running")
        for walk in await records_of(ReviewWalk, found.sort("at", ASCENDING).limit(200)):
            if await self._leases.held(walk.account) and not await self._walk(walk):
                return
            await self._leases.release(walk.account)

    async def _walk(self, walk: ReviewWalk) -> bool:
        """Send all that there is to send; return False when the lease is another's now."""
        which = of_id(walk.account, walk.id)
        while True:
            if not await self._leases.held(walk.account):
                return False
            known = await self._walks.find_one({**which, "state": RUNNING})
            if known is None:
                return True
            walk = from_document(ReviewWalk, known)
            rows = await self._next(walk)
            if not rows:
                break
            facts = await self._facts(walk, rows)
            await asyncio.gather(*(self._publisher.publish(fact, raw) for fact, raw in facts))
            # Another that went on meanwhile, after a lease was lost, has counted them.
            as_before = {**which, "state": RUNNING, **_position(walk)}
            change = {"$set": {"position": rows[-1][0]}, "$inc": {"captures": len(facts)}}
            await self._walks.update_one(as_before, change)
        walked = ReviewWalked(account=walk.account, review_id=walk.id, captures=walk.captures)
        await self._publisher.publish(walked)
        gone = {"people": "", "addresses": ""}  # nothing needs them any longer
        await self._walks.update_one(which, {"$set": {"state": DONE}, "$unset": gone})
        log.info("review walked", review=walk.id, captures=walk.captures)
        return True

    async def _next(self, walk: ReviewWalk) -> list[tuple[str, str, str]]:
        """Return the next rows that list a mail for its owner: id, mail and owner.

        No person's id begins like the names of the other audiences, which come before.
        """
        beyond = {"$gt": walk.position} if walk.position else {"$gte": f"{walk.account}/+"}
        which = {"account": walk.account, "_id": {**beyond, "$lt": f"{walk.account}0"}}
        found = self._rows.find(which, {"mail_id": 1, "viewer": 1}).hint(BY_ID)
        rows = await found.sort("_id", ASCENDING).limit(self._batch).to_list()
        return [(row["_id"], row["mail_id"], row["viewer"]) for row in rows]

    async def _facts(
        self, walk: ReviewWalk, rows: Sequence[tuple[str, str, str]]
    ) -> list[tuple[CaptureReviewed, bytes]]:
        """Return what is sent of the mails of these rows, each with the beginning of the mail."""
        mails = await self._loaded([mail_id for _, mail_id, _ in rows], walk.account)
        met = [
            (mail, capture)
            for _, mail_id, owner in rows
            if (mail := mails.get(mail_id)) is not None
            for capture in mail.captures
            if capture.owner == owner
        ]
        ids = {content_id(mail.id, capture.content) for mail, capture in met}
        found = self._contents.find(of_ids(walk.account, sorted(ids)), fields_of(ListedContent))
        contents = {one.id: one for one in await records_of(ListedContent, found)}
        concerned = [*_concerned(walk, met, contents)]
        raws = await asyncio.gather(*(self._beginning(c, content) for _, c, content in concerned))
        return [
            (fact_of(walk.id, mail, capture, content), raw)
            for (mail, capture, content), raw in zip(concerned, raws, strict=True)
        ]

    async def _loaded(self, ids: Sequence[str], account: str) -> dict[str, Mail]:
        found = await records_of(Mail, self._mails.find(of_ids(account, sorted({*ids}))))
        return {mail.id: mail for mail in found}

    async def _beginning(self, capture: Capture, content: ListedContent) -> bytes:
        """Return as much of a mail as its decision needs; nothing where its bytes are lost."""
        length = length_of(capture, content)
        try:
            raw = await self._bytes.beginning(content.account, content.raw_key, length)
        except BlobMissing:
            return b""
        return needed_of(raw, capture, content)


def _concerned(
    walk: ReviewWalk,
    met: Sequence[tuple[Mail, Capture]],
    contents: Mapping[str, ListedContent],
) -> Iterator[tuple[Mail, Capture, ListedContent]]:
    people = None if walk.people is None else frozenset(walk.people)
    addresses = frozenset(walk.addresses)
    for mail, capture in met:
        content = contents.get(content_id(mail.id, capture.content))
        if content is not None and is_concerned(capture, content, people, addresses):
            yield mail, capture, content


def _position(walk: ReviewWalk) -> Document:
    return {"position": walk.position} if walk.position else {"position": {"$exists": False}}
