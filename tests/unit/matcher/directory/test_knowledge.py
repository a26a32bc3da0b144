"""Freshness, with the races made by hand: a change lands while a decision looks somebody up."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from services.matcher.decision.never_capture import NOTHING, never_capture_of
from services.matcher.directory import knowledge as knowledge_module
from services.matcher.directory.knowledge import Knowledge
from services.matcher.directory.people import person_of
from services.matcher.metrics import LOOK_UPS
from shared.contracts.events import Kind
from tests.directory_suite import ACCOUNT, DirectoryParts, DirectorySuite
from tests.memory_directory import (
    MemoryAddresses,
    MemoryDirectory,
    MemoryNeverCapture,
    MemoryVersions,
)

DOMAIN = "in.satchel.test"
KEY = "a@mail.example"


class Matcher:
    """Knowledge over a directory in memory."""

    def __init__(self, max_entries: int = 1000) -> None:
        self.versions = MemoryVersions()
        self.directory = MemoryDirectory(self.versions)
        self.addresses = MemoryAddresses(self.versions, DOMAIN)
        self.never = MemoryNeverCapture(self.versions)
        self.knowledge = Knowledge(
            self.directory, self.addresses, self.versions, self.never, max_entries=max_entries
        )

    async def address(self, account: str = ACCOUNT, person_id: str = "u1") -> str:
        return (await self.addresses.mint(account, person_id, "User"))[0].address

    async def put(
        self,
        person_id: str,
        *addresses: str,
        kind: Kind = Kind.CANDIDATE,
        account: str = ACCOUNT,
    ) -> None:
        await self.directory.put(account, person_of(person_id, kind, person_id, addresses))

    async def who(self, address: str, *keys: str) -> list[str]:
        known = await self.knowledge.consult(address, frozenset(keys))
        assert known is not None
        assert known.address.address == address
        return sorted(person.person_id for person in known.people)


@pytest.fixture
def matcher() -> Matcher:
    return Matcher()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(knowledge_module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def look_ups(where: str) -> float:
    return float(LOOK_UPS.labels(where)._value.get())


class TestDirectoryInMemory(DirectorySuite):
    @pytest.fixture
    def parts(self, matcher: Matcher) -> DirectoryParts:
        return DirectoryParts(matcher.versions, matcher.directory, matcher.addresses)


async def test_a_change_that_lands_during_the_look_up_decides_this_mail_and_the_next(
    matcher: Matcher,
) -> None:
    """What was looked up first says that nobody has the address: the second reading of the version
    shows that it may be out of date, so it is neither used nor remembered."""
    address = await matcher.address()
    matcher.directory.race.meanwhile = lambda: matcher.put("c1", KEY)
    assert await matcher.who(address, KEY) == ["c1"]
    assert matcher.directory.look_ups.count([KEY]) == 2
    assert await matcher.who(address, KEY) == ["c1"]
    assert matcher.directory.look_ups.count([KEY]) == 2, "what holds is remembered"


async def test_an_address_that_is_revoked_during_the_look_up_counts_no_more(
    matcher: Matcher,
) -> None:
    address = await matcher.address()
    await matcher.who(address, KEY)  # its account is known
    await matcher.put("c2", "other@mail.example")
    matcher.addresses.race.meanwhile = lambda: matcher.addresses.revoke_one(ACCOUNT, address)
    for _ in range(2):
        known = await matcher.knowledge.consult(address, frozenset([KEY]))
        assert known is not None
        assert not known.address.counts_at(datetime.now(UTC))


async def test_a_user_who_shares_an_address_is_seen_when_they_arrive_between_two_look_ups(
    matcher: Matcher,
) -> None:
    address = await matcher.address()
    await matcher.put("c1", KEY, "b@mail.example")
    matcher.directory.race.meanwhile = lambda: matcher.put("u2", "b@mail.example", kind=Kind.USER)
    assert await matcher.who(address, KEY) == ["c1", "u2"]
    assert await matcher.who(address, KEY) == ["c1", "u2"]


async def test_a_slow_decision_leaves_nothing_old_in_what_a_newer_one_remembers(
    matcher: Matcher,
) -> None:
    """Between the second reading and its answer a change lands, and another decision sees it."""
    address = await matcher.address()

    async def change_and_decide() -> None:
        await matcher.put("c1", KEY)
        assert await matcher.who(address) == []  # remembers at the new version, not this key

    async def before_the_second_reading() -> None:
        matcher.versions.race.meanwhile = change_and_decide

    matcher.directory.race.meanwhile = before_the_second_reading
    assert await matcher.who(address, KEY) == [], "it began before the change"
    assert await matcher.who(address, KEY) == ["c1"]


async def test_what_was_forgotten_during_the_look_up_is_looked_up_again() -> None:
    matcher = Matcher(max_entries=3)
    address, other = await matcher.address(), await matcher.address("other")

    async def others_take_the_room() -> None:
        await matcher.who(other, "x@x.example", "y@x.example")

    async def before_the_second_reading() -> None:
        matcher.versions.race.meanwhile = others_take_the_room

    await matcher.put("c1", KEY)
    await matcher.who(address)
    matcher.directory.race.meanwhile = before_the_second_reading
    assert await matcher.who(address, KEY) == ["c1"]
    assert await matcher.who(address, KEY) == ["c1"]


async def test_a_decision_about_an_account_that_never_rests_is_taken_and_not_remembered(
    matcher: Matcher,
) -> None:
    address = await matcher.address()
    written = 0

    async def write() -> None:
        nonlocal written
        written += 1
        matcher.directory.race.meanwhile = write
        await matcher.put(f"c{written}", KEY)

    matcher.directory.race.meanwhile = write
    before = look_ups("database")
    assert await matcher.who(address, KEY) == ["c1", "c2", "c3"], "as new as the last look-up"
    assert matcher.directory.look_ups.count([KEY]) == 4, "three tries, and one that is used"
    assert look_ups("database") - before == 1
    matcher.directory.race.meanwhile = None
    assert await matcher.who(address, KEY) == ["c1", "c2", "c3", "c4"]
    assert matcher.directory.look_ups.count([KEY]) == 5


async def test_what_is_known_is_not_looked_up_again(matcher: Matcher) -> None:
    address = await matcher.address()
    await matcher.put("c1", KEY)
    before = look_ups("cache"), look_ups("database")
    for _ in range(3):
        assert await matcher.who(address, KEY, "nobody@mail.example") == ["c1"]
    assert len(matcher.directory.look_ups) == 1, "that an address is nobody's is known, too"
    assert look_ups("database") - before[1] == 1
    assert look_ups("cache") - before[0] == 2
    assert await matcher.who(address, KEY, "second@mail.example") == ["c1"]
    assert matcher.directory.look_ups[1:] == [["second@mail.example"]], "only what is missing"
    assert len(matcher.addresses.look_ups) == 2, "for its account, and for its record"


async def test_after_a_minute_everything_is_looked_up_again(
    matcher: Matcher, clock: list[float]
) -> None:
    """A change that was written but never acknowledged is seen after that."""
    address = await matcher.address()
    await matcher.who(address, KEY)
    matcher.directory.people[ACCOUNT, "c1"] = person_of("c1", Kind.CANDIDATE, "", [KEY])
    clock[0] += 60
    assert await matcher.who(address, KEY) == []
    clock[0] += 0.1
    assert await matcher.who(address, KEY) == ["c1"]
    clock[0] += 60
    await matcher.who(address, KEY)
    assert len(matcher.directory.look_ups) == 2


async def test_the_account_that_was_not_asked_for_longest_is_forgotten_first() -> None:
    matcher = Matcher(max_entries=6)
    first, second, third = [await matcher.address(account) for account in ("a", "b", "c")]
    await matcher.who(first, KEY, "1@x.example")
    await matcher.who(second, KEY, "1@x.example")
    await matcher.who(first, KEY)
    assert len(matcher.directory.look_ups) == 2, "six entries have room"
    await matcher.who(third)  # the seventh
    await matcher.who(first, KEY, "1@x.example")
    assert len(matcher.directory.look_ups) == 2, "it was asked for after the second"
    await matcher.who(second, KEY)
    assert matcher.directory.look_ups[2:] == [[KEY]]


async def test_an_account_that_changes_often_takes_the_room_of_no_other() -> None:
    matcher = Matcher(max_entries=5)
    quiet, busy = await matcher.address("quiet"), await matcher.address("busy")
    await matcher.who(quiet, KEY)
    for n in range(10):
        await matcher.put("c1", f"{n}@mail.example", account="busy")
        await matcher.who(busy, KEY)
    before = len(matcher.directory.look_ups)
    await matcher.who(quiet, KEY)
    assert len(matcher.directory.look_ups) == before


async def test_which_account_an_address_belongs_to_is_remembered_in_bounded_memory() -> None:
    matcher = Matcher(max_entries=2)
    one, two, three = [await matcher.address(person_id=f"u{n}") for n in range(3)]
    for address in (one, two, one, two):
        await matcher.who(address)
    assert len(matcher.addresses.look_ups) == 2 + 2, "the account of each, and the record of each"
    await matcher.who(three)  # more than two are not remembered
    assert len(matcher.knowledge._account_of) == 1


async def test_an_address_without_a_record_is_unknown_until_it_has_one(matcher: Matcher) -> None:
    unknown = f"user.0@{DOMAIN}"
    assert await matcher.knowledge.consult(unknown, frozenset()) is None
    assert await matcher.address() == unknown
    assert await matcher.who(unknown) == []


async def test_a_record_that_is_gone_is_unknown_although_its_account_is_known(
    matcher: Matcher,
) -> None:
    address = await matcher.address()
    await matcher.who(address)
    del matcher.addresses.records[address]
    await matcher.put("c1", KEY)
    assert await matcher.knowledge.consult(address, frozenset()) is None


async def test_each_person_is_considered_once_and_users_who_share_with_profiles_alone(
    matcher: Matcher,
) -> None:
    await matcher.put("c1", KEY, "b@mail.example")
    await matcher.put("u1", "b@mail.example", kind=Kind.USER)
    await matcher.put("g1", "guest@x.example", "c@mail.example", kind=Kind.GUEST)
    await matcher.put("u2", "c@mail.example", kind=Kind.USER)
    address = await matcher.address()
    keys = [KEY, "b@mail.example", "guest@x.example"]
    people = await matcher.knowledge.people(ACCOUNT, frozenset([*keys[:1], keys[2]]))
    assert sorted(person.person_id for person in people) == ["c1", "g1", "u1"]
    assert matcher.directory.look_ups[1:] == [["b@mail.example"]], "only what was not asked yet"
    assert await matcher.who(address, *keys) == ["c1", "g1", "u1"]
    await matcher.knowledge.people(ACCOUNT, frozenset(keys))
    assert matcher.directory.look_ups[-1] == sorted(keys), "right now: from no cache"


async def never(matcher: Matcher, address: str) -> list[str]:
    known = await matcher.knowledge.consult(address, frozenset([KEY]))
    assert known is not None
    beside = known.never.beside.addresses if known.never.beside else frozenset()
    return sorted(known.never.addresses | beside)


async def test_the_lists_of_the_account_and_of_the_owner_count_together(matcher: Matcher) -> None:
    one, other = await matcher.address(), await matcher.address(person_id="u2")
    for person_id in ("", "u1", "u3"):
        listed = never_capture_of([f"never-{person_id or 'account'}@x.example"], [])
        await matcher.never.put(ACCOUNT, person_id, listed)
    assert await never(matcher, one) == ["never-account@x.example", "never-u1@x.example"]
    assert await never(matcher, other) == ["never-account@x.example"]
    assert await never(matcher, await matcher.address("elsewhere", "u1")) == []


async def test_lists_are_not_looked_up_again_until_the_account_changes(matcher: Matcher) -> None:
    address = await matcher.address()
    for _ in range(3):
        assert await never(matcher, address) == []
    assert matcher.never.look_ups == [["", "u1"]], "that there is none is remembered, too"
    await matcher.put("c9", "other@mail.example")
    await never(matcher, address)
    assert len(matcher.never.look_ups) == 2
    await never(matcher, await matcher.address(person_id="u2"))
    assert matcher.never.look_ups[2:] == [["u2"]], "only what is missing"


async def test_a_list_that_changes_during_the_look_up_decides_this_mail_and_the_next(
    matcher: Matcher,
) -> None:
    address = await matcher.address()
    listed = never_capture_of([KEY], [])
    matcher.never.race.meanwhile = lambda: matcher.never.put(ACCOUNT, "u1", listed)
    assert await never(matcher, address) == [KEY]
    assert await never(matcher, address) == [KEY]
    assert len(matcher.never.look_ups) == 2, "what holds is remembered"
    await matcher.never.put(ACCOUNT, "u1", NOTHING)
    assert await never(matcher, address) == []


async def test_a_list_that_changes_while_someone_is_looked_up_decides_all_the_same(
    matcher: Matcher,
) -> None:
    address = await matcher.address()
    await never(matcher, address)
    listed = never_capture_of([], ["mail.example"])
    matcher.directory.race.meanwhile = lambda: matcher.never.put(ACCOUNT, "", listed)
    for key in ("x@x.example", "y@x.example"):
        known = await matcher.knowledge.consult(address, frozenset([key]))
        assert known is not None
        assert known.never.names(KEY)


async def test_long_lists_take_room_too() -> None:
    matcher = Matcher(max_entries=50)
    first, second = await matcher.address("a"), await matcher.address("b")
    for account in ("a", "b"):
        listed = never_capture_of([f"{n}@x.example" for n in range(40)], [])
        await matcher.never.put(account, "", listed)
    for address in (first, second, first):
        assert len(await never(matcher, address)) == 40
    assert len(matcher.never.look_ups) == 3, "both have no room"
    assert matcher.knowledge._entries <= 50
