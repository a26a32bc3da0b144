"""What time alone brings is noticed: counted by kind, and told to its owner once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from services.timeline.admin import setup_watch
from services.timeline.admin.setup_watch import SetupWatch
from services.timeline.query.setup import Setups, half_view, notices
from services.timeline.write.people import People
from shared.broker import Delivery
from shared.contracts.event_examples import examples
from shared.contracts.events import (
    CaptureAddressChanged,
    Half,
    Leak,
    MailWatched,
    PersonChanged,
    PersonDeleted,
)
from tests.timeline_parts import ACCOUNT, NOW, Timeline, a_timeline, dismissed

DAY = timedelta(days=1)


@pytest.fixture
async def timeline(mongodb_url: str, tmp_path: Path) -> AsyncIterator[Timeline]:
    async with a_timeline(mongodb_url, tmp_path) as timeline:
        yield timeline


def counted(kind: str) -> float | None:
    return REGISTRY.get_sample_value("satchel_setup_notices", {"kind": kind})


async def seen(timeline: Timeline, owner: str, half: Half, at: datetime) -> None:
    changes = {"owner": owner, "half": half, "received_at": at, "decided_at": at}
    await timeline.handle(dismissed().model_copy(update=changes))


async def daily(timeline: Timeline, owner: str, half: Half, last: datetime = NOW) -> None:
    for day in reversed(range(14)):
        await seen(timeline, owner, half, last - day * DAY)


async def told(timeline: Timeline) -> list[str]:
    """Return who was told of their set-up since this was asked last."""
    found = await timeline.database.changes.find().sort("_id").to_list()
    await timeline.database.changes.delete_many({})
    return [hint["viewer"] for hint in found]


async def leaves(timeline: Timeline, owner: str) -> None:
    example = examples()[CaptureAddressChanged.tag]
    left = example.model_copy(
        update={
            "account": ACCOUNT,
            "person_id": owner,
            "address": f"{owner}@x",
            "state": "revoked",
            "valid_until": NOW,
        }
    )
    await People(timeline.database).handle(Delivery(left, b"", redelivered=False))


async def test_a_half_that_went_silent_is_told_once_and_until_it_is_back(
    timeline: Timeline,
) -> None:
    setups = Setups(timeline.database)
    watch = SetupWatch(timeline.database, setups)
    await daily(timeline, "u1", Half.RECEIVED)
    await daily(timeline, "u2", Half.SENT, NOW + 20 * DAY)
    assert await told(timeline)
    await watch.look(NOW + 5 * DAY)
    assert (counted("silent_half"), await told(timeline)) == (0, [])
    for days in (6, 7, 8):
        await watch.look(NOW + days * DAY)
        assert counted("silent_half") == 1
    assert await told(timeline) == ["setup/u1"]
    known = await setups.of(ACCOUNT, "u1")
    [notice] = notices(known, NOW + 8 * DAY)
    assert (notice.kind, notice.since) == ("silent_half", NOW)
    await seen(timeline, "u1", Half.RECEIVED, NOW + 8 * DAY)
    await told(timeline)
    await watch.look(NOW + 8 * DAY)
    assert (counted("silent_half"), await told(timeline)) == (0, ["setup/u1"])
    known = await setups.of(ACCOUNT, "u1")
    assert half_view(known, Half.RECEIVED, NOW + 8 * DAY).state == "working"
    assert known.record.told == ()


async def test_each_kind_is_counted_and_of_who_has_left_none(timeline: Timeline) -> None:
    watch = SetupWatch(timeline.database, Setups(timeline.database))
    leak = Leak(capture_address="u1@x", mail_date=NOW)
    for owner in ("u1", "u2", "u3"):
        await daily(timeline, owner, Half.SENT)
        await timeline.handle(
            dismissed().model_copy(
                update={
                    "owner": owner,
                    "leak": leak.model_copy(update={"capture_address": f"{owner}@x"}),
                }
            )
        )
        asked = examples()["mail.confirmation.v1"]
        await timeline.handle(
            asked.model_copy(
                update={
                    "capture_id": dismissed().capture_id,
                    "account": ACCOUNT,
                    "owner": owner,
                    "received_at": NOW,
                }
            )
        )
    await leaves(timeline, "u3")
    await watch.look(NOW + 8 * DAY)
    kinds = ("silent_half", "leak", "confirmation_expired")
    assert [counted(kind) for kind in kinds] == [2, 2, 2]


async def test_with_a_person_goes_what_was_known_of_their_set_up(timeline: Timeline) -> None:
    people, database = People(timeline.database), timeline.database
    for owner in ("u1", "u2"):
        await daily(timeline, owner, Half.SENT)
        shown = examples()[MailWatched.tag].model_copy(
            update={"account": ACCOUNT, "owner": owner, "capture_id": dismissed().capture_id}
        )
        await timeline.handle(shown)
    changed = examples()[PersonChanged.tag].model_copy(
        update={"account": ACCOUNT, "person_id": "u1", "version": 3}
    )
    await people.handle(Delivery(changed, b"", redelivered=False))
    for version, left in ((2, {"u1", "u2"}), (4, {"u2"})):
        gone = PersonDeleted(account=ACCOUNT, person_id="u1", version=version)
        await people.handle(Delivery(gone, b"", redelivered=False))
        for name in ("setups", "half_days", "watched"):
            owners = {document["owner"] for document in await database[name].find().to_list()}
            assert owners == left, (name, version)


async def test_a_page_is_told_once_of_a_new_state_of_its_address(timeline: Timeline) -> None:
    for _ in range(3):
        await leaves(timeline, "u1")
    assert await told(timeline) == ["setup/u1"]


async def test_any_number_of_set_ups_is_looked_at_by_any_number_of_replicas(
    timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup_watch, "_AT_ONCE", 3)
    for number in range(7):
        await daily(timeline, f"u{number}", Half.RECEIVED)
    await told(timeline)
    replicas = [SetupWatch(timeline.database, Setups(timeline.database)) for _ in range(2)]
    for replica in replicas:
        await replica.look(NOW + 8 * DAY)
        assert counted("silent_half") == 7
    assert sorted(await told(timeline)) == [f"setup/u{number}" for number in range(7)]


async def test_captures_that_race_are_counted_once_each(timeline: Timeline) -> None:
    moments = [NOW + timedelta(minutes=number) for number in range(30)]
    await asyncio.gather(*(seen(timeline, "u1", Half.RECEIVED, moment) for moment in moments))
    days = await timeline.database.half_days.find().to_list()
    assert sum(day["count"] for day in days) == 30
    known = await Setups(timeline.database).of(ACCOUNT, "u1")
    assert known.last_seen == {"received": NOW + timedelta(minutes=29)}
