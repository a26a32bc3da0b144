"""Freshness: what the API acknowledged decides the next mail, in every replica, through a cache."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from services.matcher.decision.never_capture import NOTHING, never_capture_of
from services.matcher.directory.capture_addresses import CaptureAddresses
from services.matcher.directory.knowledge import Knowledge
from services.matcher.directory.never_capture_lists import OF_ACCOUNT, NeverCaptureLists
from services.matcher.directory.people import Directory, person_of
from services.matcher.directory.versions import Versions
from services.matcher.indexes import INDEXES
from services.matcher.metrics import LOOK_UPS, VERSION_READS
from shared.contracts.capture_address import KeyRing
from shared.contracts.events import Kind
from shared.storage.database import Database, connect
from tests.databases import empty_database
from tests.deadline import DEADLINE
from tests.directory_suite import DirectoryParts, DirectorySuite

RING = KeyRing.parse("k1:" + "s" * 20)
ACCOUNT = "acme"


class Replica:
    """One matcher process's view of the database."""

    def __init__(self, database: Database, **options: int) -> None:
        self.versions = Versions(database)
        self.directory = Directory(database, self.versions)
        self.addresses = CaptureAddresses(database, self.versions, RING, "in.satchel.test")
        self.never = NeverCaptureLists(database, self.versions)
        self.knowledge = Knowledge(
            self.directory, self.addresses, self.versions, self.never, **options
        )

    async def put(self, person_id: str, *addresses: str, kind: Kind = Kind.CANDIDATE) -> None:
        await self.directory.put(ACCOUNT, person_of(person_id, kind, person_id, addresses))

    async def who(self, address: str, *keys: str) -> set[str]:
        known = await self.knowledge.consult(address, frozenset(keys))
        assert known is not None
        return {person.person_id for person in known.people}


@pytest.fixture
async def database(mongodb_url: str) -> AsyncIterator[Database]:
    async with (
        connect(mongodb_url, "test") as client,
        empty_database(client, mongodb_url, INDEXES) as database,
    ):
        yield database


@pytest.fixture
async def replicas(database: Database) -> tuple[Replica, Replica]:
    return Replica(database), Replica(database)


@pytest.fixture
async def address(replicas: tuple[Replica, Replica]) -> str:
    await replicas[0].put("u1", "user@team.example", kind=Kind.USER)
    return (await replicas[0].addresses.mint(ACCOUNT, "u1", "User"))[0].address


class TestDirectory(DirectorySuite):
    """What the tests of a directory in memory rely on holds for the real one."""

    @pytest.fixture
    def parts(self, replicas: tuple[Replica, Replica]) -> DirectoryParts:
        return DirectoryParts(replicas[0].versions, replicas[0].directory, replicas[0].addresses)


def lookups(where: str) -> float:
    return float(LOOK_UPS.labels(where)._value.get())


async def test_a_change_is_seen_by_the_next_decision_a_thousand_times(
    replicas: tuple[Replica, Replica], address: str, share: float
) -> None:
    before, times = lookups("cache"), int(1000 * share)
    for n in range(times):
        writer, reader = replicas[n % 2], replicas[(n + n // 2) % 2]
        key = f"a{n}@mail.example"
        assert await reader.who(address, key) == set(), "nobody is remembered, too"
        await writer.put(f"c{n}", key)
        assert await reader.who(address, key) == {f"c{n}"}
        assert await reader.who(address, key) == {f"c{n}"}
    assert lookups("cache") - before >= times, "the cache is really used"


async def test_every_kind_of_change_is_seen(
    replicas: tuple[Replica, Replica], address: str
) -> None:
    writer, reader = replicas
    await writer.put("c1", "a@mail.example", "b@mail.example")
    assert await reader.who(address, "a@mail.example") == {"c1"}
    await writer.put("u2", "b@mail.example", kind=Kind.USER)
    assert await reader.who(address, "a@mail.example") == {"c1", "u2"}, "a user who shares"
    await writer.put("c1", "b@mail.example")
    assert await reader.who(address, "a@mail.example") == set()
    await writer.directory.delete(ACCOUNT, "u2")
    assert await reader.who(address, "b@mail.example") == {"c1"}
    await writer.addresses.revoke(ACCOUNT, person_ids=["u1"])
    known = await reader.knowledge.consult(address, frozenset())
    assert known is not None
    assert not known.address.counts_at(datetime.now(UTC))


async def test_most_decisions_cost_one_read_shared_by_many(
    replicas: tuple[Replica, Replica], address: str
) -> None:
    reader = replicas[1]
    await replicas[0].put("c1", "a@mail.example")
    await reader.who(address, "a@mail.example")
    reads, misses = VERSION_READS._value.get(), lookups("database")
    await asyncio.gather(*(reader.who(address, "a@mail.example") for _ in range(200)))
    assert VERSION_READS._value.get() - reads <= 2
    assert lookups("database") == misses


async def test_racing_decisions_never_bring_back_what_was_changed(
    replicas: tuple[Replica, Replica], address: str
) -> None:
    writer, reader = replicas
    stop = asyncio.Event()

    async def ask() -> None:
        while not stop.is_set():
            await reader.who(address, "a@mail.example", "b@mail.example")

    asking = [asyncio.create_task(ask()) for _ in range(8)]
    try:
        for n in range(150):
            key = ("a@mail.example", "b@mail.example")[n % 2]
            await writer.put("c1", key)
            assert await reader.who(address, "a@mail.example") == ({"c1"} if n % 2 == 0 else set())
    finally:
        stop.set()
        await asyncio.gather(*asking)


async def test_an_account_that_is_written_all_the_time_is_decided_all_the_same(
    replicas: tuple[Replica, Replica], address: str, share: float
) -> None:
    writer, reader = replicas
    stop = asyncio.Event()

    async def write(name: str) -> None:
        while not stop.is_set():
            async with writer.versions.change(ACCOUNT):
                pass

    writing = [asyncio.create_task(write(f"w{n}")) for n in range(16)]
    try:
        async with asyncio.timeout(DEADLINE):
            for n in range(int(50 * share)):
                assert await reader.who(address, f"nobody{n}@mail.example") == set()
    finally:
        stop.set()
        await asyncio.gather(*writing)


async def test_what_is_remembered_is_bounded(database: Database, address: str) -> None:
    reader = Replica(database, max_entries=50)
    for n in range(40):
        await reader.who(address, *(f"{n}-{m}@mail.example" for m in range(10)))
    assert reader.knowledge._entries <= 50


async def test_an_address_without_a_record_is_unknown(replicas: tuple[Replica, Replica]) -> None:
    unknown = RING.mint(ACCOUNT, "anna", "in.satchel.test").address
    assert await replicas[0].knowledge.consult(unknown, frozenset()) is None


async def test_a_list_is_seen_by_the_next_decision_a_thousand_times(
    replicas: tuple[Replica, Replica], address: str, share: float
) -> None:
    before, times = lookups("cache"), int(1000 * share)
    for n in range(times):
        writer, reader = replicas[n % 2], replicas[(n + n // 2) % 2]
        owner = ("u1", OF_ACCOUNT)[n % 2]
        await writer.never.put(ACCOUNT, owner, never_capture_of([f"a{n}@x.example"], []))
        for _ in range(2):
            known = await reader.knowledge.consult(address, frozenset(["a@mail.example"]))
            assert known is not None
            assert known.never.names(f"a{n}@x.example")
            assert not known.never.names(f"a{n - 2}@x.example")
    assert lookups("cache") - before >= times, "the cache is really used"


async def test_racing_decisions_never_bring_back_a_list_that_was_changed(
    replicas: tuple[Replica, Replica], address: str
) -> None:
    writer, reader = replicas
    stop = asyncio.Event()

    async def ask() -> None:
        while not stop.is_set():
            await reader.who(address, "a@mail.example")

    asking = [asyncio.create_task(ask()) for _ in range(8)]
    try:
        for n in range(150):
            listed = never_capture_of([], ["mail.example"]) if n % 2 == 0 else NOTHING
            await writer.never.put(ACCOUNT, "u1", listed)
            known = await reader.knowledge.consult(address, frozenset())
            assert known is not None
            assert known.never.names("a@mail.example") is (n % 2 == 0)
    finally:
        stop.set()
        await asyncio.gather(*asking)


async def test_lists_are_each_accounts_and_each_users_own(
    replicas: tuple[Replica, Replica],
) -> None:
    lists, other = replicas[0].never, replicas[1].never
    one, two = never_capture_of(["a@x.example"], []), never_capture_of([], ["y.example"])
    await lists.put(ACCOUNT, OF_ACCOUNT, one)
    await lists.put(ACCOUNT, "u1", two)
    assert await other.of(ACCOUNT, ["u1", "u2", OF_ACCOUNT]) == {
        "u1": two,
        "u2": NOTHING,
        OF_ACCOUNT: one,
    }
    assert await other.of("another", ["u1", OF_ACCOUNT]) == {"u1": NOTHING, OF_ACCOUNT: NOTHING}
    await other.forget(ACCOUNT, ["u1", "u2"])
    assert await lists.of(ACCOUNT, ["u1", OF_ACCOUNT]) == {"u1": NOTHING, OF_ACCOUNT: one}
    await other.put(ACCOUNT, OF_ACCOUNT, NOTHING)
    assert await lists.of(ACCOUNT, [OF_ACCOUNT]) == {OF_ACCOUNT: NOTHING}


async def test_who_has_no_list_is_forgotten_without_a_change(
    replicas: tuple[Replica, Replica],
) -> None:
    before = await replicas[0].versions.read(ACCOUNT)
    await replicas[0].never.forget(ACCOUNT, ["u1", "u2"])
    await replicas[0].never.forget(ACCOUNT, [])
    assert await replicas[0].versions.read(ACCOUNT) == before
