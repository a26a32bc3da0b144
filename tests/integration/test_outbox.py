"""From the directory's outbox to the timeline's read model: always told, and never out of order."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from prometheus_client import REGISTRY
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError

from services.matcher.directory.capture_addresses import CaptureAddresses
from services.matcher.directory.outbox import Outbox
from services.matcher.directory.people import Directory, person_of
from services.matcher.directory.versions import Versions
from services.matcher.indexes import INDEXES
from services.timeline.write.people import People
from shared.broker import Delivery, PublishFailed
from shared.contracts.capture_address import KeyRing
from shared.contracts.events import CaptureAddressChanged, Event, Kind, PersonChanged, PersonDeleted
from shared.contracts.outcomes import Done
from shared.storage.database import Database, Document, connect
from tests.databases import empty_database
from tests.deadline import DEADLINE
from tests.fakes import Crash, Recorder, RecordingPublisher

ACCOUNT = "acme"


class World:
    """A directory, its outbox, and a timeline that reads it."""

    def __init__(self, database: Database) -> None:
        self.database, self.recorder = database, Recorder()
        versions = Versions(database)
        self.directory = Directory(database, versions)
        ring = KeyRing.parse("k1:" + "s" * 20)
        self.addresses = CaptureAddresses(database, versions, ring, "in.satchel.test")
        self.outbox = Outbox(database, RecordingPublisher(self.recorder))
        self.read_model = database.client[f"{database.name}_timeline"]
        self.people = People(self.read_model)

    async def put(self, person_id: str, name: str, kind: Kind = Kind.CANDIDATE) -> None:
        await self.directory.put(ACCOUNT, person_of(person_id, kind, name, ["a@x.example"]))

    async def announced(self) -> list[Event]:
        """Announce everything that is unannounced; return the events."""
        self.recorder.published.clear()
        while await self.outbox.announce_some():
            pass
        return [event for event, _ in self.recorder.published]

    async def names(self) -> dict[str, str | None]:
        return {p["person_id"]: p.get("name") async for p in self.read_model.people.find()}


@pytest.fixture
async def world(mongodb_url: str) -> AsyncIterator[World]:
    async with (
        connect(mongodb_url, "test") as client,
        empty_database(client, mongodb_url, INDEXES) as database,
    ):
        yield World(database)
        await client.drop_database(f"{database.name}_timeline")


async def test_a_change_is_announced_once(world: World) -> None:
    await world.put("c1", "One")
    [event] = await world.announced()
    assert isinstance(event, PersonChanged)
    assert event.told_at is not None
    assert event.model_copy(update={"told_at": None}) == PersonChanged(
        account=ACCOUNT,
        person_id="c1",
        version=1,
        kind=Kind.CANDIDATE,
        name="One",
        addresses=("a@x.example",),
    )
    assert await world.announced() == []
    await world.put("c1", "One")
    assert await world.announced() == [], "the same again is no change"


async def test_accounts_take_turns(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one user did does not wait behind another company's import."""
    monkeypatch.setattr("services.matcher.directory.outbox._BATCH", 2)
    for account, count in (("acme", 5), ("beta", 1), ("corp", 3)):
        for n in range(count):
            person = person_of(f"c{n}", Kind.CANDIDATE, "One", [f"a{n}@x.example"])
            await world.directory.put(account, person)
    events = await world.announced()
    accounts = [event.account for event in events if isinstance(event, PersonChanged)]
    assert accounts == [*["acme"] * 2, "beta", *["corp"] * 2, *["acme"] * 2, "corp", "acme"]


async def test_without_a_broker_or_after_a_crash_it_is_announced_later(world: World) -> None:
    await world.put("c1", "One")
    world.recorder.away = True
    with pytest.raises(PublishFailed):
        await world.outbox.announce_some()
    world.recorder.away, world.recorder.crash_after = False, 1
    with pytest.raises(Crash):
        await world.outbox.announce_some()
    world.recorder.crash_after = None
    assert len(await world.announced()) == 1


async def test_that_it_cannot_be_announced_is_counted(world: World) -> None:
    def failures() -> float:
        return REGISTRY.get_sample_value("satchel_announce_failures_total") or 0

    await world.put("c1", "One")
    world.recorder.away = True
    before = failures()
    running = asyncio.create_task(world.outbox.run())
    async with asyncio.timeout(DEADLINE):
        while failures() == before:
            await asyncio.sleep(0.02)
    world.outbox.stop()
    await running


async def test_a_change_during_the_announcement_is_announced_too(world: World) -> None:
    await world.put("c1", "One")
    publish = world.outbox._publisher.publish

    async def change_meanwhile(
        event: Event, body: bytes = b"", *, after_live: bool = False
    ) -> None:
        await publish(event, body, after_live=after_live)
        await world.put("c1", "Two")

    world.outbox._publisher.publish = change_meanwhile  # type: ignore[method-assign] # to meet it
    await world.outbox.announce_some()
    world.outbox._publisher.publish = publish  # type: ignore[method-assign] # as it was
    [event] = await world.announced()
    assert isinstance(event, PersonChanged)
    assert (event.name, event.version) == ("Two", 2)


async def test_what_arrives_together_is_written_together_and_the_latest_stays(
    world: World,
) -> None:
    events: list[Event] = [
        PersonChanged(
            account=ACCOUNT,
            person_id=f"c{n % 300}",
            version=1 + n // 300,
            kind=Kind.CANDIDATE,
            name=f"{n // 300}",
            addresses=(f"c{n % 300}@x.example",),
        )
        for n in range(900)
    ]
    too_large = events[0].model_copy(update={"person_id": "x", "name": "x" * 20_000_000})
    random.Random(1).shuffle(events)
    events.insert(200, too_large)
    bulk_write, calls = AsyncCollection.bulk_write, list[int]()

    async def counted(self: AsyncCollection[Document], writes: Any, **how: Any) -> Any:
        calls.append(len(writes))
        return await bulk_write(self, writes, **how)

    with patch.object(AsyncCollection, "bulk_write", counted):
        answers = await asyncio.gather(
            *(world.people.handle(Delivery(event, b"", redelivered=False)) for event in events),
            return_exceptions=True,
        )
    assert [n for n, answer in enumerate(answers) if answer != Done()] == [200]
    assert isinstance(answers[200], PyMongoError), "it alone"
    assert await world.names() == {f"c{n}": "2" for n in range(300)}
    assert sum(number > 1 for number in calls) < 20


async def test_any_order_and_repetition_gives_the_latest(world: World) -> None:
    events: list[Event] = []
    for name in ("One", "Two"):
        await world.put("c1", name)
        events += await world.announced()
    await world.directory.delete(ACCOUNT, "c1")
    events += await world.announced()
    await world.put("c1", "Back")
    events += await world.announced()
    assert [type(event) for event in events] == [
        PersonChanged,
        PersonChanged,
        PersonDeleted,
        PersonChanged,
    ]
    for order in itertools.permutations(events + events[:1]):
        await world.read_model.people.drop()
        for event in order:
            assert await world.people.handle(Delivery(event, b"", redelivered=False)) == Done()
        assert await world.names() == {"c1": "Back"}


async def test_two_versions_at_once_leave_the_newer_one(world: World) -> None:
    for n in range(200):
        events = [
            PersonChanged(
                account=ACCOUNT,
                person_id=f"r{n}",
                version=version,
                kind=Kind.CONTACT,
                name=f"version {version}",
                addresses=(),
            )
            for version in (1, 2)
        ]
        await asyncio.gather(
            *(world.people.handle(Delivery(event, b"", redelivered=False)) for event in events)
        )
    assert set((await world.names()).values()) == {"version 2"}


async def test_two_imports_of_the_same_people_at_once(world: World) -> None:
    people = [person_of(f"i{n}", Kind.CONTACT, "I", []) for n in range(500)]
    await asyncio.gather(*(world.directory.put_all(ACCOUNT, people) for _ in range(4)))
    assert len(await world.directory.list(ACCOUNT, 1000, None)) == 500


async def test_of_a_deleted_person_the_id_stays(world: World) -> None:
    await world.put("c1", "Secret")
    await world.directory.delete(ACCOUNT, "c1")
    await world.directory.delete(ACCOUNT, "c1")
    assert await world.directory.get(ACCOUNT, "c1") is None
    assert await world.directory.list(ACCOUNT, 10, None) == []
    assert (await world.directory.holders(ACCOUNT, ["a@x.example"]))["a@x.example"] == ()
    for event in await world.announced():
        await world.people.handle(Delivery(event, b"", redelivered=False))
    kept = [await db.people.find_one() for db in (world.database, world.read_model)]
    assert "Secret" not in str(kept)
    assert "x.example" not in str(kept)


async def test_capture_addresses_are_announced_through_their_life(world: World) -> None:
    await world.put("u1", "User", Kind.USER)
    record, _ = await world.addresses.mint(ACCOUNT, "u1", "User")
    await world.announced()
    await world.addresses.revoke_one(ACCOUNT, record.address)
    [event] = await world.announced()
    assert isinstance(event, CaptureAddressChanged)
    assert (event.address, event.state, event.version) == (record.address, "revoked", 2)
    await world.people.handle(Delivery(event, b"", redelivered=False))
    stored = await world.read_model.capture_addresses.find_one()
    assert stored is not None
    assert (stored["_id"], stored["state"], stored["person_id"]) == (
        record.address,
        "revoked",
        "u1",
    )


async def test_everything_can_be_announced_again(world: World) -> None:
    for n in range(450):
        await world.put(f"c{n}", "C")
    await world.announced()
    assert await world.outbox.announce_again() == 450
    assert len(await world.announced()) == 450


async def test_one_replica_announces_at_a_time(world: World) -> None:
    """Each would announce a whole import, else."""
    recorder = Recorder()
    other = Outbox(world.database, RecordingPublisher(recorder))
    for number in range(3):
        await world.put(f"c{number}", "Somebody")
    assert await world.outbox.announce_some() == 3
    await world.put("c1", "Somebody else")
    await other.once()
    assert recorder.published == [], "the other has the lease"
    await world.outbox.once()
    await world.put("c2", "Somebody else")
    await other.once()
    assert len(recorder.published) == 1, "who has nothing left gives the lease away"


async def test_who_was_killed_is_replaced(world: World) -> None:
    recorder = Recorder()
    other = Outbox(world.database, RecordingPublisher(recorder))
    await world.put("c1", "One")
    assert await world.outbox.announce_some() == 1
    await world.put("c1", "Other")
    expired = {"until": datetime.now(UTC) - timedelta(seconds=1)}
    await world.database["leases"].update_many({}, {"$set": expired})
    await other.once()
    assert len(recorder.published) == 1
