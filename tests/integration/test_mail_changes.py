"""A copy of an account's mail by `GET /v1/mails`: complete, whichever process writes, and when."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from services.timeline.query.cursors import InvalidCursor
from services.timeline.query.mail_changes import ChangePage, Position
from services.timeline.query.viewer import Viewer
from services.timeline.write import mail_changes as stamping
from services.timeline.write.consumer import Projector
from services.timeline.write.writer import Writer
from shared.broker import Delivery
from shared.contracts.events import Role
from shared.storage.database import connect
from tests.marks import in_full
from tests.timeline_parts import ACCOUNT, Timeline, a_timeline, attached, mail, match

ALL = Viewer(ACCOUNT, "", sees_all=True)


@pytest.fixture
async def timeline(mongodb_url: str, tmp_path: Path) -> AsyncIterator[Timeline]:
    async with a_timeline(mongodb_url, tmp_path) as timeline:
        yield timeline


class Copy:
    """A reader that keeps a copy."""

    def __init__(self, timeline: Timeline, limit: int = 200) -> None:
        self._timeline, self._limit = timeline, limit
        self.cursor: str | None = None
        self.told: list[str] = []
        self.captures: dict[str, int] = {}
        """Of each mail, how many of its captures the copy has."""

    async def read(self, since: datetime | None = None) -> list[str]:
        """Read what there is; return the ids of what was told."""
        told: list[str] = []
        while True:
            page: ChangePage = await self._timeline.changes.page(
                ALL, self._limit, self.cursor, since
            )
            for item in page.items:
                told.append(item.shown.mail.id)
                self.captures[item.shown.mail.id] = len(item.shown.mail.captures)
            self.cursor = page.cursor
            if not page.more:
                self.told += told
                return told


async def stored(timeline: Timeline) -> dict[str, int]:
    found = timeline.database.mails.find({"account": ACCOUNT})
    return {one["_id"]: len(one["captures"]) async for one in found}


async def test_each_mail_is_told_once_and_again_when_it_changes(timeline: Timeline) -> None:
    copy = Copy(timeline, limit=2)
    for n in range(5):
        await timeline.handle(attached(), mail(message_id=f"{n}@x"))
    assert sorted(await copy.read()) == sorted(await stored(timeline))
    assert await copy.read() == []
    await timeline.handle(attached(owner="u2"), mail(message_id="3@x"))
    [again] = await copy.read()
    assert copy.captures == await stored(timeline)
    assert copy.captures[again] == 2
    await timeline.handle(attached(), mail(message_id="3@x"))
    assert await copy.read() == [], "what changes nothing is no change"


async def test_another_account_is_told_nothing(timeline: Timeline) -> None:
    await timeline.handle(attached(), mail())
    other = Viewer("globex", "", sees_all=True)
    page = await timeline.changes.page(other, 10, None, None)
    assert (page.items, page.more) == ([], False)


async def test_since_a_time(timeline: Timeline) -> None:
    await timeline.handle(attached(), mail(message_id="1@x"))
    between = datetime.now(UTC)
    await timeline.handle(attached(), mail(message_id="2@x"))
    assert len(await Copy(timeline).read(between)) == 1
    assert len(await Copy(timeline).read(between - timedelta(days=1))) == 2
    assert await Copy(timeline).read(between + timedelta(days=1)) == []
    late = Copy(timeline)
    await late.read(datetime.now(UTC))
    await timeline.handle(attached(), mail(message_id="3@x"))
    assert len(await late.read()) == 1, "the time is of the first page alone"


async def test_a_back_end_sees_what_only_its_owner_sees(timeline: Timeline) -> None:
    await timeline.settings.set_visibility(ACCOUNT, "owner")
    hidden = attached(match(role=Role.BCC), owner="u2")
    await timeline.handle(hidden, mail(to="o@x.example", bcc="cand@mail.example"))
    [told] = (await timeline.changes.page(ALL, 10, None, None)).items
    assert [m.person_id for m in told.shown.matches] == ["c1"]
    person = Viewer(ACCOUNT, "u1")
    assert (await timeline.changes.page(person, 10, None, None)).items == []


async def test_mail_from_before_is_told_first_and_once(timeline: Timeline) -> None:
    for n in range(7):
        await timeline.handle(attached(), mail(message_id=f"{n}@x"))
    await timeline.database.mails.update_many({}, {"$unset": {"slot": "", "change": ""}})
    await timeline.database.mail_changes.delete_many({})
    copy = Copy(timeline, limit=3)
    page = await timeline.changes.page(ALL, 3, None, None)
    assert [item.at for item in page.items] == [None] * 3
    await timeline.handle(attached(owner="u2"), mail(message_id="2@x"))
    await timeline.handle(attached(), mail(message_id="7@x"))
    assert sorted(await copy.read()) == sorted(await stored(timeline))
    assert copy.captures == await stored(timeline)
    assert await copy.read() == []


@asynccontextmanager
async def replicas(timeline: Timeline, url: str, count: int) -> AsyncIterator[list[Projector]]:
    """Open more writers on the timeline's database, as replicas are."""
    writers: list[Writer] = []
    clients = [connect(url, "test") for _ in range(count)]
    for client in clients:
        writers.append(Writer(client, client[timeline.database.name], timeline.blobs))
    yield [
        Projector(writer, timeline.blobs, timeline.settings, timeline.erased) for writer in writers
    ]
    for writer, client in zip(writers, clients, strict=True):
        await writer.close()
        await client.close()


@pytest.mark.parametrize("slots", [64, *in_full(1)], ids=["slots of their own", "one slot for all"])
async def test_nothing_is_missed_under_concurrent_writers(
    timeline: Timeline,
    mongodb_url: str,
    monkeypatch: pytest.MonkeyPatch,
    share: float,
    slots: int,
) -> None:
    """Writers wait between their stamps and their commit, so what is stamped first commits last."""
    pauses = random.Random(1)
    made = stamping.stamps_for

    async def slowly(database, draft, slot, session):  # type: ignore[no-untyped-def] # as it is
        stamps = await made(database, draft, slot % slots, session)
        await asyncio.sleep(pauses.choice([0, 0, 0.01, 0.05]))
        return stamps

    monkeypatch.setattr("services.timeline.write.committing.stamps_for", slowly)
    mails, captures = int(400 * share), itertools.count(10**6)
    copy, is_written = Copy(timeline, limit=7), asyncio.Event()

    async def write(number: int, projector: Projector) -> None:
        for n in range(mails):
            event = attached(capture_id=UUID(int=next(captures)), owner=f"u{number}")
            raw = mail(message_id=f"{n if n % 3 else f'{number}-{n}'}@x")
            await projector.handle(Delivery(event, raw, redelivered=False))

    async def read() -> None:
        while not is_written.is_set():
            await copy.read()
            await asyncio.sleep(0)

    async with replicas(timeline, mongodb_url, 4) as projectors:
        reading = asyncio.create_task(read())
        await asyncio.gather(*(write(n, p) for n, p in enumerate(projectors)))
        is_written.set()
        await reading
    during = len(copy.told)
    await copy.read()
    assert during > 0
    assert copy.captures == await stored(timeline)
    assert len(copy.captures) > mails


async def test_pages_read_one_range_of_the_index(timeline: Timeline) -> None:
    for n in range(30):
        await timeline.handle(attached(), mail(message_id=f"{n}@x"))
    copy = Copy(timeline)
    await copy.read()
    position = Position.decode(copy.cursor or "")
    [slot] = position.slots
    query = {"account": ACCOUNT, "slot": slot, "change": {"$gt": 0}}
    found = timeline.database.mails.find(query).hint("by_change").sort("change").limit(5)
    plan = await found.explain()
    stages = str(plan["queryPlanner"]["winningPlan"])
    assert "SORT" not in stages
    assert plan["executionStats"]["totalDocsExamined"] == 5


@pytest.mark.parametrize("cursor", ["", "x", "AA", "!!", "A" * 43, "AX5-fg", "ÿ"])
async def test_what_is_no_cursor_is_refused(timeline: Timeline, cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        await timeline.changes.page(ALL, 10, cursor, None)


def test_a_cursor_of_all_slots_is_within_its_bound() -> None:
    position = Position(b"a" * 32, dict.fromkeys(range(64), 2**62))
    assert len(position.encode()) <= 1000
    assert Position.decode(position.encode()) == position
