"""What is seen, in every view, of profiles that were deleted, came back or were hired."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bench.costs import cost_of
from services.timeline.query.hidden_profiles import HiddenProfiles
from services.timeline.query.hiding import Reason
from services.timeline.query.search_query import parse_query
from services.timeline.query.viewer import Viewer
from services.timeline.write.people import People
from shared.broker import Delivery
from shared.contracts.events import (
    AuthenticationVerdict,
    Kind,
    PersonChanged,
    PersonDeleted,
    Role,
)
from shared.contracts.known_addresses import address_hash
from shared.contracts.outcomes import Done
from tests.holders_of_ids import Told
from tests.timeline_parts import ACCOUNT, Timeline, a_timeline, attached, mail, match

ONE, TWO, OWN = Viewer(ACCOUNT, "u1"), Viewer(ACCOUNT, "u2"), Viewer(ACCOUNT, "u1", own_only=True)
ALL = Viewer(ACCOUNT, "", sees_all=True)


@dataclass
class World:
    """A timeline, what it was told of people, and all views of it."""

    timeline: Timeline
    version: Iterator[int] = field(default_factory=lambda: iter(range(1, 1000)))

    async def told(self, event: Told) -> None:
        handled = await People(self.timeline.database).handle(
            Delivery(event, b"", redelivered=False)
        )
        assert handled == Done()

    async def put(
        self,
        person_id: str,
        *addresses: str,
        kind: Kind = Kind.CANDIDATE,
        known_by: tuple[str, ...] | None = None,
    ) -> Told:
        hashes = known_by and tuple(address_hash(ACCOUNT, person_id, key) for key in known_by)
        event = PersonChanged(
            account=ACCOUNT,
            person_id=person_id,
            version=next(self.version),
            kind=kind,
            name=f"Name of {person_id}",
            addresses=addresses,
            known_by=hashes,
        )
        await self.told(event)
        return event

    async def delete(self, person_id: str) -> Told:
        event = PersonDeleted(account=ACCOUNT, person_id=person_id, version=next(self.version))
        await self.told(event)
        return event

    async def capture(
        self, subject: str, *profiles: str, after: str = "", owner: str = "u1", minutes: int = 0
    ) -> str:
        """File a mail about profiles, `c1` by the address `c1@x`; return its id."""
        raw = mail(
            subject,
            message_id=f"{subject}@x",
            references=f"<{after}@x>" if after else "",
            text=f"Words of {subject}.",
            day=15 - minutes % 10,
        )
        matches = [match(profile, f"{profile}@x") for profile in profiles]
        await self.timeline.handle(attached(*matches, owner=owner, minutes=minutes), raw)
        found = await self.timeline.database.contents.find_one({"subject": subject})
        assert found is not None
        return str(found["mail_id"])

    async def inbox(self, viewer: Viewer = ONE, person_id: str | None = None) -> list[str]:
        page = await self.timeline.inbox.page(viewer, 50, None, person_id)
        return [item.row.last.snippet.split()[-1][:-1] for item in page.items]

    async def unread(self, viewer: Viewer = ONE, person_id: str | None = None) -> list[str]:
        page = await self.timeline.inbox.unread.page(viewer, 50, None, person_id)
        return [item.row.last.snippet.split()[-1][:-1] for item in page.items]

    async def searched(self, words: str, viewer: Viewer = ONE) -> int:
        hits = await self.timeline.search.hits(viewer, parse_query(words), 50, None)
        return len(hits.conversations)

    async def of_profile(self, person_id: str, viewer: Viewer = ONE) -> list[str] | Reason:
        page = await self.timeline.mails.profile_timeline(viewer, person_id, 50, None)
        return page.hidden or [shown.content.subject for shown in page.items]

    async def hidden(self, viewer: Viewer = ONE, limit: int = 50) -> dict[str, tuple[str, bool]]:
        """Return all hidden profiles, page by page."""
        found: dict[str, tuple[str, bool]] = {}
        cursor: str | None = None
        profiles = HiddenProfiles(self.timeline.database)
        while True:
            page = await profiles.page(viewer, limit, cursor)
            assert len(page.items) <= limit
            for one in page.items:
                assert one.person_id not in found
                found[one.person_id] = one.reason, one.in_use
            if page.next_cursor is None:
                return found
            cursor = page.next_cursor


@pytest.fixture
async def world(mongodb_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with a_timeline(mongodb_url, tmp_path) as timeline:
        yield World(timeline)


VIEWERS = pytest.mark.parametrize("viewer", [ONE, OWN], ids=["team", "own"])


@VIEWERS
@pytest.mark.parametrize("reason", ["deleted", "blocked", "became a user"])
async def test_of_a_hidden_profile_no_view_shows_anything_and_all_comes_back(
    world: World, viewer: Viewer, reason: str
) -> None:
    await world.put("u1", "one@team", kind=Kind.USER)
    await world.put("c1", "c1@x")
    await world.put("c2", "c2@x")
    id_ = await world.capture("Application", "c1")
    await world.capture("Other", "c2")

    async def views() -> tuple[object, ...]:
        inbox, mails = world.timeline.inbox, world.timeline.mails
        one = await mails.one(viewer, id_)
        conversation = one.conversation_id if one else "gone"
        return (
            sorted(await world.inbox(viewer)),
            await world.inbox(viewer, "c1"),
            sorted(await world.unread(viewer)),
            await world.unread(viewer, "c1"),
            await inbox.unread.count(viewer),
            await world.searched("application", viewer),
            await world.searched('"words of application"', viewer),
            await world.searched("applic", viewer),
            one is not None,
            await inbox.one(viewer, conversation) is not None,
            await mails.visible(viewer, [id_]),
        )

    shown = (
        *(["Application", "Other"], ["Application"], ["Application", "Other"], ["Application"]),
        *((2, False), 1, 1, 1, True, True, (id_,)),
    )
    assert await views() == shown
    if reason == "deleted":
        await world.delete("c1")
    elif reason == "blocked":
        await world.put("u9", "C1@X", kind=Kind.USER)
    else:
        await world.put("c1", "c1@x", kind=Kind.USER)
    why: Reason = "deleted" if reason == "deleted" else "blocked"
    assert await views() == (
        *(["Other"], [], ["Other"], []),
        *((1, False), 0, 0, 0, False, False, ()),
    )
    assert await world.of_profile("c1", viewer) == why
    assert await world.hidden(viewer) == {"c1": (why, why == "blocked")}
    back_end = await world.timeline.mails.one(ALL, id_)
    assert back_end is not None
    assert (back_end.hidden, len(back_end.matches)) == ({"c1": why}, 1)
    if reason == "blocked":
        await world.delete("u9")
    else:
        await world.put("c1", "c1@x")
    assert await views() == shown
    assert await world.of_profile("c1", viewer) == ["Application"]
    assert await world.hidden(viewer) == {}


async def test_nothing_depends_on_the_order_in_which_it_is_told(world: World) -> None:
    first = await world.put("c1", "c1@x")
    deleted = await world.delete("c1")
    last = await world.put("c1", "c1@x", "other@x")
    for event in (last, deleted, first, deleted, last):
        await world.told(event)
    await world.capture("Application", "c1")
    assert await world.of_profile("c1") == ["Application"]
    gone = await world.delete("c1")
    for event in (last, gone, first):
        await world.told(event)
    assert await world.of_profile("c1") == "deleted"


async def test_mail_that_comes_before_its_profile_is_told_of_is_shown(world: World) -> None:
    await world.capture("Early", "c1")
    assert await world.inbox() == ["Early"]


async def test_mail_that_comes_for_a_deleted_profile_is_hidden_until_it_returns(
    world: World,
) -> None:
    await world.delete("c1")
    await world.capture("Late", "c1")
    assert (await world.inbox(), await world.of_profile("c1")) == ([], "deleted")
    await world.put("c1", "c1@x")
    assert (await world.inbox(), await world.of_profile("c1")) == (["Late"], ["Late"])


async def test_of_an_id_that_somebody_else_has_now_the_old_mail_is_hidden(world: World) -> None:
    await world.put("c1", "c1@x")
    await world.capture("Old", "c1")
    await world.put("c1", "new@x", known_by=("new@x",))
    raw = mail("New", message_id="new@x", text="Words of New.")
    await world.timeline.handle(attached(match("c1", "new@x")), raw)
    assert await world.of_profile("c1") == ["New"]
    assert await world.inbox() == await world.inbox(person_id="c1") == ["New"]
    assert (await world.searched("old"), await world.searched("new")) == (0, 1)
    assert await world.hidden() == {"c1": ("deleted", True)}
    await world.put("u9", "new@x", kind=Kind.USER)
    assert await world.hidden() == {"c1": ("blocked", True)}
    await world.delete("u9")
    await world.put("c1", "new@x", "c1@x")
    assert sorted(await world.of_profile("c1")) == ["New", "Old"]
    assert await world.hidden() == {}


async def test_a_conversation_tells_nothing_of_the_hidden_mails_in_it(world: World) -> None:
    for profile in ("c1", "c2"):
        await world.put(profile, f"{profile}@x")
    shown = await world.capture("First", "c2", minutes=5)
    hidden = await world.capture("Zebra", "c1", after="First")
    both = await world.capture("Both", "c1", "c2", after="First", minutes=1)
    await world.put("c1", "c1@x", kind=Kind.USER)
    [item] = (await world.timeline.inbox.page(ONE, 50, None)).items
    assert "Zebra" not in repr(item.row)
    assert (item.row.mail_count, {p.person_id for p in item.row.persons}) == (2, {"c2"})
    assert await world.inbox(person_id="c2") == ["Both"]
    assert await world.inbox(person_id="c1") == []
    assert await world.unread() == ["Both"]
    conversation = item.row.conversation
    page = await world.timeline.mails.of_conversation(ONE, conversation, 50, None)
    assert [one.mail.id for one in page.items] == [both, shown]
    assert [{m.person_id for m in one.matches} for one in page.items] == [{"c2"}, {"c2"}]
    assert await world.searched("zebra") == 0
    assert await world.searched('"words of zebra"') == 0
    assert await world.searched("first") == 1
    assert await world.timeline.mails.one(ONE, hidden) is None
    await world.put("c1", "c1@x")
    assert await world.searched("zebra") == 1
    assert await world.inbox() == ["Zebra"]


async def test_a_later_page_of_a_search_finds_what_only_a_hidden_mail_had_found_before(
    world: World,
) -> None:
    await world.put("c1", "c1@x")
    await world.capture("Word", "c2", minutes=5)
    await world.capture("Newer", "c1", after="Word")
    await world.capture("Between", "c3", minutes=2)
    await world.delete("c1")
    found: list[str] = []
    cursor: str | None = None
    while True:
        hits = await world.timeline.search.hits(ONE, parse_query('"words"'), 1, cursor)
        found += hits.conversations
        if (cursor := hits.next_cursor) is None:
            break
    assert len(found) == len({*found}) == 2


async def test_a_content_that_names_hidden_profiles_alone_is_not_read_in_another(
    world: World,
) -> None:
    for profile in ("c1", "c2"):
        await world.put(profile, f"{profile}@x")
    genuine, copy = mail("Genuine", text="Zebra."), mail("Copy", text="Horse.")
    await world.timeline.handle(attached(match("c1", "c1@x")), genuine)
    await world.timeline.handle(attached(match("c2", "c2@x"), owner="u2", minutes=1), copy)
    await world.delete("c1")
    [item] = (await world.timeline.inbox.page(ONE, 50, None)).items
    assert (item.row.last.snippet, item.row.first.subject) == ("Horse.", "Copy")
    assert await world.searched("zebra") == 0
    [shown] = (await world.timeline.mails.profile_timeline(ONE, "c2", 50, None)).items
    assert (shown.content.subject, shown.variants) == ("Copy", {})


async def test_a_colleague_sees_nothing_of_what_only_a_bcc_leaves(world: World) -> None:
    await world.put("c1", "c1@x")
    bcc = match("c2", "c2@x", Role.BCC)
    await world.timeline.handle(attached(match("c1", "c1@x"), bcc), mail("Mail", bcc="c2@x"))
    await world.delete("c1")
    assert await world.of_profile("c2", ONE) == ["Mail"]
    assert await world.of_profile("c2", TWO) == []
    assert (await world.inbox(TWO), await world.searched("mail", TWO)) == ([], 0)


async def test_what_waits_in_quarantine_is_hidden_too(world: World) -> None:
    await world.timeline.settings.set_quarantine(ACCOUNT, "failed")
    failed = AuthenticationVerdict.FAILED
    await world.timeline.handle(attached(match("c1", "c1@x"), verdict=failed), mail())
    quarantine = world.timeline.quarantine
    [held] = (await quarantine.page(ONE, 50, None)).items
    assert await quarantine.one(ONE, held.id)
    await world.put("c1", "c1@x", kind=Kind.USER)
    assert await quarantine.one(ONE, held.id) is None
    await world.put("c1", "c1@x")
    assert await quarantine.one(ONE, held.id)


async def test_only_who_sees_mail_of_a_profile_is_told_that_it_is_hidden(world: World) -> None:
    await world.put("u1", "one@team", kind=Kind.USER)
    await world.delete("c9")
    await world.capture("Hers", "c1")
    await world.delete("c1")
    colleague = Viewer(ACCOUNT, "u2", own_only=True)
    assert (await world.hidden(colleague), await world.of_profile("c1", colleague)) == ({}, [])
    assert await world.hidden() == {"c1": ("deleted", False)}
    assert (await world.of_profile("c9"), await world.of_profile("u1")) == ([], [])


async def test_hidden_profiles_are_listed_page_by_page_each_once(world: World) -> None:
    for number in range(6):
        await world.put(f"u{number}", f"s{number}@x", f"s{number + 1}@x", kind=Kind.USER)
    expected: dict[str, tuple[str, bool]] = {}
    for number in range(12):
        profile = f"c{number:02}"
        await world.put(profile, f"s{number // 2}@x", f"{profile}@x")
        await world.capture(profile, profile, minutes=number)
        expected[profile] = "blocked", True
    for number in range(10):
        await world.capture(f"d{number}", f"d{number}")
        await world.delete(f"d{number}")
        expected[f"d{number}"] = "deleted", False
    for limit in (1, 3, 50):
        assert await world.hidden(limit=limit) == expected


async def test_what_an_older_timeline_stored_is_completed_when_it_is_told_again(
    world: World,
) -> None:
    user = await world.put("u9", "c1@x", kind=Kind.USER)
    candidate = await world.put("c1", "c1@x")
    await world.capture("Application", "c1")
    older = {"$unset": {"keys": 1, "may_hide": 1}}
    await world.timeline.database.people.update_many({}, older)
    assert await world.inbox() == ["Application"]
    for event in (user, candidate):
        await world.told(event)
    assert (await world.inbox(), await world.hidden()) == ([], {"c1": ("blocked", True)})


async def test_pages_are_as_full_and_cost_as_much_whatever_is_hidden(world: World) -> None:
    """A page of ten looks at the people of its own rows, and at users who share an address."""
    for number in range(60):
        profile = f"c{number:02}"
        await world.put(profile, f"{profile}@x")
        await world.capture(profile, profile, minutes=number)
    before = await cost_of(
        world.timeline.database, lambda: world.timeline.inbox.page(ONE, 10, None)
    )
    for number in range(0, 60, 2):
        await world.delete(f"c{number:02}")
    page = await world.timeline.inbox.page(ONE, 10, None)
    assert len(page.items) == 10
    after = await cost_of(world.timeline.database, lambda: world.timeline.inbox.page(ONE, 10, None))
    assert not after.scans
    assert not after.sorts
    assert after.documents <= 4 * before.documents
    listed = await cost_of(
        world.timeline.database, lambda: HiddenProfiles(world.timeline.database).page(ONE, 10, None)
    )
    assert not listed.scans
    assert listed.keys <= 10 * 60
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = await world.timeline.inbox.page(ONE, 7, cursor)
        seen += [item.row.conversation for item in page.items]
        if (cursor := page.next_cursor) is None:
            break
    assert len(seen) == len({*seen}) == 30
