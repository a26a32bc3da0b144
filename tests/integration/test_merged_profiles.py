"""Merged profiles in every view of a real database, as the directory announces them."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench.costs import cost_of
from services.timeline.admin.merged_mails import MergedMails
from services.timeline.admin.quarantine import mails_for
from services.timeline.query.changes import Changes
from services.timeline.query.merges import survivor_of
from services.timeline.query.search_query import parse_query
from services.timeline.query.viewer import Viewer
from services.timeline.write.people import People
from services.timeline.write.told_merges import ToldMerges
from shared.broker import Delivery
from shared.contracts.events import (
    AuthenticationVerdict,
    Kind,
    MailAttached,
    PersonChanged,
    PersonDeleted,
    Role,
)
from shared.storage.database import connect
from tests.timeline_parts import ACCOUNT, Timeline, a_timeline, attached, mail, match

MERGE_ID = "019bc0de000070008000000000000002"
TEAM, OWN = Viewer(ACCOUNT, "u1"), Viewer(ACCOUNT, "u1", own_only=True)
VIEWERS = (TEAM, OWN, Viewer(ACCOUNT, "u2"), Viewer(ACCOUNT, "u2", own_only=True))
PEOPLE = ("c1", "c2", "c3")


@pytest.fixture
async def timeline(mongodb_url: str, tmp_path: Path) -> AsyncIterator[Timeline]:
    async with a_timeline(mongodb_url, tmp_path) as timeline:
        yield timeline


def changed(person: str, version: int, into: str | None = None) -> PersonChanged:
    return PersonChanged(
        account=ACCOUNT,
        person_id=person,
        version=version,
        kind=Kind.CANDIDATE,
        name=f"Person {person}",
        addresses=(f"{person}@mail.example",),
        merge_id=MERGE_ID,
        merged_into=into,
    )


async def told(timeline: Timeline, event: PersonChanged | PersonDeleted) -> None:
    await People(timeline.database).handle(Delivery(event, b"", redelivered=False))


async def write(
    timeline: Timeline,
    name: str,
    *people: str,
    owner: str = "u1",
    text: str = "The text.",
    hidden: str = "",
    minutes: int | None = None,
) -> None:
    """Attach a mail that names these people by their own addresses, one of them in Bcc.

    With minutes its date is later than its arrival, which it is listed by then.
    """
    matches = [match(one, f"{one}@mail.example") for one in people]
    matches += [match(hidden, f"{hidden}@mail.example", Role.BCC)] if hidden else []
    bcc = f"{hidden}@mail.example" if hidden else ""
    day = 15 if minutes is None else 20
    raw = mail(name, message_id=f"{name}@x", text=text, bcc=bcc, day=day)
    await timeline.handle(attached(*matches, owner=owner, minutes=minutes or 0), raw)


async def subjects(timeline: Timeline, person: str, viewer: Viewer = TEAM) -> list[str]:
    page = await timeline.mails.profile_timeline(viewer, person, 200, None)
    return sorted(shown.content.subject for shown in page.items)


async def of_inbox(timeline: Timeline, person: str | None, viewer: Viewer = TEAM) -> list[str]:
    page = await timeline.inbox.page(viewer, 200, None, person)
    unread = await timeline.inbox.unread.page(viewer, 200, None, person)
    found = sorted(item.row.first.subject for item in page.items)
    assert found == sorted(item.row.first.subject for item in unread.items)
    return found


async def profiles(timeline: Timeline, viewer: Viewer = TEAM) -> dict[str, list[str]]:
    page = await timeline.inbox.page(viewer, 200, None)
    return {i.row.first.subject: [p.person_id for p in i.row.persons] for i in page.items}


async def test_a_merge_and_its_undoing_count_at_once_in_every_view(timeline: Timeline) -> None:
    await write(timeline, "one", "c1")
    await write(timeline, "two", "c2")
    await write(timeline, "both", "c1", "c2")
    before = [await subjects(timeline, one) for one in ("c1", "c2")]
    assert before == [["both", "one"], ["both", "two"]]
    await told(timeline, changed("c1", 2, "c2"))
    await write(timeline, "later", "c1")
    for person in ("c1", "c2"):
        assert await subjects(timeline, person) == ["both", "later", "one", "two"]
        assert await of_inbox(timeline, person) == ["both", "later", "one", "two"]
    assert {*map(tuple, (await profiles(timeline)).values())} == {("c2",)}
    page = await timeline.mails.profile_timeline(TEAM, "c1", 200, None)
    assert page.profile == "c2"
    made = {s.content.subject: [(m.person_id, m.made_for) for m in s.matches] for s in page.items}
    assert made["one"] == [("c2", "c1")]
    assert made["both"] == [("c2", "c1"), ("c2", None)]
    await told(
        timeline,
        PersonDeleted(
            account=ACCOUNT, person_id="c1", version=3, merge_id=MERGE_ID, merged_into="c2"
        ),
    )
    assert await subjects(timeline, "c2") == ["both", "later", "one", "two"]
    await told(timeline, changed("c1", 4))
    assert await subjects(timeline, "c1") == ["both", "later", "one"]
    assert await of_inbox(timeline, "c1") == ["both", "later", "one"]
    assert await subjects(timeline, "c2") == ["both", "two"]
    assert (await profiles(timeline))["both"] == ["c1", "c2"]


async def test_merges_are_undone_in_another_order(timeline: Timeline) -> None:
    for person in PEOPLE:
        await write(timeline, person, person)
    await told(timeline, changed("c1", 2, "c2"))
    await told(timeline, changed("c2", 2, "c3"))
    assert await subjects(timeline, "c1") == [*PEOPLE]
    await told(timeline, changed("c1", 3))
    assert await subjects(timeline, "c1") == ["c1"]
    assert await subjects(timeline, "c2") == await subjects(timeline, "c3") == ["c2", "c3"]
    await told(timeline, changed("c1", 2, "c2"))  # delivered again, late
    assert await subjects(timeline, "c1") == ["c1"]
    await told(timeline, changed("c2", 3))
    assert [await subjects(timeline, person) for person in PEOPLE] == [["c1"], ["c2"], ["c3"]]


async def test_what_only_a_bcc_names_stays_its_owners_alone(timeline: Timeline) -> None:
    await write(timeline, "open", "c2")
    await write(timeline, "hidden", "c3", hidden="c1")
    await told(timeline, changed("c1", 2, "c2"))
    assert await subjects(timeline, "c2", TEAM) == ["hidden", "open"]
    assert await subjects(timeline, "c2", Viewer(ACCOUNT, "u2")) == ["open"]


async def test_a_search_within_a_profile_finds_what_was_merged_into_it(timeline: Timeline) -> None:
    await write(timeline, "one", "c1", text="Zebra.")
    await write(timeline, "two", "c2", text="Zebra.")
    await told(timeline, changed("c1", 2, "c2"))
    hits = await timeline.search.hits(TEAM, parse_query("zebra"), 10, None)
    items = await timeline.inbox.of_conversations(TEAM, hits.conversations)
    assert [[p.person_id for p in item.row.persons] for item in items] == [["c2"], ["c2"]]
    assert (await timeline.inbox.hiding.profile(ACCOUNT, "c1")).survivor == "c2"
    assert (await timeline.inbox.hiding.profile("other", "c1")).survivor == "c1"


async def test_what_is_removed_while_merged_stays_removed_from_whom_it_was_on(
    timeline: Timeline,
) -> None:
    await write(timeline, "one", "c1")
    await write(timeline, "two", "c2")
    await told(timeline, changed("c1", 2, "c2"))
    [mail_id] = [s.mail.id for s in await timeline.timeline("c2") if s.content.subject == "one"]
    assert await timeline.rulings.detach(TEAM, mail_id, "c3", undo=False) == "no_match"
    assert await timeline.rulings.detach(TEAM, mail_id, "c2", undo=False) == "done"
    assert await subjects(timeline, "c2") == ["two"]
    [shown] = await timeline.mails.several(TEAM, [mail_id])
    assert (shown.matches, shown.detached) == ([], ["c2"])
    await told(timeline, changed("c1", 3))
    assert await subjects(timeline, "c1") == []
    [shown] = await timeline.mails.several(TEAM, [mail_id])
    assert shown.detached == ["c1"]
    await told(timeline, changed("c1", 4, "c2"))
    assert await timeline.rulings.detach(TEAM, mail_id, "c1", undo=True) == "done"
    assert await subjects(timeline, "c2") == ["one", "two"]


async def test_what_waits_is_listed_for_the_profile_that_would_show_it(timeline: Timeline) -> None:
    await timeline.settings.set_quarantine(ACCOUNT, "failed")
    await timeline.handle(attached(verdict=AuthenticationVerdict.FAILED), mail())
    await told(timeline, changed("c1", 2, "c2"))
    [held] = (await timeline.quarantine.page(TEAM, 10, None)).items
    viewer = await timeline.quarantine.knowing(TEAM, [held])
    assert [m.person_id for one in mails_for(viewer, held) for m in one.matches] == ["c2"]
    whole = await timeline.quarantine.one(TEAM, held.id)
    assert whole is not None
    await timeline.release.release(whole)
    await told(timeline, changed("c1", 3))
    assert len(await timeline.timeline("c1")) == 1


async def test_open_pages_are_told_once_of_a_merge_and_of_its_undoing(timeline: Timeline) -> None:
    async def hints() -> int:
        return await timeline.database.changes.count_documents({"viewer": "**"})

    await told(timeline, changed("c1", 1))
    assert await hints() == 0
    for version, into, expected in ((2, "c2", 1), (2, "c2", 1), (3, "c2", 1), (4, None, 2)):
        await told(timeline, changed("c1", version, into))
        assert await hints() == expected
    await told(timeline, changed("c1", 2, "c2"))
    assert await hints() == 2
    since = await timeline.database.changes.find_one()
    assert since is not None
    for viewer in VIEWERS:
        assert await Changes(timeline.database).since(viewer, since["_id"], 10)


async def test_who_keeps_a_copy_gets_the_mails_that_are_shown_elsewhere_now(
    mongodb_url: str, timeline: Timeline
) -> None:
    back_end = Viewer(ACCOUNT, "", sees_all=True)

    async def changes(cursor: str | None) -> tuple[dict[str, list[str]], str]:
        page = await timeline.changes.page(back_end, 200, cursor, None)
        found = {
            i.shown.content.subject: sorted(m.person_id for m in i.shown.matches)
            for i in page.items
        }
        return found, page.cursor

    await write(timeline, "one", "c1")
    await write(timeline, "hidden", "c9", hidden="c1", owner="u2")
    await write(timeline, "two", "c2")
    await write(timeline, "three", "c3")
    _, cursor = await changes(None)
    replicas = [MergedMails(timeline.database, timeline.writer, batch=1) for _ in range(2)]
    await told(timeline, changed("c1", 2, "c2"))
    assert (await changes(cursor))[0] == {}
    await asyncio.gather(*(replica.once() for replica in replicas))
    found, cursor = await changes(cursor)
    assert found == {"one": ["c2"], "hidden": ["c2", "c9"]}
    await told(timeline, changed("c2", 2, "c3"))
    await replicas[0].once()
    found, cursor = await changes(cursor)
    assert found == {"one": ["c3"], "hidden": ["c3", "c9"], "two": ["c3"]}
    await told(timeline, changed("c2", 3))
    dead = ToldMerges(timeline.database)
    [waiting] = await dead.unstamped()
    assert await dead.holds(waiting)
    await replicas[1].once()
    assert (await changes(cursor))[0] == {}, "another replica has the lease"
    over = {"$set": {"until": datetime.now(UTC) - timedelta(seconds=1)}}
    await timeline.database.told_merges.update_many({"until": {"$exists": True}}, over)
    await replicas[1].once()
    found, cursor = await changes(cursor)
    assert found == {"one": ["c2"], "hidden": ["c2", "c9"], "two": ["c2"]}
    await replicas[0].once()
    assert (await changes(cursor))[0] == {}
    assert not await ToldMerges(timeline.database).holds(waiting)


async def test_pages_of_merged_profiles_are_those_of_one(timeline: Timeline) -> None:
    """Mails that name both have a row for each, at times with another content and date."""
    for n in range(12):
        people = (["c1"], ["c2"], ["c1", "c2"], ["c3"])[n % 4]
        await write(timeline, f"m{n}", *people, minutes=5 * n)
        if n % 3 == 0:  # a copy with another To, and another text
            other, later = "c2" if "c1" in people else "c1", 5 * n + 12
            await write(timeline, f"m{n}", other, owner="u2", text="Hm.", minutes=later)
    await told(timeline, changed("c1", 2, "c2"))
    for viewer in VIEWERS:
        whole = await timeline.mails.profile_timeline(viewer, "c2", 200, None)
        ids = [shown.mail.id for shown in whole.items]
        assert len(ids) == len({*ids})
        dates = [shown.capture.sort_date for shown in whole.items]
        assert dates == sorted(dates, reverse=True)
        for limit in (1, 2, 3):
            paged: list[str] = []
            cursor = None
            while True:
                page = await timeline.mails.profile_timeline(viewer, "c2", limit, cursor)
                paged += [shown.mail.id for shown in page.items]
                cursor = page.next_cursor
                if cursor is None:
                    break
            assert paged == ids
        listed = await of_inbox(timeline, "c2", viewer)
        assert len(listed) == len({*listed}) == len(ids)


async def test_a_page_of_merged_profiles_is_some_ranges_of_an_index(timeline: Timeline) -> None:
    for n in range(30):
        await write(timeline, f"m{n}", f"c{n % 10}")
    for n in range(1, 10):
        await told(timeline, changed(f"c{n}", 2, "c0"))

    async def page() -> None:
        await timeline.mails.profile_timeline(TEAM, "c0", 3, None)
        await timeline.inbox.page(TEAM, 3, None, "c0")

    cost = await cost_of(timeline.database, page)
    assert not cost.sorts
    assert not cost.scans, cost.plans


@pytest.mark.parametrize("seed", range(2))
async def test_any_order_beside_live_mail_on_two_replicas_shows_what_one_profile_would(
    mongodb_url: str, timeline: Timeline, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    events: list[tuple[MailAttached, bytes]] = []
    for n in range(20):
        people = chance.sample(PEOPLE, chance.randrange(1, 3))
        roles = [chance.choice((Role.TO, Role.TO, Role.BCC)) for _ in people]
        matches = [match(p, f"{p}@mail.example", r) for p, r in zip(people, roles, strict=True)]
        raw = mail(f"m{n % 8}", message_id=f"m{n % 8}@x", text=chance.choice(("A.", "B.")))
        owner = chance.choice(("u1", "u2"))
        events.append((attached(*matches, owner=owner, minutes=n), raw))
    merges = [
        *(changed("c1", v, into) for v, into in enumerate(("c2", None, "c3", "c2"), 2)),
        *(changed("c2", v, into) for v, into in enumerate(("c3", None, "c3"), 2)),
    ]
    merges += chance.sample(merges, 3)
    chance.shuffle(merges)
    async with connect(mongodb_url, "test") as client:
        other = Timeline(client, client[timeline.database.name], tmp_path)

        async def mails(replica: Timeline, some: list[tuple[MailAttached, bytes]]) -> None:
            for event, raw in some:
                await replica.handle(event, raw)

        async def merge() -> None:
            for event in merges:
                await told(other, event)
                await asyncio.sleep(0.005)

        await asyncio.gather(mails(timeline, events[::2]), mails(other, events[1::2]), merge())
        await other.writer.close()
    edges = {"c1": "c2", "c2": "c3"}
    views = [await _views(timeline, viewer) for viewer in VIEWERS]
    async with a_timeline(mongodb_url, tmp_path / "again") as again:
        for event, raw in events:
            whole = {
                (survivor_of(edges, m.person_id), m.address): m.model_copy(
                    update={"person_id": survivor_of(edges, m.person_id)}
                )
                for m in event.matches
            }
            await again.handle(event.model_copy(update={"matches": tuple(whole.values())}), raw)
        assert views == [await _views(again, viewer) for viewer in VIEWERS]
    for one in ("c1", "c2"):
        await told(timeline, changed(one, 9))
    async with a_timeline(mongodb_url, tmp_path / "apart") as apart:
        for event, raw in events:
            await apart.handle(event, raw)
        for viewer in VIEWERS:
            assert await _views(timeline, viewer) == await _views(apart, viewer)


async def _views(timeline: Timeline, viewer: Viewer) -> object:
    found: dict[str, object] = {}
    for person in PEOPLE:
        page = await timeline.mails.profile_timeline(viewer, person, 200, None)
        found[person] = (
            [
                (
                    shown.mail.id,
                    shown.content.key,
                    sorted((m.person_id, m.address) for m in shown.matches),
                )
                for shown in page.items
            ]
            if page.profile == person
            else []
        )
        found[f"{person}, inbox"] = (
            await of_inbox(timeline, person, viewer) if page.profile == person else []
        )
    return found, await profiles(timeline, viewer)
