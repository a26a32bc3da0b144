"""What the matcher asks for in a review: the facts of captures, and the change of them.

review.requested -> a walk is noted (`review_walks.py` does it)
mail.redecided   -> the writer -> review.settled
"""

from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

import structlog

from services.timeline.admin.kept_bytes import KeptBytes
from services.timeline.write.erased_accounts import ErasedAccounts
from services.timeline.write.identity import hashed_id
from services.timeline.write.projection import kept_match
from services.timeline.write.requests import Redecide
from services.timeline.write.side_records import RUNNING, ReviewWalk
from services.timeline.write.stored import to_document
from services.timeline.write.writer import Writer
from shared.broker import Delivery, Publisher, PublishFailed
from shared.contracts.capture_id import moment_of
from shared.contracts.events import MailRedecided, ReviewRequested, ReviewSettled
from shared.contracts.outcomes import Done, Outcome, Reject, Retry
from shared.storage.blobs import Blobs, BlobStoreAway
from shared.storage.database import Database, DatabaseAway, database_errors, of_id
from shared.storage.moments import as_stored

_TRIES = 10
"""For bytes that others change meanwhile."""
log = structlog.get_logger()


class Reviews:
    """Handles what the matcher asks for."""

    def __init__(
        self,
        database: Database,
        writer: Writer,
        blobs: Blobs,
        publisher: Publisher,
        erased: ErasedAccounts | None = None,
    ) -> None:
        self._erased = erased or ErasedAccounts(database)
        self._walks, self._writer = database[ReviewWalk.collection], writer
        self._kept, self._publisher = KeptBytes(database, blobs), publisher

    async def handle(self, delivery: Delivery) -> Outcome:
        """Handle one event of a review.

        Done                     the walk is noted, or the change is made and told; or the account
                                 was erased since
        Retry                    the database, the blob store or the broker is unavailable
        Reject unexpected_event  the queue holds something else
        """
        event = delivery.event
        try:
            with database_errors():
                if isinstance(event, ReviewRequested | MailRedecided) and (
                    await self._erased.drops(event.account, moment_of(UUID(event.review_id)))
                ):
                    return Done()
                if isinstance(event, ReviewRequested):
                    await self._note(event)
                elif isinstance(event, MailRedecided):
                    await self._publisher.publish(await self._settled(event))
                else:
                    return Reject("unexpected_event", event.tag)
        except (DatabaseAway, BlobStoreAway, PublishFailed) as away:
            return Retry(f"{type(away).__name__}: {away}")
        return Done()

    async def _note(self, event: ReviewRequested) -> None:
        walk = ReviewWalk(
            id=event.review_id,
            account=event.account,
            people=event.people,
            addresses=event.addresses,
            at=as_stored(datetime.now(UTC)),
            state=RUNNING,
        )
        new = {"$setOnInsert": to_document(walk)}
        await self._walks.update_one(of_id(event.account, event.review_id), new, upsert=True)

    async def _settled(self, event: MailRedecided) -> ReviewSettled:
        """Make the change, unless the capture has changed since it was reviewed."""
        told: Literal["applied", "changed_meanwhile", "failed"] = "applied"
        try:
            if await self._redecided(event) == "overtaken":
                told = "changed_meanwhile"
        except (DatabaseAway, BlobStoreAway):
            raise
        except Exception as error:  # it never will be: counted, and the others go on
            log.error("not redecided", error=type(error).__name__)
            told = "failed"
        return ReviewSettled(
            account=event.account,
            review_id=event.review_id,
            item=event.capture.item,
            outcome=told,
        )

    async def _redecided(self, event: MailRedecided) -> str:
        account, of = event.account, event.capture
        line_id = hashed_id("redecided", event.review_id, of.item)
        for _ in range(_TRIES):
            mail = None if event.matches else await self._kept.mail(account, of.mail_id)
            others = {c.content for c in mail.captures if c.owner != of.owner} if mail else set()
            keys = others & {of.content}
            request = Redecide(
                account=account,
                mail_id=of.mail_id,
                owner=of.owner,
                content=of.content,
                was=frozenset((one.person_id, one.address) for one in event.was),
                matches=tuple(kept_match(match, of.owner) for match in event.matches),
                direction=event.direction.value if event.direction else None,
                decided_at=as_stored(event.decided_at),
                who=event.by,
                line_id=line_id,
                prepared=await self._kept.without(of.owner, mail, keys, line_id) if mail else {},
            )
            answer = await self._writer.submit(request)
            if answer.outcome != "unprepared":
                return answer.outcome
        raise DatabaseAway("the bytes of the mail change all the time")
