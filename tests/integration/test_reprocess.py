"""Every stored mail made anew from its raw bytes, as today's reader has it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.timeline.admin.reprocess import Reprocess
from services.timeline.write import projection
from shared.contracts.outcomes import Done
from tests.integration.test_conversations import Letter, deliver, letters, rows
from tests.timeline_parts import Timeline, a_timeline, attached, mail


@pytest.fixture
async def timeline(mongodb_url: str, tmp_path: Path) -> AsyncIterator[Timeline]:
    async with a_timeline(mongodb_url, tmp_path) as timeline:
        yield timeline


async def run(timeline: Timeline, *, anew: bool = False, batches: int = 100) -> Counter[str]:
    """Run the chore, interrupted after so many batches."""
    chore = Reprocess(timeline.writer, timeline.database, timeline.blobs)
    _, _, tally = await chore.begin(anew=anew)
    stopping, left = asyncio.Event(), iter(range(batches - 1))

    def step(_: int) -> None:
        if next(left, None) is None:
            stopping.set()

    await chore.run(stopping, step, tally)
    return tally


async def filled(timeline: Timeline) -> list[Letter]:
    made = letters(7, 60)
    for letter in made:
        await deliver(timeline, letter)
    return made


async def test_what_this_reader_made_stays_as_it_is(timeline: Timeline) -> None:
    await filled(timeline)
    before = await rows(timeline)
    assert (await run(timeline)).keys() == {"unchanged"}
    tally = await run(timeline, anew=True)
    assert tally.keys() == {"unchanged"}, "made anew, it is the same"
    assert await rows(timeline) == before


async def test_what_an_older_reader_made_is_made_anew(timeline: Timeline) -> None:
    await filled(timeline)
    before = await rows(timeline)
    old = {"text": "", "snippet": "?", "subject": "?", "attachments": []}
    await timeline.database.contents.update_many({}, {"$set": {**old, "reader_version": 0}})
    await timeline.database.mail_rows.update_many(
        {}, {"$set": {"snippet": "?", "subject": "?", "terms": [], "has_attachments": True}}
    )
    await timeline.database.conversations.update_many(
        {},
        {"$set": {"first.subject": "?", "last.snippet": "?", "with_attachments": 9}},
    )
    tally = await run(timeline)
    assert tally["changed"] > 0
    assert tally["raw_missing"] == tally["without_capture"] == 0
    assert await rows(timeline) == before


async def test_it_goes_on_where_it_was_interrupted(timeline: Timeline) -> None:
    await filled(timeline)
    total = await timeline.database.contents.count_documents({})
    assert total > 64, "more than one batch"
    assert (await run(timeline, batches=1)).total() == 64
    assert (await run(timeline)).total() == total


async def test_a_mail_that_is_another_one_now_moves_with_all_its_rows(
    timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:  # an older identity
        patch.setattr(projection, "mail_id", lambda account, mail, raw: mail.subject[-1] * 32)
        for subject in ("Mail a", "Mail b"):
            raw = mail(subject, message_id=f"{subject[-1]}@x")
            assert await timeline.handle(attached(), raw) == Done()
    before = [
        (item.row.conversation, item.row.mail_count) for item in await timeline.conversations()
    ]
    assert await run(timeline, anew=True) == Counter(moved=2)
    assert sorted(await timeline.subjects()) == ["Mail a", "Mail b"]
    after = [
        (item.row.conversation, item.row.mail_count) for item in await timeline.conversations()
    ]
    assert sorted(after) == sorted(before)
    assert {"a" * 32, "b" * 32}.isdisjoint(s.mail.id for s in await timeline.timeline())


async def test_old_mail_that_was_brought_along_stays_no_news(
    timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:  # an older identity
        patch.setattr(projection, "mail_id", lambda account, mail, raw: mail.subject[-1] * 32)
        await timeline.handle(attached(backfill=True), mail())
    assert await run(timeline, anew=True) == Counter(moved=1)
    assert [item.unread for item in await timeline.conversations()] == [False]


async def test_missing_bytes_are_told_and_leave_the_mail_as_it_is(timeline: Timeline) -> None:
    await timeline.handle(attached(), mail())
    [shown] = await timeline.timeline()
    await timeline.lose_raw(shown.content.raw_key)
    assert await run(timeline, anew=True) == Counter(raw_missing=1)
    assert await timeline.subjects() == ["Hello"]
