"""What is seen, in every view, of merged profiles that are deleted, hired and parted again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bench.costs import cost_of
from services.timeline.admin.quarantine import mails_for
from services.timeline.query.hidden_profiles import HiddenProfiles
from services.timeline.query.hiding import Reason
from services.timeline.query.viewer import Viewer
from shared.contracts.events import AuthenticationVerdict, Kind, PersonChanged, PersonDeleted
from shared.contracts.known_addresses import address_hash
from tests.holders_of_ids import MERGE_ID
from tests.integration.test_hidden_profiles import ALL, ONE, OWN, TWO, World
from tests.timeline_parts import ACCOUNT, a_timeline, attached, mail, match

VIEWERS = pytest.mark.parametrize("viewer", [ONE, TWO, OWN], ids=["team", "colleague", "own"])


@pytest.fixture
async def world(mongodb_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with a_timeline(mongodb_url, tmp_path) as timeline:
        yield World(timeline)


async def merged(
    world: World,
    person_id: str,
    into: str | None,
    *addresses: str,
    kind: Kind = Kind.CANDIDATE,
    known_by: str | None = None,
) -> None:
    """Tell of somebody who is merged into another, or with None is not any more."""
    hashes = known_by and (address_hash(ACCOUNT, person_id, known_by),)
    event = PersonChanged(
        account=ACCOUNT,
        person_id=person_id,
        version=next(world.version),
        kind=kind,
        name=f"Name of {person_id}",
        addresses=addresses or (f"{person_id}@x",),
        known_by=hashes or None,
        merge_id=MERGE_ID,
        merged_into=into,
    )
    await world.told(event)


async def deleted(
    world: World, person_id: str, into: str | None, known_by: str | None = None
) -> None:
    """Tell that somebody who was merged is deleted."""
    hashes = known_by and (address_hash(ACCOUNT, person_id, known_by),)
    event = PersonDeleted(
        account=ACCOUNT,
        person_id=person_id,
        version=next(world.version),
        merge_id=MERGE_ID,
        merged_into=into,
        known_by=hashes or None,
    )
    await world.told(event)


async def of_profile(world: World, person_id: str, viewer: Viewer = ONE) -> list[str] | Reason:
    found = await world.of_profile(person_id, viewer)
    return sorted(found) if isinstance(found, list) else found


async def named(world: World, viewer: Viewer = ONE) -> set[str]:
    page = await world.timeline.inbox.page(viewer, 50, None)
    return {person.person_id for item in page.items for person in item.row.persons}


@VIEWERS
async def test_each_step_of_a_merged_profiles_life_shows_what_it_should(
    world: World, viewer: Viewer
) -> None:
    for person in ("c1", "c2", "c3"):
        await world.put(person, f"{person}@x")
    ids = {}
    for subject, people in (("One", ["c1"]), ("Two", ["c2"]), ("Both", ["c1", "c2"])):
        ids[subject] = await world.capture(subject, *people)
        await world.capture(subject, *people, owner="u2")
    await world.capture("With", "c1", "c3")
    await world.capture("With", "c1", "c3", owner="u2")
    inbox, mails = world.timeline.inbox, world.timeline.mails

    async def views() -> tuple[object, ...]:
        listed = sorted(await world.inbox(viewer))
        assert sorted(await world.unread(viewer)) == listed
        assert await inbox.unread.count(viewer) == (len(listed), False)
        for subject, id_ in ids.items():
            is_there = subject in listed
            assert (await mails.one(viewer, id_) is not None) is is_there
            assert await world.searched(subject.lower(), viewer) == int(is_there)
        found = [await of_profile(world, person, viewer) for person in ("c1", "c2")]
        for person, shown in zip(("c1", "c2"), found, strict=True):
            expected = shown if isinstance(shown, list) else []
            assert sorted(await world.inbox(viewer, person)) == expected
            assert sorted(await world.unread(viewer, person)) == expected
        return listed, found, await named(world, viewer), await world.hidden(viewer)

    whole = ["Both", "One", "Two", "With"]
    apart: tuple[object, ...] = (
        whole,
        [["Both", "One", "With"], ["Both", "Two"]],
        {"c1", "c2", "c3"},
        {},
    )
    as_one: tuple[object, ...] = (whole, [whole, whole], {"c2", "c3"}, {})
    assert await views() == apart
    await merged(world, "c1", "c2")
    assert await views() == as_one
    await deleted(world, "c1", "c2")
    assert await views() == as_one
    await world.put("c2", "c2@x", kind=Kind.USER)
    blocked = {"c2": ("blocked", True)}
    assert await views() == (["With"], ["blocked", "blocked"], {"c3"}, blocked)
    page = await mails.profile_timeline(viewer, "c1", 50, None)
    assert (page.items, page.profile, page.hidden) == ([], "c2", "blocked")
    await world.put("c2", "c2@x")
    assert await views() == as_one
    await world.delete("c2")
    gone = {"c2": ("deleted", False)}
    assert await views() == (["With"], ["deleted", "deleted"], {"c3"}, gone)
    await world.put("c2", "c2@x")
    await deleted(world, "c1", None)
    assert await views() == (
        ["Both", "Two", "With"],
        ["deleted", ["Both", "Two"]],
        {"c2", "c3"},
        {"c1": ("deleted", False)},
    )
    await merged(world, "c1", None)
    assert await views() == apart


async def test_one_profile_is_blocked_by_an_address_of_any_member_and_listed_once(
    world: World,
) -> None:
    for person in ("c1", "c2", "c3"):
        await world.capture(person, person)
    await world.put("c3", "c3@x")
    await merged(world, "c1", "c2", "c1@x", "other@x")
    await merged(world, "c2", "c3")
    for number, address in enumerate(("other@x", "c2@x", "C3@x", "c1@x")):
        await world.put(f"u{number}", address, kind=Kind.USER)
        for limit in (1, 50):
            assert await world.hidden(limit=limit) == {"c3": ("blocked", True)}
    assert (await world.inbox(), await world.of_profile("c1")) == ([], "blocked")
    for number in range(3):
        await world.delete(f"u{number}")
    await deleted(world, "c1", "c2")
    assert (len(await world.inbox()), await world.hidden()) == (3, {}), (
        "no person who is left has c1@x"
    )


async def test_a_member_that_is_hired_hides_the_profile_by_their_addresses(world: World) -> None:
    await world.put("c2", "c2@x")
    await world.capture("Mail", "c2")
    await merged(world, "c1", "c2", kind=Kind.USER)
    assert await world.of_profile("c2") == "blocked"
    assert await world.hidden() == {"c2": ("blocked", True)}
    await merged(world, "c1", "c2")
    assert await world.of_profile("c2") == ["Mail"]


async def test_whose_an_id_was_before_stays_a_matter_of_that_id(world: World) -> None:
    for person in ("c1", "c2"):
        await world.put(person, f"{person}@x")
        await world.capture(f"Of {person}", person)
    new = mail("New", message_id="new@x", text="Words of New.")
    await world.timeline.handle(attached(match("c1", "new@x")), new)
    await merged(world, "c1", "c2", "new@x", known_by="new@x")
    for _ in range(2):
        for person in ("c1", "c2"):
            assert await of_profile(world, person) == ["New", "Of c2"]
        assert await world.hidden() == {"c2": ("deleted", True)}
        [kept] = [one for one in await all_mails(world) if one[0] == "Of c1"]
        assert kept[1] == {"c2": "deleted"}
        await deleted(world, "c1", "c2", known_by="new@x")
    await merged(world, "c1", "c2", "c1@x", "new@x")
    assert await of_profile(world, "c2") == ["New", "Of c1", "Of c2"]
    assert await world.hidden() == {}


async def all_mails(world: World) -> list[tuple[str, dict[str, Reason]]]:
    page = await world.timeline.changes.page(ALL, 50, None, None)
    return [(one.shown.content.subject, one.shown.hidden) for one in page.items]


async def test_a_mail_is_at_one_place_of_a_profile_whatever_is_hidden(world: World) -> None:
    """Its row is that of a content which only a former holder's match names."""
    await world.put("c2", "c2@x")
    for minutes, address, text in ((0, "old@x", "Old."), (9, "new@x", "New.")):
        raw = mail("Mail", message_id="1@x", text=text, day=20)
        owner = f"u{1 + minutes % 2}"
        await world.timeline.handle(
            attached(match("c1", address), owner=owner, minutes=minutes), raw
        )
    await merged(world, "c1", "c2", "new@x", known_by="new@x")
    for viewer in (ONE, TWO):
        [shown] = (await world.timeline.mails.profile_timeline(viewer, "c2", 1, None)).items
        assert shown.content.snippet == "New."


async def test_what_waits_is_hidden_as_the_profile_that_would_show_it(world: World) -> None:
    await world.timeline.settings.set_quarantine(ACCOUNT, "failed")
    failed = AuthenticationVerdict.FAILED
    await world.timeline.handle(attached(match("c1", "c1@x"), verdict=failed), mail())
    await world.put("c2", "c2@x")
    await merged(world, "c1", "c2")
    await deleted(world, "c1", "c2")
    quarantine = world.timeline.quarantine
    [held] = (await quarantine.page(ONE, 50, None)).items
    viewer = await quarantine.knowing(ONE, [held])
    assert [m.person_id for one in mails_for(viewer, held) for m in one.matches] == ["c2"]
    await world.put("c2", "c2@x", kind=Kind.USER)
    assert await quarantine.one(ONE, held.id) is None


async def test_pages_cost_what_their_rows_and_merged_profiles_do(world: World) -> None:
    for number in range(60):
        profile = f"c{number:02}"
        await world.put(profile, f"{profile}@x")
        await world.capture(profile, profile, minutes=number)
    database, inbox = world.timeline.database, world.timeline.inbox
    before = await cost_of(database, lambda: inbox.page(ONE, 10, None))
    for number in range(0, 60, 3):
        await merged(world, f"c{number + 1:02}", f"c{number:02}")
        await deleted(world, f"c{number + 1:02}", f"c{number:02}")
        if number % 2:
            await world.delete(f"c{number:02}")
    page = await inbox.page(ONE, 10, None)
    assert len(page.items) == 10
    for view in (
        lambda: inbox.page(ONE, 10, None),
        lambda: inbox.unread.page(ONE, 10, None),
        lambda: HiddenProfiles(database).page(ONE, 10, None),
        lambda: inbox.page(ONE, 10, None, "c01"),
        lambda: world.timeline.mails.profile_timeline(ONE, "c01", 10, None),
    ):
        after = await cost_of(database, view)
        assert not after.scans, after.plans
        assert not after.sorts
        assert after.documents <= 6 * before.documents
    assert len(await world.hidden()) == 10
