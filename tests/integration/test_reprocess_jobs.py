"""An account's mail is read again when an operator asks for it over the API."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.timeline.admin.reprocess_jobs import Reprocessing, ReprocessJobs
from services.timeline.admin.reprocess_preview import ReprocessPreview
from services.timeline.content.reader import READER_VERSION
from services.timeline.write.side_records import ReprocessJob
from tests.timeline_parts import ACCOUNT, Timeline, a_timeline, attached, mail


@pytest.fixture
async def timeline(mongodb_url: str, tmp_path: Path) -> AsyncIterator[Timeline]:
    async with a_timeline(mongodb_url, tmp_path) as timeline:
        for n in range(9):
            account = ACCOUNT if n < 7 else "globex"
            await timeline.handle(attached(account=account), mail(message_id=f"{n}@x"))
        read = {
            "text": "Read otherwise.",
            "reader_version": READER_VERSION - 1,
            "read_at": datetime.now(UTC) - timedelta(days=1),
        }
        await timeline.database.contents.update_many({}, {"$set": read})
        yield timeline


def a_part(timeline: Timeline) -> Reprocessing:
    return Reprocessing(timeline.database, timeline.writer, timeline.blobs, batch=2)


async def ask(timeline: Timeline) -> ReprocessJob:
    return await ReprocessJobs(timeline.database).ask(ACCOUNT, "admin", include_current=False)


async def now(timeline: Timeline, job: ReprocessJob) -> ReprocessJob:
    found = await ReprocessJobs(timeline.database).one(ACCOUNT, job.id)
    assert found is not None
    return found


async def old(timeline: Timeline, account: str) -> int:
    which = {"account": account, "text": "Read otherwise."}
    return await timeline.database.contents.count_documents(which)


async def test_what_was_previewed_is_changed_of_this_account_alone(timeline: Timeline) -> None:
    preview = ReprocessPreview(timeline.database, timeline.blobs)
    page = await preview.page(100, account=ACCOUNT)
    assert page.tally == {"changed": 7}
    job = await ask(timeline)
    assert (await ask(timeline)).id == job.id
    assert await old(timeline, ACCOUNT) == 7
    await a_part(timeline).once()
    found = await now(timeline, job)
    assert (found.state, sum(found.tally.values())) == ("done", 7)
    assert (await old(timeline, ACCOUNT), await old(timeline, "globex")) == (0, 2)
    assert not (await preview.page(100, account=ACCOUNT)).items
    assert await ReprocessJobs(timeline.database).one("globex", job.id) is None
    assert (await ask(timeline)).id != job.id


async def test_replicas_race_and_die_and_each_content_is_read_once(timeline: Timeline) -> None:
    job = await ask(timeline)
    dying = asyncio.create_task(a_part(timeline).once())
    while not (await now(timeline, job)).position and not dying.done():
        await asyncio.sleep(0)
    dying.cancel()
    await asyncio.wait([dying])
    await timeline.database.reprocess_jobs.update_many({}, {"$unset": {"until": ""}})
    await asyncio.gather(*(a_part(timeline).once() for _ in range(3)))
    await a_part(timeline).once()
    found = await now(timeline, job)
    assert found.state == "done"
    assert sum(found.tally.values()) <= 7
    assert await old(timeline, ACCOUNT) == 0
