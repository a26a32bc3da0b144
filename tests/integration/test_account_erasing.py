"""An account is erased from the timeline, through crashes, late events and a paused replica."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from services.timeline.admin.account_erasing import AccountErasing, AccountErasureOrders
from services.timeline.admin.dead_letters.content import Content
from services.timeline.admin.dead_letters.keeper import Keeper
from services.timeline.admin.dead_letters.records import Records
from services.timeline.write.consumer import Projector
from services.timeline.write.erased_accounts import ErasedAccounts, hash_of
from services.timeline.write.people import People
from shared.broker import DeadLetter, Delivery
from shared.contracts.capture_address import account_tag
from shared.contracts.events import (
    AccountErased,
    AccountErasureDone,
    Event,
    Kind,
    MailAttached,
    PersonChanged,
)
from shared.contracts.outcomes import Done
from shared.storage.account_documents import AccountDocuments
from shared.storage.database import Document
from tests.deadline import DEADLINE
from tests.fakes import Crash, Recorder, RecordingPublisher
from tests.timeline_parts import ACCOUNT, NOW, Timeline, a_timeline, attached, mail

OTHER = "another"
LARGE = "filler of a large mail\r\n" * 4000
"""More than is kept in the database."""
ERASURE = "a" * 32


@pytest.fixture
async def timeline(mongodb_url: str, tmp_path: Path) -> AsyncIterator[Timeline]:
    async with a_timeline(mongodb_url, tmp_path) as timeline:
        yield timeline


class Erasing:
    """A replica that erases accounts."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline, self.recorder = timeline, Recorder()
        self.erased = ErasedAccounts(timeline.database)
        self.orders = AccountErasureOrders(timeline.client, timeline.database, self.erased)
        self.job = AccountErasing(
            timeline.client,
            timeline.database,
            timeline.blobs,
            Content(timeline.blobs),
            self.erased,
            RecordingPublisher(self.recorder),
            lease=timedelta(0),
        )

    @property
    def told(self) -> list[Event]:
        return [event for event, _ in self.recorder.published]


def order(*, settled: bool = True, erased_at: datetime = NOW) -> AccountErased:
    now = datetime.now(UTC)
    return AccountErased(
        account=ACCOUNT,
        erasure_id=ERASURE,
        erased_at=erased_at,
        settled_at=now - timedelta(1) if settled else now + timedelta(1),
    )


async def asked(erasing: Erasing, *, settled: bool = True) -> None:
    event = order(settled=settled)
    assert await erasing.orders.handle(Delivery(event, b"", redelivered=False)) == Done()


async def fill(timeline: Timeline) -> None:
    for number, account in enumerate((ACCOUNT, ACCOUNT, OTHER)):
        text = LARGE if number else "Short."
        raw = mail(f"Mail {number}", message_id=f"{number}@{account}", text=text)
        assert await timeline.handle(attached(account=account), raw) == Done()


async def everything(timeline: Timeline, word: str) -> dict[str, list[Document]]:
    """Return what there is of an account, by collection."""
    found: dict[str, list[Document]] = {}
    for name in await timeline.database.list_collection_names():
        documents = await timeline.database[name].find().to_list()
        if of := [one for one in documents if word in str(one)]:
            found[name] = of
    return found


def blobs(timeline: Timeline, word: str) -> list[Path]:
    paths = timeline.folder.rglob("*")
    return [path for path in paths if word in str(path.relative_to(timeline.folder))]


async def test_all_that_there_is_goes_in_two_passes_and_another_account_stays(
    timeline: Timeline,
) -> None:
    await fill(timeline)
    other = await everything(timeline, OTHER)
    assert blobs(timeline, ACCOUNT)
    erasing = Erasing(timeline)
    await asked(erasing, settled=False)
    await erasing.job.work()
    left = await everything(timeline, ACCOUNT)
    assert left.keys() == {"account_erasures", "changes"}
    assert [one["viewer"] for one in left["changes"]] == ["**"]
    assert blobs(timeline, ACCOUNT) == []
    await erasing.job.work()
    assert erasing.told == []

    # What a batch writes that began before, the second pass finds.
    stale = Projector(timeline.writer, timeline.blobs, timeline.settings, Forgetful(timeline))
    await stale.handle(Delivery(attached(), mail(message_id="late@x"), redelivered=False))
    assert "mails" in await everything(timeline, ACCOUNT)
    past = {"$set": {"settled_at": NOW}}
    await timeline.database.account_erasures.update_one({}, past)
    await erasing.job.work()
    assert await everything(timeline, ACCOUNT) == {}
    [done] = erasing.told
    assert isinstance(done, AccountErasureDone)
    assert done.erased.mails == 3
    assert await everything(timeline, OTHER) == other
    assert await erasing.orders.handle(Delivery(order(), b"", redelivered=True)) == Done()
    await erasing.job.work()
    assert len(erasing.told) == 1


class Forgetful(ErasedAccounts):
    """A replica's list that is a moment old."""

    def __init__(self, timeline: Timeline) -> None:
        super().__init__(timeline.database)

    async def drops(self, account: str, moment: datetime | None) -> bool:
        """Return that nothing was erased."""
        return False


async def test_what_comes_late_is_dropped_and_what_is_new_is_written(timeline: Timeline) -> None:
    people = People(timeline.database)
    keeper = Keeper(
        Records(timeline.database),
        Content(timeline.blobs),
        timedelta(days=1),
        ErasedAccounts(timeline.database),
    )

    def person(told_at: datetime | None, version: int = 7) -> PersonChanged:
        return PersonChanged(
            account=ACCOUNT,
            person_id="c1",
            version=version,
            kind=Kind.CANDIDATE,
            name="Jane Unique",
            addresses=("cand@mail.example",),
            told_at=told_at,
        )

    async def tell(event: PersonChanged) -> bool:
        assert await people.handle(Delivery(event, b"", redelivered=False)) == Done()
        return await timeline.database.people.find_one({"account": ACCOUNT}) is not None

    async def letter(event: MailAttached) -> int:
        dead = DeadLetter(
            event.tag,
            event.encode(),
            b"Unique",
            event.tag,
            "timeline.outcomes.v1",
            "x",
            "",
            0,
            None,
        )
        assert await keeper.handle(dead) == Done()
        return await timeline.database.dead_letters.count_documents({})

    erasing = Erasing(timeline)
    await asked(erasing, settled=False)
    new = attached(minutes=1)
    assert await timeline.handle(new, mail()) == Done()  # while it runs nothing is written
    assert not await tell(person(NOW + timedelta(minutes=1)))
    assert await letter(new) == 0
    assert await timeline.database.mails.count_documents({}) == 0

    await timeline.database.account_erasures.update_one({}, {"$set": {"settled_at": NOW}})
    await erasing.job.work()
    late = attached(claim=True)
    assert late.blob_key is not None
    await timeline.blobs.put(late.blob_key, mail())
    assert await timeline.handle(late) == Done()
    assert not await timeline.blobs.has(late.blob_key)
    assert not await tell(person(None))
    assert not await tell(person(NOW))
    assert await letter(attached()) == 0
    assert await everything(timeline, ACCOUNT) == {}

    assert await timeline.handle(attached(minutes=1), mail()) == Done()
    assert await timeline.subjects() == ["Hello"]
    assert await tell(person(NOW + timedelta(minutes=1), version=1))
    assert await letter(attached(minutes=1)) == 1


Step = Callable[[AccountErasing], None]


def _dies(name: str, *, after: bool) -> Step:
    def install(job: AccountErasing) -> None:
        real: Callable[..., Awaitable[None]] = getattr(job, name)

        async def dying(*arguments: object) -> None:
            if after:
                await real(*arguments)
            raise Crash

        setattr(job, name, dying)

    return install


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", ["_delete", "_finish"])
async def test_another_replica_ends_what_one_began(
    timeline: Timeline, step: str, after: bool
) -> None:
    await fill(timeline)
    first, second = Erasing(timeline), Erasing(timeline)
    await asked(first)
    _dies(step, after=after)(first.job)
    with pytest.raises(Crash):
        await first.job.work()
    await second.job.work()
    assert await everything(timeline, ACCOUNT) == {}
    assert blobs(timeline, ACCOUNT) == []
    told = [*first.told, *second.told]
    assert {one.erased.mails for one in told if isinstance(one, AccountErasureDone)} == {2}
    assert not await second.erased.is_running(ACCOUNT)


async def test_a_crash_after_the_matcher_was_told_deletes_nothing_that_is_new(
    timeline: Timeline,
) -> None:
    await fill(timeline)
    first, second = Erasing(timeline), Erasing(timeline)
    await asked(first)
    first.recorder.crash_after = 1
    with pytest.raises(Crash):
        await first.job.work()
    assert await timeline.handle(attached(minutes=1), mail()) == Done()
    await second.job.work()
    assert await timeline.subjects() == ["Hello"]
    assert await timeline.database.account_erasures.count_documents({}) == 0


async def test_a_replica_that_lost_its_lease_deletes_nothing_that_is_new(
    timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(timeline)
    first, second = Erasing(timeline), Erasing(timeline)
    await asked(first)
    reached, go_on = asyncio.Event(), asyncio.Event()
    real = AccountDocuments._delete

    async def paused(self: AccountDocuments, collection: str, *rest: Any) -> None:
        if collection == "mails" and not reached.is_set():
            reached.set()
            await go_on.wait()
        await real(self, collection, *rest)

    monkeypatch.setattr(AccountDocuments, "_delete", paused)
    working = asyncio.create_task(first.job.work())
    await asyncio.wait_for(reached.wait(), DEADLINE)
    await second.job.work()
    assert len(second.told) == 1
    # The same mails as before, so the same ids.
    raw = mail("Mail 0", message_id=f"0@{ACCOUNT}", text="Short.")
    assert await timeline.handle(attached(minutes=1), raw) == Done()
    go_on.set()
    await working
    assert first.told == []
    assert await timeline.subjects() == ["Mail 0"]
    assert await timeline.database.mails.count_documents({"account": ACCOUNT}) == 1


async def test_an_account_is_known_by_a_hash_alone(timeline: Timeline) -> None:
    erased = ErasedAccounts(timeline.database)
    await erased.begin(ACCOUNT, NOW)
    [document] = await timeline.database.erased_accounts.find().to_list()
    assert document["_id"] == document["account"] == hash_of(ACCOUNT)
    assert ACCOUNT not in str(document)
    assert await erased.tags() == {account_tag(ACCOUNT)}
    assert not await erased.drops(f"other{uuid4().hex}", NOW)
