"""What the timeline says of a review: the facts of a capture, that all were sent, what was done."""

from dataclasses import dataclass

import structlog

from services.matcher.decision.decide import Dismiss
from services.matcher.decision.redecide import differences, matches_of, people_of
from services.matcher.reviews.facts import facts_of
from services.matcher.reviews.records import PENDING, SAME, TOO_LARGE, Review, Reviews
from services.matcher.reviews.redeciding import Redeciding
from shared.broker import Delivery
from shared.contracts.events import CaptureReviewed, ReviewSettled, ReviewWalked
from shared.contracts.outcomes import Done, Outcome, Reject, Retry
from shared.storage.database import DatabaseAway, Document, database_errors

_MAX_MATCHES_BYTES = 40 * 1024
"""What is decided again has to fit into one event, beside what it was."""
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Handling:
    """Handles the events; its fields are what it depends on."""

    reviews: Reviews
    redeciding: Redeciding
    capture_domain: str

    async def handle(self, delivery: Delivery) -> Outcome:
        """Handle one event of a review.

        Done                     it is noted; of a review that is no more, there is nothing to note
        Retry                    the database is unavailable
        Reject unexpected_event  the queue holds something else
        """
        event = delivery.event
        try:
            with database_errors():
                match event:
                    case CaptureReviewed():
                        await self._look(event, delivery.body)
                    case ReviewWalked():
                        await self.reviews.walked(event.account, event.review_id, event.captures)
                    case ReviewSettled():
                        fields = {"state": event.outcome}
                        await self.reviews.settle(
                            event.account, event.review_id, event.item, fields
                        )
                    case _:
                        return Reject("unexpected_event", event.tag)
        except DatabaseAway as away:
            return Retry(f"{type(away).__name__}: {away}")
        return Done()

    async def _look(self, event: CaptureReviewed, raw: bytes) -> None:
        review = await self.reviews.one(event.account, event.review_id)
        if review is None or review.state != "running":
            return
        if event.too_large:
            found: Document = {"state": TOO_LARGE}
        else:
            found = await self._found(review, event, raw)
        await self.reviews.look(review, event.capture.item, found)

    async def _found(self, review: Review, event: CaptureReviewed, raw: bytes) -> Document:
        """Decide about a capture again; return what is kept of that."""
        account = event.account
        facts = facts_of(event, raw, self.capture_domain)
        redecision = await self.redeciding.decide(
            account, event.capture.owner, facts, review.change
        )
        decision = redecision.decision
        now = matches_of(decision)
        if people_of(event.matches) == people_of(now):
            return {"state": SAME}
        size = sum(len(match.model_dump_json()) for match in (*now, *event.matches))
        if size > _MAX_MATCHES_BYTES:
            return {"state": TOO_LARGE}
        lost = people_of(event.matches)
        known = await self.redeciding.known(account, lost, redecision, review.change)
        return {
            "state": PENDING,
            "capture": event.capture.model_dump(mode="json"),
            "participants": [[*participant] for participant in redecision.participants],
            "was": [match.model_dump(mode="json") for match in event.matches],
            "pairs": sorted([match.person_id, match.address] for match in now),
            "outcome": "dismiss" if isinstance(decision, Dismiss) else "attach",
            "dismissal": decision.reason.value if isinstance(decision, Dismiss) else None,
            "profiles": [
                {"person_id": one.person_id, "change": one.change, "reason": one.reason}
                for one in differences(event.matches, decision, known)
            ],
        }
