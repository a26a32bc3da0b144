"""Merges in a real database: what may be merged, what a decision knows of it, and what is told."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from services.matcher.decision.decide import Attach, Dismiss, decide
from services.matcher.directory.capture_addresses import CaptureAddresses
from services.matcher.directory.knowledge import Knowledge
from services.matcher.directory.merges import MAX_GROUP, Merge, Merges, Refusal
from services.matcher.directory.never_capture_lists import NeverCaptureLists
from services.matcher.directory.outbox import Outbox
from services.matcher.directory.people import Directory, person_of
from services.matcher.directory.versions import Versions
from services.matcher.indexes import INDEXES
from services.matcher.reading.participants import Participant
from shared.contracts.capture_address import KeyRing
from shared.contracts.events import Event, Kind, PersonChanged, PersonDeleted, Role
from shared.contracts.known_addresses import address_hash
from shared.storage.database import connect
from tests.databases import empty_database
from tests.fakes import Recorder, RecordingPublisher

ACCOUNT = "acme"
RING = KeyRing.parse("k1:" + "s" * 20)


class Replica:
    """A matcher's view of the directory, over a connection of its own."""

    def __init__(self, url: str, name: str) -> None:
        self.client = connect(url, "test")
        self.database = database = self.client[name]
        versions = Versions(database)
        self.directory = Directory(database, versions)
        self.merges = Merges(self.client, database, versions)
        addresses = CaptureAddresses(database, versions, RING, "in.satchel.test")
        never = NeverCaptureLists(database, versions)
        self.addresses = addresses
        self.knowledge = Knowledge(self.directory, addresses, versions, never)

    async def put(self, person_id: str, *addresses: str, kind: Kind = Kind.CANDIDATE) -> None:
        found = addresses or (f"{person_id}@mail.example",)
        await self.directory.put(ACCOUNT, person_of(person_id, kind, person_id, found))

    async def merged(self, person_id: str, into: str) -> Merge:
        done = await self.merges.merge(ACCOUNT, "admin", person_id, into)
        assert not isinstance(done, str), done
        return done[0]

    async def refused(self, person_id: str, into: str) -> Refusal:
        done = await self.merges.merge(ACCOUNT, "admin", person_id, into)
        assert isinstance(done, str)
        return done

    async def matched(self, capture_address: str, *to: str) -> list[str] | str:
        """Return for whom a mail to these is attached, or why it is not."""
        known = await self.knowledge.consult(capture_address, frozenset(to))
        assert known is not None
        decision = decide([Participant(one, Role.TO) for one in to], known.people)
        if isinstance(decision, Dismiss):
            return decision.reason.value
        assert isinstance(decision, Attach)
        return sorted(match.person_id for match in decision.matches)


@pytest.fixture
async def replicas(mongodb_url: str) -> AsyncIterator[Sequence[Replica]]:
    async with (
        connect(mongodb_url, "test") as client,
        empty_database(client, mongodb_url, INDEXES) as database,
    ):
        found = [Replica(mongodb_url, database.name) for _ in range(2)]
        for one in ("c1", "c2", "c3"):
            await found[0].put(one)
        await found[0].put("u1", "u1@team.example", kind=Kind.USER)
        yield found
        for replica in found:
            await replica.client.close()


@pytest.fixture
def one(replicas: Sequence[Replica]) -> Replica:
    return replicas[0]


@pytest.fixture
async def capture_address(one: Replica) -> str:
    record, _ = await one.addresses.mint(ACCOUNT, "u1", "User")
    return record.address


async def test_a_merge_is_done_once_and_undone_once(one: Replica) -> None:
    merge, is_new = await _done(one, "c1", "c2")
    assert is_new
    assert (merge.person_id, merge.into, merge.by, merge.undone_at) == ("c1", "c2", "admin", None)
    assert await _done(one, "c1", "c2") == (merge, False)
    assert await one.merges.one(ACCOUNT, merge.id) == merge
    assert await one.merges.one("other", merge.id) is None
    assert await one.merges.undo("other", "admin", merge.id) is None
    undone = await one.merges.undo(ACCOUNT, "u9", merge.id)
    assert undone is not None
    assert undone.undone_by == "u9"
    assert await one.merges.undo(ACCOUNT, "u8", merge.id) == undone
    again, is_new = await _done(one, "c1", "c2")
    assert is_new
    assert again.id > merge.id
    assert await one.merges.undo(ACCOUNT, "u9", merge.id) == undone
    assert await _done(one, "c1", "c2") == (again, False), "an earlier undo is over"
    assert [m.id for m in await one.merges.list(ACCOUNT, 5, None)] == [again.id, merge.id]
    assert [m.id for m in await one.merges.list(ACCOUNT, 5, again.id)] == [merge.id]


async def _done(one: Replica, person_id: str, into: str) -> tuple[Merge, bool]:
    done = await one.merges.merge(ACCOUNT, "admin", person_id, into)
    assert not isinstance(done, str)
    return done


async def test_what_cannot_be_merged_is_refused(one: Replica) -> None:
    await one.put("g1", kind=Kind.GUEST)
    assert await one.refused("unknown", "c1") == "unknown"
    assert await one.refused("c1", "unknown") == "into_unknown"
    assert await one.refused("c1", "c1") == "circle"
    for pair in (("u1", "c1"), ("c1", "u1"), ("c1", "g1")):
        assert await one.refused(*pair) == "not_a_profile"
    await one.directory.delete(ACCOUNT, "c3")
    assert await one.refused("c3", "c1") == "unknown"
    assert await one.refused("c1", "c3") == "into_unknown"
    await one.put("c3")
    await one.merged("c1", "c2")
    assert await one.refused("c1", "c3") == "merged_already"
    await one.merged("c2", "c3")
    assert await one.refused("c3", "c1") == "circle"
    assert await one.refused("c3", "c2") == "circle"


async def test_no_more_people_are_one_profile_than_may_be(one: Replica) -> None:
    for number in range(MAX_GROUP - 1):
        await one.put(f"d{number}")
        await one.merged(f"d{number}", "c1")
    await one.merged("c3", "c2")
    assert await one.refused("c2", "c1") == "too_many"
    assert await one.refused("c3", "c1") == "merged_already"
    await one.put("d999")
    assert await one.refused("d999", "c1") == "too_many"


@pytest.mark.parametrize("_", range(3))
async def test_of_two_replicas_that_close_a_circle_one_is_refused(
    replicas: Sequence[Replica], _: int
) -> None:
    done = await asyncio.gather(
        *(
            replica.merges.merge(ACCOUNT, "admin", one, into)
            for replica, (one, into) in zip(
                [*replicas, replicas[0]], [("c1", "c2"), ("c2", "c3"), ("c3", "c1")], strict=True
            )
        )
    )
    assert sorted(one if isinstance(one, str) else "merged" for one in done) == [
        "circle",
        "merged",
        "merged",
    ]


async def test_a_match_is_made_for_whom_the_address_is(one: Replica, capture_address: str) -> None:
    assert await one.matched(capture_address, "c1@mail.example") == ["c1"]
    await one.merged("c1", "c2")
    assert await one.matched(capture_address, "c1@mail.example") == ["c1"]
    assert await one.matched(capture_address, "c2@mail.example") == ["c2"]


async def test_who_is_merged_and_deleted_has_their_addresses_until_the_merge_is_undone(
    replicas: Sequence[Replica], capture_address: str
) -> None:
    one, other = replicas
    merge = await one.merged("c1", "c2")
    assert await other.matched(capture_address, "c1@mail.example") == ["c1"]
    await one.directory.delete(ACCOUNT, "c1")
    assert await other.matched(capture_address, "c1@mail.example") == ["c1"]
    assert await one.directory.get(ACCOUNT, "c1") is None
    assert await one.directory.with_address(ACCOUNT, "c1@mail.example") == []
    assert await _done(one, "c1", "c2") == (merge, False)
    await one.directory.delete(ACCOUNT, "c2")
    assert await other.matched(capture_address, "c1@mail.example") == "no_match"
    await one.put("c2")
    assert await other.matched(capture_address, "c1@mail.example") == ["c1"]
    await one.merges.undo(ACCOUNT, "admin", merge.id)
    assert await other.matched(capture_address, "c1@mail.example") == "no_match"


async def test_who_comes_back_has_what_they_are_given(one: Replica, capture_address: str) -> None:
    merge = await one.merged("c1", "c2")
    await one.directory.delete(ACCOUNT, "c1")
    await one.put("c1", "new@mail.example")
    assert await one.matched(capture_address, "c1@mail.example") == "no_match"
    assert await one.matched(capture_address, "new@mail.example") == ["c1"]
    await one.merges.undo(ACCOUNT, "admin", merge.id)
    assert await one.matched(capture_address, "new@mail.example") == ["c1"]


async def test_all_that_are_merged_are_blocked_while_one_is(
    replicas: Sequence[Replica], capture_address: str
) -> None:
    one, other = replicas
    first = await one.merged("c1", "c2")
    await one.merged("c2", "c3")
    to = [f"{person}@mail.example" for person in ("c1", "c2", "c3")]
    assert [await other.matched(capture_address, each) for each in to] == [["c1"], ["c2"], ["c3"]]
    await one.put("u2", "c1@mail.example", kind=Kind.USER)
    assert [await other.matched(capture_address, each) for each in to] == ["blocked"] * 3
    await one.merges.undo(ACCOUNT, "admin", first.id)
    found = [await other.matched(capture_address, each) for each in to]
    assert found == ["blocked", ["c2"], ["c3"]]


async def test_a_merge_and_its_undoing_are_announced_with_the_person(one: Replica) -> None:
    recorder = Recorder()
    outbox = Outbox(one.database, RecordingPublisher(recorder))

    async def announced() -> list[Event]:
        recorder.published.clear()
        while await outbox.announce_some():
            pass
        return [event for event, _ in recorder.published]

    await announced()
    merge = await one.merged("c1", "c2")
    [changed] = await announced()
    assert isinstance(changed, PersonChanged)
    assert (changed.person_id, changed.merge_id, changed.merged_into) == ("c1", merge.id, "c2")
    await one.directory.delete(ACCOUNT, "c1")
    [deleted] = await announced()
    assert isinstance(deleted, PersonDeleted)
    assert (deleted.version, deleted.merged_into) == (changed.version + 1, "c2")
    await one.merges.undo(ACCOUNT, "admin", merge.id)
    [parted] = await announced()
    assert isinstance(parted, PersonDeleted)
    assert (parted.merge_id, parted.merged_into) == (merge.id, None)
    await one.put("c1")
    [back] = await announced()
    assert isinstance(back, PersonChanged)
    assert (back.merge_id, back.merged_into) == (merge.id, None)


async def test_of_a_merged_id_it_is_told_whose_it_is_until_the_merge_is_undone(
    one: Replica, capture_address: str
) -> None:
    """Who is deleted returns as themselves by a former address, merged meanwhile or not."""
    recorder = Recorder()
    outbox = Outbox(one.database, RecordingPublisher(recorder))

    async def told() -> tuple[str, bool, tuple[str, ...] | None]:
        recorder.published.clear()
        while await outbox.announce_some():
            pass
        events = [event for event, _ in recorder.published]
        [event] = [one for one in events if isinstance(one, PersonChanged | PersonDeleted)]
        return event.tag, event.merged_into is not None, event.known_by

    def hashed(name: str) -> tuple[str, ...]:
        return (address_hash(ACCOUNT, "c1", f"{name}@mail.example"),)

    async def returns_as(name: str) -> None:
        await one.put("c1", f"{name}@mail.example")

    changed, deleted = PersonChanged.tag, PersonDeleted.tag
    while await outbox.announce_some():
        pass
    merge = await one.merged("c1", "c2")
    await one.directory.delete(ACCOUNT, "c1")
    assert await told() == (deleted, True, None)
    await returns_as("c1")
    assert await told() == (changed, True, None)
    await one.directory.delete(ACCOUNT, "c1")
    await returns_as("other")
    assert await told() == (changed, True, hashed("other"))
    await one.directory.delete(ACCOUNT, "c1")
    assert await told() == (deleted, True, hashed("other"))
    assert await one.matched(capture_address, "other@mail.example") == ["c1"]
    await one.merges.undo(ACCOUNT, "admin", merge.id)
    assert await told() == (deleted, False, None)
    found = await one.database.people.find_one({"person_id": "c1"})
    assert "@" not in str(found)
    await returns_as("c1")
    assert await told() == (changed, False, hashed("c1"))
    await one.put("c1", "c1@mail.example", "other@mail.example")
    assert await told() == (changed, False, None)
