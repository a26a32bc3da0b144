"""What there is to do for reviews: to ask the timeline, to say when one is ready, to apply it.

    running   review.requested is published -> all captures were looked at -> ready
    applying  the pending change is made -> each item is decided once more -> mail.redecided, or
              changed_meanwhile -> all are settled -> applied

Any number of replicas may run it. One that dies leaves what is done, and another goes on: all of it
may be repeated. What was sent and not answered is sent again after a while.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

import structlog

from services.matcher.decision.decide import Attach
from services.matcher.decision.redecide import matches_of, pairs_of
from services.matcher.reading.participants import Participant
from services.matcher.reviews.facts import Facts
from services.matcher.reviews.records import PENDING, SENT, Review, Reviews
from services.matcher.reviews.redeciding import Redeciding
from shared.broker import Publisher, PublishFailed
from shared.contracts.events import (
    Attachment,
    MailRedecided,
    Match,
    ReviewedCapture,
    Role,
    Source,
)
from shared.runtime.periodic import Periodic
from shared.storage.database import DatabaseAway, Document, database_errors
from shared.storage.moments import as_stored

_EVERY_SECONDS = 1.0
_BATCH = 32
_AGAIN = timedelta(minutes=10)
Leave = Callable[[str, Sequence[str]], Awaitable[None]]
"""Removes what only users have from people who are none any more."""
log = structlog.get_logger()


class Reviewing(Periodic):
    """Does it."""

    def __init__(
        self,
        reviews: Reviews,
        redeciding: Redeciding,
        leave: Leave,
        publisher: Publisher,
        *,
        every_seconds: float = _EVERY_SECONDS,
        again: timedelta = _AGAIN,
        batch: int = _BATCH,
    ) -> None:
        super().__init__(every_seconds)
        self._reviews, self._redeciding, self._leave = reviews, redeciding, leave
        self._publisher, self._again, self._batch = publisher, again, batch
        self._holder = secrets.token_hex(8)

    async def once(self) -> None:
        """Do what is there to do, unless a dependency is unavailable."""
        try:
            with database_errors():
                for review in await self._reviews.hold(self._holder):
                    await self._go_on(review)
        except (DatabaseAway, PublishFailed) as away:
            log.warning("review waits", why=f"{type(away).__name__}: {away}")

    async def _go_on(self, review: Review) -> None:
        if review.state == "applying":
            await self._apply(review)
        elif not review.is_requested:
            await self._publisher.publish(review.request)
            await self._reviews.change(review, "running", {"requested": True})
        elif review.captures is not None and await self._reviews.count(review) >= review.captures:
            ready = {"state": "ready", "active": False, "ready_at": _now()}
            await self._reviews.change(review, "running", ready)
            log.info("review ready", review=review.id, captures=review.captures)

    async def _apply(self, review: Review) -> None:
        if review.change is not None and not review.is_change_made:
            await self._make_change(review)
        unanswered_since = _now() - self._again
        while items := await self._reviews.unsettled(review, self._batch, unanswered_since):
            if not await self._reviews.keep(review, self._holder):
                return
            await asyncio.gather(*(self._apply_one(review, item) for item in items))
        if await self._reviews.count(review, PENDING, SENT) == 0:
            applied = {"state": "applied", "active": False, "done_at": _now()}
            await self._reviews.change(review, "applying", applied)
            log.info("review applied", review=review.id)

    async def _make_change(self, review: Review) -> None:
        """Make the change that was reviewed, as the directory's own routes do."""
        change, directory = review.change, self._redeciding.directory
        assert change is not None  # noqa: S101 - the caller has looked
        if change.person is None:
            await directory.delete(review.account, change.person_id)
        else:
            await directory.put(review.account, change.person)
        if change.person is None or change.person.kind.value != "user":
            await self._leave(review.account, [change.person_id])
        await self._reviews.change(review, "applying", {"change_made": True})

    async def _apply_one(self, review: Review, item: Document) -> None:
        """Decide about a capture once more, and let the timeline change it if that is the same."""
        capture = ReviewedCapture.model_validate(item["capture"])
        named = (Participant(a, Role(r), Source(s)) for a, r, s in item["participants"])
        redecision = await self._redeciding.decide(
            review.account, capture.owner, Facts(tuple(named)), None
        )
        decision = redecision.decision
        matches = matches_of(decision)
        settle = (review.account, review.id, capture.item)
        if pairs_of(matches) != {(who, address) for who, address in item["pairs"]}:
            await self._reviews.settle(*settle, {"state": "changed_meanwhile"})
            return
        decided_at = item.get("decided_at") or _now()
        if "decided_at" not in item:  # the same each time that it is sent
            await self._reviews.settle(*settle, {"decided_at": decided_at})
        was = (Match.model_validate(one) for one in item["was"])
        event = MailRedecided(
            account=review.account,
            review_id=review.id,
            capture=capture,
            was=tuple(Attachment(person_id=one.person_id, address=one.address) for one in was),
            matches=matches,
            direction=decision.direction if isinstance(decision, Attach) else None,
            decided_at=decided_at,
            by=review.applied_by or "",
        )
        await self._publisher.publish(event)
        await self._reviews.settle(*settle, {"state": SENT, "sent_at": _now()}, PENDING, SENT)


def _now() -> datetime:
    return as_stored(datetime.now(UTC))
