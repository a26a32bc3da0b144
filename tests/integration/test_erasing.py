"""People who are erased, with a real database, live mail, and replicas that die."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from services.timeline.admin.dead_letters.content import Content as LetterContent
from services.timeline.admin.dead_letters.records import Records
from services.timeline.admin.dead_letters.replay import Replay
from services.timeline.admin.erased_letters import ErasedLetters
from services.timeline.admin.erasing import Erasing
from services.timeline.admin.erasure_orders import ErasureOrders, job_of
from services.timeline.admin.reprocess import Reprocess
from services.timeline.query.audit_log import AuditLog
from services.timeline.query.mail_changes import MailChanges
from services.timeline.query.viewer import Viewer
from services.timeline.write.erased_records import ErasureJob
from services.timeline.write.stored import from_document
from services.timeline.write.writer import Writer
from shared.broker import Delivery, PublishFailed
from shared.contracts.events import (
    AuthenticationVerdict,
    ErasureDone,
    Event,
    MailAttached,
    PersonErased,
    Role,
)
from shared.contracts.known_addresses import address_hash, name_hash
from shared.contracts.outcomes import Done
from shared.storage.database import Database, connect, of_id
from tests.deadline import DEADLINE
from tests.marks import in_full
from tests.ruling_parts import ALL, LARGE, everything, found
from tests.timeline_parts import ACCOUNT, Timeline, a_timeline, attached, mail, match

SHORT = timedelta(milliseconds=20)
JANE, MAX = "jane@unique.example", "max@mail.example"
TO_JANE, TO_BOTH = f"Jane Uniqueroe <{JANE}>", f"Jane Uniqueroe <{JANE}>, Max <{MAX}>"
AS_JANE, AS_MAX = match("c1", JANE), match("c2", MAX)
WORDS = ("unique", "Unique", "uniqueroe", "secret")


class Broker:
    """Remembers what was published."""

    def __init__(self) -> None:
        self.published: list[Event] = []

    async def publish(self, event: Event, body: bytes = b"") -> None:
        self.published.append(event)


class Replica:
    """A timeline of its own, as far as it erases."""

    def __init__(self, url: str, timeline: Timeline, broker: Broker) -> None:
        self.client = connect(url, "test")
        database = self.client[timeline.database.name]
        self.writer = Writer(self.client, database, timeline.blobs)
        self.part = erasing(
            timeline, broker, database=database, writer=self.writer, every_seconds=0.01
        )
        self.run = asyncio.create_task(self.part.run())

    async def kill(self) -> None:
        """Let it die where it is: nothing is finished, and its lease stays."""
        left = {self.run, *self.writer._tasks}
        while left:
            for task in left:
                task.cancel()
            _, left = await asyncio.wait(left, timeout=0.05)
        await self.client.close()

    async def end(self) -> None:
        self.part.stop()
        await self.run
        await self.writer.close()
        await self.client.close()


def erasing(
    timeline: Timeline,
    broker: Broker,
    *,
    database: Database | None = None,
    writer: Writer | None = None,
    every_seconds: float = 1,
) -> Erasing:
    database = timeline.database if database is None else database
    records = Records(database)
    replay = Replay(records, LetterContent(timeline.blobs), broker)  # type: ignore[arg-type] # a fake
    return Erasing(
        database,
        writer or timeline.writer,
        timeline.blobs,
        ErasedLetters(records, replay),
        broker,  # type: ignore[arg-type] # a fake
        every_seconds=every_seconds,
        lease=SHORT,
        batch=2,
    )


@pytest.fixture
async def timeline(mongodb_url: str, tmp_path: Path) -> AsyncIterator[Timeline]:
    async with a_timeline(mongodb_url, tmp_path) as timeline:
        yield timeline


def jane(person_id: str = "c1", address: str = JANE, account: str = ACCOUNT) -> PersonErased:
    now = datetime.now(UTC)
    named = name_hash(account, person_id, "Jane Uniqueroe")
    assert named is not None
    return PersonErased(
        account=account,
        erasure_id=uuid4().hex,
        person_id=person_id,
        asked_by="u1",
        asked_at=now,
        erased_at=now,
        addresses=(address_hash(account, person_id, address),),
        names=(named,),
    )


async def order(timeline: Timeline, event: PersonErased) -> None:
    orders = ErasureOrders(timeline.client, timeline.database)
    assert await orders.handle(Delivery(event, b"", redelivered=False)) == Done()


async def now(timeline: Timeline, event: PersonErased) -> ErasureJob:
    document = await timeline.database.erasures.find_one(of_id(ACCOUNT, job_of(event).id))
    assert document is not None
    return from_document(ErasureJob, document)


async def erased(timeline: Timeline, event: PersonErased | None = None) -> ErasureDone:
    event, broker = event or jane(), Broker()
    await order(timeline, event)
    await erasing(timeline, broker).once()
    [done] = broker.published
    assert isinstance(done, ErasureDone)
    return done


async def written(timeline: Timeline, count: int = 8) -> list[tuple[MailAttached, bytes]]:
    """Write mails of Jane, of both, of Max with Jane in Cc, and of Max alone; some are large."""
    events = []
    for n in range(count):
        size = LARGE * 9 if n % 5 == 4 else 1
        text = "secret " * size if n % 4 == 0 else "Both may read it. " * size
        to = (TO_JANE, TO_BOTH, TO_BOTH, f"Max <{MAX}>")[n % 4]
        matches = ([AS_JANE], [AS_JANE, AS_MAX], [AS_MAX], [AS_MAX])[n % 4]
        raw = mail(f"Subject{n}", message_id=f"{n}@x", to=to, text=text)
        events.append((attached(*matches), raw))
        if n % 3 == 0:
            events.append((attached(*matches, owner="u2"), raw))
    for event, raw in events:
        await timeline.handle(event, raw)
    return events


async def left_of_jane(timeline: Timeline) -> list[str]:
    text = await everything(timeline)
    return [word for word in WORDS if word in text]


async def test_nothing_of_a_person_is_left_and_others_keep_their_mail(timeline: Timeline) -> None:
    await written(timeline)
    await timeline.index_terms()
    done = await erased(timeline)
    assert (done.erased.mails_deleted, done.erased.mails_redacted) == (2, 4)
    assert done.erased.failed == 0
    assert await left_of_jane(timeline) == []
    assert len(await timeline.timeline("c2")) == 6
    assert await timeline.timeline("c1") == []
    assert await found(timeline, "both", ALL) == 6
    assert await found(timeline, "uniqueroe", ALL) == 0
    for shown in await timeline.timeline("c2"):
        raw = await timeline.raw(shown.content)
        assert MAX.encode() in raw
        assert b"Message-ID" in raw
    [line] = (await AuditLog(timeline.database).page(ACCOUNT, 5, None)).items
    assert (line.who, line.what, line.kind, line.profile) == ("u1", "erased", "person", "c1")


async def test_who_keeps_a_copy_is_told_what_was_deleted(timeline: Timeline) -> None:
    await written(timeline, 4)
    changes = MailChanges(timeline.database, timeline.mails)
    viewer = Viewer(ACCOUNT, "", sees_all=True)
    before = await changes.page(viewer, 200, None, None)
    await erased(timeline)
    after = await changes.page(viewer, 200, before.cursor, None)
    assert (len(after.items), len(after.deleted)) == (2, 1)


async def test_an_order_that_comes_twice_is_one(timeline: Timeline) -> None:
    await written(timeline, 4)
    event = jane()
    await erased(timeline, event)
    await order(timeline, event)
    broker = Broker()
    await erasing(timeline, broker).once()
    assert broker.published == []
    assert await timeline.database.audit_log.count_documents({}) == 1


async def test_while_the_matcher_cannot_be_told_nothing_is_looked_at_again(
    timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unroutable(Broker):
        async def publish(self, event: Event, body: bytes = b"") -> None:
            raise PublishFailed("unroutable", definite=True)

    await written(timeline, 4)
    event, broker = jane(), Broker()
    await order(timeline, event)
    await erasing(timeline, Unroutable()).once()
    assert (await now(timeline, event)).state == "running"
    part = erasing(timeline, broker)
    monkeypatch.delattr(part, "_concerned")
    await part.once()
    [done] = broker.published
    assert isinstance(done, ErasureDone)
    assert (done.erased.mails_deleted, done.erased.mails_redacted) == (1, 2)
    assert (await now(timeline, event)).state == "done"


async def test_reprocessing_brings_nothing_back(timeline: Timeline) -> None:
    await written(timeline, 4)
    to_user = f"Max <{MAX}>"
    from_jane = mail("S", message_id="j@x", sender=TO_JANE, to=to_user)
    without_id = mail("T", message_id=None, sender=TO_JANE, to=to_user)
    for raw in (from_jane, without_id):
        await timeline.handle(attached(AS_JANE, AS_MAX), raw)
    await erased(timeline)
    ids = {shown.mail.id for shown in await timeline.timeline("c2")}
    chore = Reprocess(timeline.writer, timeline.database, timeline.blobs)
    _, _, tally = await chore.begin(include_current=True)
    assert await chore.run(asyncio.Event(), lambda _: None, tally)
    assert {*tally} == {"unchanged"}
    assert await left_of_jane(timeline) == []
    assert {shown.mail.id for shown in await timeline.timeline("c2")} == ids


async def test_what_waits_for_a_yes_is_shown_without_the_person(timeline: Timeline) -> None:
    await timeline.settings.set_quarantine(ACCOUNT, "failed")
    failed = AuthenticationVerdict.FAILED
    await timeline.handle(attached(AS_JANE, verdict=failed), mail(to=TO_JANE, text="secret"))
    both = attached(AS_JANE, AS_MAX, verdict=failed)
    await timeline.handle(both, mail("Both", message_id="2@x", to=TO_BOTH))
    done = await erased(timeline)
    assert done.erased.quarantined == 2
    [waiting] = (await timeline.quarantine.page(ALL, 10, None)).items
    held = await timeline.quarantine.one(ALL, waiting.id)
    assert held is not None
    await timeline.release.release(held)
    assert await left_of_jane(timeline) == []
    assert len(await timeline.timeline("c2")) == 1


async def test_a_batch_that_did_not_know_of_it_is_repeated(
    timeline: Timeline, mongodb_url: str
) -> None:
    reached, go_on = asyncio.Event(), asyncio.Event()

    class Paused(Writer):
        async def _store(self, blobs: Mapping[str, bytes], stored: set[str]) -> None:
            """Pause between what was read and what is written."""
            reached.set()
            await go_on.wait()
            await super()._store(blobs, stored)

    async with connect(mongodb_url, "test") as client:
        writer = Paused(client, client[timeline.database.name], timeline.blobs)
        parts = (timeline.blobs, timeline.settings, timeline.erased)
        timeline.projector = type(timeline.projector)(writer, *parts)
        handling = asyncio.create_task(timeline.handle(attached(AS_JANE), mail(to=TO_JANE)))
        await asyncio.wait_for(reached.wait(), DEADLINE)
        await erased(timeline)
        go_on.set()
        await asyncio.wait_for(handling, DEADLINE)
        await writer.close()
    assert await left_of_jane(timeline) == []
    assert await timeline.tally() == {"attached": 0, "forgotten": 1}


async def test_several_people_are_erased_one_after_the_other(timeline: Timeline) -> None:
    await written(timeline, 4)
    first, second, broker = jane(), jane("c2", MAX), Broker()
    for event in (first, second):
        await order(timeline, event)
    await erasing(timeline, broker).once()
    assert len(broker.published) == 2
    text = await everything(timeline)
    assert [word for word in (*WORDS, "max@", "Subject") if word in text] == []


async def test_the_same_person_of_another_account_keeps_everything(timeline: Timeline) -> None:
    await timeline.handle(attached(AS_JANE, account="globex"), mail(to=TO_JANE))
    await erased(timeline)
    assert len(await timeline.database.contents.find({"account": "globex"}).to_list()) == 1


async def test_who_is_known_by_bcc_alone_goes_from_the_owner_who_knew(timeline: Timeline) -> None:
    by_bcc = match("c1", JANE, Role.BCC)
    await timeline.handle(attached(AS_MAX, by_bcc), mail(to=f"Max <{MAX}>", bcc=TO_JANE))
    await timeline.handle(attached(AS_MAX, owner="u2"), mail(to=f"Max <{MAX}>"))
    await erased(timeline)
    assert await left_of_jane(timeline) == []
    assert len(await timeline.timeline("c2")) == 1


@pytest.mark.parametrize("seed", [0, *in_full(1, 2)])
async def test_replicas_race_and_die_beside_live_mail_and_nothing_is_left(
    mongodb_url: str, timeline: Timeline, seed: int
) -> None:
    chance, broker, event = random.Random(seed), Broker(), jane()
    events = await written(timeline, 32)
    await order(timeline, event)
    replicas = [Replica(mongodb_url, timeline, broker) for _ in range(2)]
    killed = late = 0
    for count in range(2, 20, 3):
        async with asyncio.timeout(DEADLINE):
            while (job := await now(timeline, event)).deleted + job.redacted < count:
                if job.state == "done":
                    break
                await asyncio.sleep(chance.random() / 100)
        killed += job.state == "running"
        await replicas.pop(chance.randrange(2)).kill()
        replicas.append(Replica(mongodb_url, timeline, broker))
        again, raw = chance.choice(events)
        await timeline.projector.handle(Delivery(again, raw, redelivered=True))
        late += 1
        new = attached(AS_JANE, AS_MAX)
        await timeline.handle(new, mail("Late", message_id=f"late{late}@x", to=TO_BOTH))
    async with asyncio.timeout(DEADLINE):
        while (job := await now(timeline, event)).state != "done":
            await asyncio.sleep(0.01)
    for replica in replicas:
        await replica.end()
    assert killed > 1
    assert (job.deleted, job.redacted, job.failed) == (8, 16, 0)
    assert {done.erased.mails_deleted for done in broker.published if isinstance(done, ErasureDone)}
    for again, raw in events:
        await timeline.projector.handle(Delivery(again, raw, redelivered=True))
    assert await left_of_jane(timeline) == []
    assert len(await timeline.timeline("c2")) == 24 + late
    assert (await timeline.tally())["attached"] == len(events) + late
