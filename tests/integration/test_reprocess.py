"""Every stored mail made anew from its raw bytes, as today's reader has it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.timeline.admin.chores import preview
from services.timeline.admin.reprocess import Reprocess
from services.timeline.admin.reprocess_preview import KINDS, ReprocessPreview
from services.timeline.settings import TimelineSettings
from services.timeline.write import projection
from shared.contracts.outcomes import Done
from tests.integration.test_conversations import Letter, deliver, letters, rows
from tests.timeline_parts import ACCOUNT, Timeline, a_timeline, attached, mail


@pytest.fixture
async def timeline(mongodb_url: str, tmp_path: Path) -> AsyncIterator[Timeline]:
    async with a_timeline(mongodb_url, tmp_path) as timeline:
        yield timeline


async def run(
    timeline: Timeline, *, include_current: bool = False, batches: int = 100
) -> Counter[str]:
    """Run the chore, interrupted after so many batches."""
    chore = Reprocess(timeline.writer, timeline.database, timeline.blobs)
    _, _, tally = await chore.begin(include_current=include_current)
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
    tally = await run(timeline, include_current=True)
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
    assert await run(timeline, include_current=True) == Counter(moved=2)
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
    assert await run(timeline, include_current=True) == Counter(moved=1)
    assert [item.unread for item in await timeline.conversations()] == [False]


async def test_missing_bytes_are_told_and_leave_the_mail_as_it_is(timeline: Timeline) -> None:
    await timeline.handle(attached(), mail())
    [shown] = await timeline.timeline()
    await timeline.lose_raw(shown.content.raw_key)
    assert await run(timeline, include_current=True) == Counter(raw_missing=1)
    assert await timeline.subjects() == ["Hello"]


async def everything(timeline: Timeline) -> dict[str, list[dict[str, object]]]:
    """Return all documents of the timeline."""
    names = sorted(await timeline.database.list_collection_names())
    return {name: await timeline.database[name].find({}).sort("_id").to_list() for name in names}


async def previewed(
    timeline: Timeline, *, include_current: bool = False, limit: int = 7
) -> tuple[dict[str, set[str]], Counter[str]]:
    """Return in what each mail would differ, and the tally, page by page."""
    preview = ReprocessPreview(timeline.database, timeline.blobs)
    differing, tally = dict[str, set[str]](), Counter[str]()
    position: str | None = ""
    while position is not None:
        page = await preview.page(limit, position, ACCOUNT, include_current=include_current)
        differing |= {item.mail_id: {*item.kinds} for item in page.items}
        tally += page.tally
        position = page.position
    return differing, tally


async def test_a_preview_of_what_this_reader_made_is_empty(timeline: Timeline) -> None:
    await filled(timeline)
    assert await previewed(timeline) == ({}, await previewed_count(timeline))
    assert await previewed(timeline, include_current=True) == ({}, await previewed_count(timeline))


async def previewed_count(timeline: Timeline) -> Counter[str]:
    return Counter(unchanged=await timeline.database.contents.count_documents({}))


async def test_a_preview_says_what_would_change_and_then_it_does(timeline: Timeline) -> None:
    await filled(timeline)
    contents = timeline.database.contents
    [one, other] = await contents.find({}).limit(2).to_list()
    await contents.update_one({"_id": one["_id"]}, {"$set": {"text": "", "reader_version": 0}})
    wrong = {"from": None, "snippet": "?", "reader_version": 0}
    await contents.update_one({"_id": other["_id"]}, {"$set": wrong})
    before = await everything(timeline)
    differing, tally = await previewed(timeline)
    assert differing == {one["mail_id"]: {"text"}, other["mail_id"]: {"from", "snippet"}}
    assert tally["changed"] == 2
    assert await everything(timeline) == before, "nothing is written"
    await run(timeline)
    assert (await previewed(timeline, include_current=True))[0] == {}


async def test_a_preview_tells_of_a_mail_that_would_be_another(
    timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:  # an older identity
        patch.setattr(projection, "mail_id", lambda account, mail, raw: mail.subject[-1] * 32)
        await timeline.handle(attached(), mail("Mail a"))
    await timeline.handle(attached(account="other"), mail("Mail b"))
    assert await previewed(timeline, include_current=True) == (
        {"a" * 32: {"moved"}},
        Counter(changed=1),
    )


async def test_a_preview_tells_what_cannot_be_read(timeline: Timeline) -> None:
    await timeline.handle(attached(), mail())
    [shown] = await timeline.timeline()
    await timeline.lose_raw(shown.content.raw_key)
    assert await previewed(timeline, include_current=True) == ({}, Counter(raw_missing=1))


async def test_an_operator_is_told_each_kind_with_examples(
    timeline: Timeline, mongodb_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(5):
        await timeline.handle(attached(), mail(f"Mail {number}", message_id=f"{number}@x"))
    old = {"snippet": "?", "reader_version": 0}
    await timeline.database.contents.update_many({}, {"$set": old})
    before = await everything(timeline)
    settings = TimelineSettings(
        mongodb_url=mongodb_url,
        timeline_database=timeline.database.name,
        blob_url=f"file://{timeline.folder}",
        amqp_url="amqp://unused",
        token_secret="x" * 32,
    )
    capsys.readouterr()
    await preview(settings, asyncio.Event(), include_current=False)
    told = capsys.readouterr()
    [line] = told.out.splitlines()
    kind, count, *examples = line.split()
    assert (kind, count, len(examples)) == ("snippet", "5", 3)
    assert all(example.startswith(f"{ACCOUNT}/") for example in examples)
    assert told.err.splitlines()[-1] == "5 changed; nothing was written"
    assert await everything(timeline) == before


def test_every_field_that_is_shown_is_a_kind() -> None:
    assert {"text", "html", "subject", "from", "attachments", "invite", "moved"} <= {*KINDS}
    assert tuple(dict.fromkeys(KINDS)) == KINDS
