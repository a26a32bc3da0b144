"""Whose an id is when it comes back after it was deleted, in a real database."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from services.matcher.directory.outbox import Outbox
from services.matcher.directory.people import Directory, person_of
from services.matcher.directory.returning import MAX_FORMER, MAX_KNOWN
from services.matcher.directory.versions import Versions
from services.matcher.indexes import INDEXES
from shared.contracts.events import MAX_EVENT_BYTES, Event, Kind, PersonChanged, PersonDeleted
from shared.contracts.known_addresses import address_hash
from shared.storage.database import Database, connect
from tests.databases import empty_database
from tests.fakes import Recorder, RecordingPublisher
from tests.holders_of_ids import ACCOUNT, Id, in_one_order

ADDRESSES = [f"{name}@mail.example" for name in ("a", "B", "c", "d", "e")]


@dataclass
class World:
    """A directory and what is announced of it."""

    database: Database
    directory: Directory

    async def put(self, *addresses: str, person_id: str = "c1") -> None:
        person = person_of(person_id, Kind.CANDIDATE, "Name", addresses)
        await self.directory.put(ACCOUNT, person)

    async def told(self) -> list[Event]:
        recorder = Recorder()
        outbox = Outbox(self.database, RecordingPublisher(recorder))
        await outbox.once()
        return [event for event, _ in recorder.published]

    async def known_by(self) -> set[str] | None:
        [event] = await self.told()
        assert isinstance(event, PersonChanged)
        return None if event.known_by is None else {*event.known_by}


@pytest.fixture
async def world(mongodb_url: str) -> AsyncIterator[World]:
    async with (
        connect(mongodb_url, "test") as client,
        empty_database(client, mongodb_url, INDEXES) as database,
    ):
        yield World(database, Directory(database, Versions(database)))


def hashes(*keys: str) -> set[str]:
    return {address_hash(ACCOUNT, "c1", key) for key in keys}


async def test_an_id_that_returns_with_a_former_address_is_the_same_person(world: World) -> None:
    await world.put("a@x", "b@x")
    await world.put("b@x")
    await world.directory.delete(ACCOUNT, "c1")
    await world.put("A@X", "c@x")
    assert await world.known_by() is None


async def test_an_id_that_returns_with_none_is_somebody_else_until_it_has_one(
    world: World,
) -> None:
    await world.put("a@x", "b@x")
    await world.directory.delete(ACCOUNT, "c1")
    await world.put("c@x")
    assert await world.known_by() == hashes("c@x")
    await world.put("d@x")
    assert await world.known_by() == hashes("c@x", "d@x")
    await world.put("d@x", "b@x")
    assert await world.known_by() is None


async def test_who_is_deleted_leaves_no_address(world: World) -> None:
    await world.put("zebra@x")
    await world.put("b@x")
    await world.directory.delete(ACCOUNT, "c1")
    assert "@" not in str(await world.database.people.find_one())
    await world.put("c@x")
    await world.directory.delete(ACCOUNT, "c1")
    assert "@" not in str(await world.database.people.find_one())


async def test_what_an_older_matcher_stored_is_known(world: World) -> None:
    await world.put("a@x")
    await world.database.people.update_one({}, {"$unset": {"holders": 1}})
    await world.put("b@x")
    await world.directory.delete(ACCOUNT, "c1")
    await world.put("a@x")
    assert await world.known_by() is None


async def test_of_very_many_holders_and_addresses_the_event_stays_small(world: World) -> None:
    for number in range(MAX_KNOWN + 20):
        await world.put(f"a{number}@x")
    for number in range(MAX_FORMER + 5):
        await world.directory.delete(ACCOUNT, "c1")
        await world.put(*(f"{n}.{number}{'x' * 200}@x" for n in range(100)))
    [event] = await world.told()
    assert len(event.encode()) < MAX_EVENT_BYTES
    found = await world.database.people.find_one()
    assert found is not None
    assert len(found["holders"]["former"]) == MAX_FORMER


async def test_whatever_changes_what_is_announced_is_what_a_plain_model_says(
    world: World,
) -> None:
    chance = random.Random(20260128)
    for number in range(60):
        one = Id(f"c{number}")
        for _ in range(chance.randrange(2, 14)):
            if chance.random() < 0.35:
                one.delete()
                await world.directory.delete(ACCOUNT, one.person_id)
                continue
            addresses = chance.sample(ADDRESSES, chance.randrange(3))
            kind = chance.choice((Kind.CANDIDATE, Kind.USER))
            one.put(kind, addresses)
            person = person_of(one.person_id, kind, "Name", addresses)
            if chance.random() < 0.5:
                await world.directory.put(ACCOUNT, person)
            else:
                await world.directory.put_all(ACCOUNT, [person])
        if not one.version:
            continue
        [event] = await world.told()
        assert isinstance(event, PersonChanged | PersonDeleted)
        assert in_one_order(event) == one.told, (number, one.lives)


async def test_changes_that_race_are_one_after_the_other(world: World) -> None:
    async def change(number: int) -> None:
        if number % 3:
            await world.put(f"{number % 2}@x")
        else:
            await world.directory.delete(ACCOUNT, "c1")

    await asyncio.gather(*(change(number) for number in range(60)))
    await world.put("0@x", "1@x")
    found = await world.database.people.find_one()
    assert found is not None
    assert (found["holders"]["former"], sorted(found["holders"]["known"])) == ([], ["0@x", "1@x"])
