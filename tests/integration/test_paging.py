"""Page by page one sees what there is, each once and in order: all lists of a whole mailbox."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest

from bench.filling import Target, fill
from bench.mailbox import ACCOUNT, profile_id, vocabulary
from services.timeline.query import search
from services.timeline.query.blocks import MAX_EXPANSIONS, Blocks
from services.timeline.query.phrases import has_phrase
from services.timeline.query.search_query import parse_query
from services.timeline.query.viewer import Viewer
from shared.storage.database import Document
from tests.timeline_parts import Timeline, a_timeline

UNTIL = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
MAILS = 600
WORDS = vocabulary()
VIEWERS = pytest.mark.parametrize(
    "viewer", [Viewer(ACCOUNT, "u1"), Viewer(ACCOUNT, "u2", own_only=True)], ids=["team", "own"]
)


@pytest.fixture(scope="module")
async def timeline(
    mongodb_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Timeline]:
    async with a_timeline(mongodb_url, tmp_path_factory.mktemp("paging")) as timeline:
        fill(Target(mongodb_url, timeline.database.name, UNTIL), MAILS, processes=1)
        await timeline.index_terms()
        yield timeline


def _begins(prefix: str) -> Callable[[Document, Document], bool]:
    return lambda row, _: any(term.startswith(prefix) for term in row["terms"])


SEARCHES: dict[str, Callable[[Document, Document], bool]] = {
    f'"{WORDS[0]}"': lambda row, _: WORDS[0] in row["terms"],
    f'"{WORDS[0]}" "{WORDS[40]}"': lambda row, _: {WORDS[0], WORDS[40]} <= set(row["terms"]),
    f"{WORDS[40]} {WORDS[0][:3]}": lambda row, _: (
        WORDS[40] in row["terms"] and _begins(WORDS[0][:3])(row, {})
    ),
    f'"{WORDS[0]} {WORDS[1]}"': lambda _, content: any(
        has_phrase(f"{WORDS[0]} {WORDS[1]}", content[field]) for field in ("subject", "text")
    ),
    "from:otto.wolf": _begins(":from:otto"),
    "after:2024-01-01 before:2025-06-01": lambda row, _: (
        datetime(2024, 1, 1, tzinfo=UTC) <= row["date"] < datetime(2025, 6, 1, tzinfo=UTC)
    ),
}


@VIEWERS
@pytest.mark.parametrize("limit", [3, 20])
@pytest.mark.parametrize("q", SEARCHES)
async def test_a_search_finds_each_conversation_once_at_its_newest_hit(
    timeline: Timeline, q: str, limit: int, viewer: Viewer
) -> None:
    assert await _search(timeline, viewer, q, limit) == await _hits(timeline, viewer, SEARCHES[q])


@VIEWERS
async def test_pages_of_a_search_that_look_at_few_mails_find_all_the_same(
    timeline: Timeline, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MAX_SCANNED", 7)
    monkeypatch.setattr(search, "MAX_READ", 3)
    monkeypatch.setattr(search, "_FEW_MAILS", 3)
    for q, wanted in SEARCHES.items():
        assert await _search(timeline, viewer, q, 20) == await _hits(timeline, viewer, wanted)


async def _search(timeline: Timeline, viewer: Viewer, q: str, limit: int) -> list[str]:
    found: list[str] = []
    cursor: str | None = None
    while True:
        hits = await timeline.search.hits(viewer, parse_query(q), limit, cursor)
        assert len(hits.conversations) <= limit
        found += hits.conversations
        cursor = hits.next_cursor
        if cursor is None:
            return found


async def _hits(
    timeline: Timeline, viewer: Viewer, wanted: Callable[[Document, Document], bool]
) -> list[str]:
    """Return the conversations that are to be found, by looking at all mails."""
    query = {"account": ACCOUNT, "viewer": {"$in": viewer.audiences}}
    rows = await timeline.database["mail_rows"].find(query).to_list()
    contents = {c["_id"]: c async for c in timeline.database["contents"].find()}
    hits = [row for row in rows if wanted(row, contents[f"{row['mail_id']}/{row['content']}"])]
    hits.sort(key=lambda row: (row["date"], row["mail_id"]), reverse=True)
    assert hits
    return list(dict.fromkeys(row["thread"] for row in hits))


async def test_a_prefix_stands_for_the_first_terms_in_their_order(timeline: Timeline) -> None:
    mine = {"account": ACCOUNT, "viewer": {"$in": ["*"]}}
    rows = await timeline.database["mail_rows"].find({"viewer": "*"}).to_list()
    expected = sorted({t for row in rows for t in row["terms"] if t.startswith("b")})
    assert len(expected) > MAX_EXPANSIONS
    assert await Blocks(timeline.database).terms(mine, "b") == expected[:MAX_EXPANSIONS]


@VIEWERS
@pytest.mark.parametrize("person_id", [None, profile_id(0)])
async def test_unread_conversations_come_by_their_arrival(
    timeline: Timeline, viewer: Viewer, person_id: str | None
) -> None:
    query: Document = {"account": ACCOUNT, "viewer": {"$in": viewer.audiences}}
    if person_id:
        query["persons.person_id"] = person_id
    rows = await timeline.database["conversations"].find(query).to_list()
    rows.sort(key=lambda row: (row["arrived"], row["thread"]), reverse=True)
    expected = list(dict.fromkeys(row["thread"] for row in rows))
    assert await _unread(timeline, viewer, person_id) == expected

    # Every third one is read, then everything but the latest, and one is marked again.
    read = expected[::3]
    for conversation in read:
        await timeline.inbox.mark(viewer, conversation, unread=False)
    assert await _unread(timeline, viewer, person_id) == [t for t in expected if t not in read]
    [middle] = [row for row in rows if row["thread"] == expected[len(expected) // 2]][:1]
    moment = datetime.fromtimestamp(middle["arrived"] / 1000, UTC)
    await timeline.inbox.mark_all(viewer, moment)
    last = expected[-1]
    await timeline.inbox.mark(viewer, last, unread=True)
    newer = expected[: len(expected) // 2]
    assert await _unread(timeline, viewer, person_id) == [t for t in newer if t not in read] + [
        last
    ]
    for collection in ("read_marks", "readers"):
        await timeline.database[collection].delete_many({})


async def _unread(timeline: Timeline, viewer: Viewer, person_id: str | None) -> list[str]:
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = await timeline.inbox.unread.page(viewer, 4, cursor, person_id)
        assert all(item.unread for item in page.items)
        found += [item.row.conversation for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return found
