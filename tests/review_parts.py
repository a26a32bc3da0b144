"""A matcher and a timeline that review, each on a database of its own, without a broker."""

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from services.matcher.decision.decide import Person
from services.matcher.decision.pending import PendingChange
from services.matcher.directory.people import person_of
from services.matcher.indexes import INDEXES
from services.matcher.reviews.handling import Handling
from services.matcher.reviews.job import Reviewing
from services.matcher.reviews.records import Review, Reviews, Tally
from services.matcher.reviews.redeciding import Redeciding
from services.matcher.reviews.scope import concerned
from services.timeline.admin.review_walks import ReviewWalking
from services.timeline.admin.reviews import Reviews as TimelineReviews
from shared.broker import Delivery, Publisher, PublishFailed
from shared.contracts.events import Event, Kind, MailAttached
from shared.contracts.outcomes import Done, Retry
from shared.contracts.topology import REVIEWS, uses
from shared.storage.database import connect
from tests.databases import empty_database
from tests.fakes import Recorder
from tests.matcher_parts import DOMAIN, received
from tests.matcher_parts import Replica as Matcher
from tests.timeline_parts import ACCOUNT, Timeline, a_timeline

SHORT = timedelta(milliseconds=20)


class Wire(Publisher):
    """What was published and not delivered yet."""

    def __init__(self) -> None:
        super().__init__("amqp://nowhere/", "fake", uses())
        self.waiting: deque[tuple[Event, bytes]] = deque()
        self.chance: random.Random | None = None
        """Of failing at times: before it was published, or after, as if who did it had died."""

    async def publish(self, event: Event, body: bytes = b"", *, after_live: bool = False) -> None:
        """Keep it; another may work meanwhile."""
        await asyncio.sleep(0)
        event.encode()
        fate = self.chance.random() if self.chance else 1.0
        if fate < 0.1:
            raise PublishFailed("not_connected", definite=True)
        self.waiting.append((event, body))
        if fate < 0.2:
            raise PublishFailed("timed_out")


class Both:
    """The two services."""

    def __init__(self, matcher: Matcher, recorder: Recorder, timeline: Timeline) -> None:
        self.matcher, self.recorder, self.timeline = matcher, recorder, timeline
        self.wire = Wire()
        self.reviews = Reviews(matcher.database)
        self.redeciding = Redeciding(matcher.knowledge, matcher.directory)
        self.handling = Handling(self.reviews, self.redeciding, DOMAIN)
        self.left: list[str] = []
        self.job = self.a_job()
        self.walking = self.a_walk()
        self.timeline_part = TimelineReviews(
            timeline.database, timeline.writer, timeline.blobs, self.wire
        )

    def a_job(self) -> Reviewing:
        """Return the matcher's part of another replica."""
        return Reviewing(
            self.reviews, self.redeciding, self._leave, self.wire, again=SHORT, batch=3
        )

    def a_walk(self) -> ReviewWalking:
        """Return the timeline's part of another replica."""
        timeline = self.timeline
        return ReviewWalking(timeline.database, timeline.blobs, self.wire, lease=SHORT, batch=3)

    async def _leave(self, _: str, people: Sequence[str]) -> None:
        self.left += people

    async def put(self, person_id: str, kind: Kind, *addresses: str) -> None:
        """Put a person into the directory."""
        await self.matcher.directory.put(ACCOUNT, a_person(person_id, kind, *addresses))

    async def capture(self, to: str, headers: str = "", text: str = "") -> MailAttached | None:
        """Let a mail arrive; return how it was attached, if it was."""
        delivery = await received(self.matcher, to, headers=headers)
        raw = delivery.body.replace(b"<1@x>", f"<{to}{headers}@x>".replace("\r\n", "").encode())
        delivery = Delivery(delivery.event, raw + text.encode(), redelivered=False)
        assert isinstance(await self.matcher.match(delivery), Done)
        event, body = self.recorder.published[-1]
        await self.timeline.handle(event, body)
        return event if isinstance(event, MailAttached) else None

    async def ask(
        self, person_id: str | None = None, change: PendingChange | None = None
    ) -> Review:
        """Ask for a review."""
        who = change.person_id if change else person_id
        people, addresses = await concerned(self.redeciding, ACCOUNT, who, change)
        return await self.reviews.begin(ACCOUNT, "admin", who, change, people, addresses)

    async def deliver(self, chance: random.Random | None = None) -> None:
        """Deliver all that waits; with a chance, in any order and some of it again."""
        while self.wire.waiting:
            if chance is not None:
                self.wire.waiting.rotate(chance.randrange(len(self.wire.waiting)))
            event, body = self.wire.waiting.popleft()
            to = self.timeline_part if event.tag in REVIEWS.keys else self.handling
            for again in range(1 + (chance is not None and chance.random() < 0.3)):
                delivery = Delivery(event, body, redelivered=bool(again))
                if isinstance(outcome := await to.handle(delivery), Retry) and chance:
                    self.wire.waiting.append((event, body))
                else:
                    assert isinstance(outcome, Done)

    async def turn(self, chance: random.Random | None = None) -> None:
        """Let each part work once."""
        await self.job.once()
        await self.deliver(chance)
        await self.walking.once()
        await self.deliver(chance)

    async def until(self, review: Review, state: str) -> Review:
        """Work until a review is in a state."""
        for _ in range(20):
            found = await self.reviews.one(ACCOUNT, review.id)
            assert found is not None
            if found.state == state:
                return found
            await self.turn()
        raise AssertionError(f"is not {state}")

    async def reviewed(
        self, person_id: str | None = None, change: PendingChange | None = None
    ) -> Review:
        """Return a review that is ready."""
        return await self.until(await self.ask(person_id, change), "ready")

    async def applied(self, review: Review) -> Tally:
        """Apply a review to the end."""
        await self.reviews.apply(review, "admin")
        return await self.reviews.tally(await self.until(review, "applied"))

    async def found(self, review: Review) -> list[tuple[str, str, str, str]]:
        """Return what a review says: outcome, profile, change and reason."""
        return sorted(
            (item["outcome"], one["person_id"], one["change"], one["reason"])
            for item in await self.reviews.items(review, 200, None)
            for one in item["profiles"]
        )

    async def on(self, person_id: str) -> int:
        """Return how many mails a profile has."""
        return len(await self.timeline.timeline(person_id))


def a_person(person_id: str, kind: Kind, *addresses: str) -> Person:
    """Return a person."""
    return person_of(person_id, kind, person_id, addresses)


@asynccontextmanager
async def both(mongodb_url: str, folder: Path) -> AsyncIterator[Both]:
    """Open both on empty databases, with a user and two candidates."""
    recorder = Recorder()
    async with (
        connect(mongodb_url, "test") as client,
        a_timeline(mongodb_url, folder / "timeline") as timeline,
        empty_database(client, mongodb_url, INDEXES) as database,
    ):
        parts = Both(Matcher(database, folder, recorder), recorder, timeline)
        await parts.put("u1", Kind.USER, "user@team.example")
        await parts.put("c1", Kind.CANDIDATE, "cand@mail.example", "c@x.example")
        await parts.put("c2", Kind.CANDIDATE, "second@mail.example")
        yield parts
