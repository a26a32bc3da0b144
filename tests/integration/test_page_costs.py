"""A page costs the database what its size says, however many mails the account has."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import pytest

from bench.costs import Cost, cost_of
from bench.filling import Target, fill
from bench.mailbox import ACCOUNT, profile_id, vocabulary
from services.timeline.query.search_query import parse_query
from services.timeline.query.viewer import Viewer
from services.timeline.write.identity import token
from services.timeline.write.term_blocks import MAX_ROWS
from tests.timeline_parts import Timeline, a_timeline

UNTIL = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
SMALL, LARGE = 200, 2000
LIMIT = 10
SLACK = 20 * LIMIT + 4 * MAX_ROWS
"""Documents. It depends on chance how far one has to look for a page, and rows are looked at by
whole blocks of terms: of each of two audiences one, and those that fill none yet."""
MOST_KEYS = 6000
"""Of two terms up to 1,000 are counted, and the end of the page is 2,000 mails away."""
WORDS = vocabulary()
TEAM, OWN = Viewer(ACCOUNT, "u1"), Viewer(ACCOUNT, "u1", own_only=True)

View = Callable[[Timeline, Viewer, str | None], Awaitable[str | None]]
"""Reads one page and returns the cursor of the next."""


def inbox(person_id: str | None = None) -> View:
    async def view(timeline: Timeline, viewer: Viewer, cursor: str | None) -> str | None:
        return (await timeline.inbox.page(viewer, LIMIT, cursor, person_id)).next_cursor

    return view


def unread(person_id: str | None = None) -> View:
    async def view(timeline: Timeline, viewer: Viewer, cursor: str | None) -> str | None:
        return (await timeline.inbox.unread.page(viewer, LIMIT, cursor, person_id)).next_cursor

    return view


def search(q: str) -> View:
    async def view(timeline: Timeline, viewer: Viewer, cursor: str | None) -> str | None:
        hits = await timeline.search.hits(viewer, parse_query(q), LIMIT, cursor)
        await timeline.inbox.of_conversations(viewer, hits.conversations)
        return hits.next_cursor

    return view


def profile(person_id: str) -> View:
    async def view(timeline: Timeline, viewer: Viewer, cursor: str | None) -> str | None:
        page = await timeline.mails.profile_timeline(viewer, person_id, LIMIT, cursor)
        return page.next_cursor

    return view


async def longest(timeline: Timeline, viewer: Viewer, cursor: str | None) -> str | None:
    item = await timeline.inbox.one(viewer, token(ACCOUNT, "0.0@mail.bench.example"))
    assert item
    id_ = item.row.conversation
    return (await timeline.mails.of_conversation(viewer, id_, LIMIT, cursor)).next_cursor


async def unread_count(timeline: Timeline, viewer: Viewer, _: str | None) -> str | None:
    await timeline.inbox.unread.count(viewer)
    return None


VIEWS: dict[str, View] = {
    "inbox": inbox(),
    "inbox of a profile": inbox(profile_id(0)),
    "inbox of a rare profile": inbox(profile_id(700)),
    "unread": unread(),
    "unread of a profile": unread(profile_id(0)),
    "unread, counted": unread_count,
    "profile": profile(profile_id(0)),
    "rare profile": profile(profile_id(700)),
    "conversation": longest,
    "a common word": search(f'"{WORDS[0]}"'),
    "a rare word": search(f'"{WORDS[3000]}"'),
    "a common and a rare word": search(f'"{WORDS[0]}" "{WORDS[3000]}"'),
    "two common words": search(f'"{WORDS[0]}" "{WORDS[1]}"'),
    "a prefix": search(f"{WORDS[0][:2]}*"),
    "a phrase": search(f'"{WORDS[0]} {WORDS[1]}"'),
    "from a user": search("from:anna.berg@agency.example"),
    "with attachments": search("has:attachment"),
    "between two days": search(f"after:2024-01-01 before:{UNTIL:%Y-%m-%d}"),
    "a word before a day": search(f"{WORDS[0]} before:2025-01-01"),
}


@pytest.fixture(scope="module")
async def timelines(
    mongodb_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Timeline, Timeline]]:
    async with AsyncExitStack() as opened:
        found: list[Timeline] = []
        for mails in (SMALL, LARGE):
            folder = tmp_path_factory.mktemp("costs")
            found.append(await opened.enter_async_context(a_timeline(mongodb_url, folder)))
            fill(Target(mongodb_url, found[-1].database.name, UNTIL), mails, processes=1)
            await found[-1].index_terms()
        yield found[0], found[1]


@pytest.mark.parametrize("viewer", [TEAM, OWN], ids=["team", "own"])
@pytest.mark.parametrize("name", VIEWS)
async def test_a_page_costs_what_its_size_says(
    timelines: tuple[Timeline, Timeline], name: str, viewer: Viewer
) -> None:
    for is_first in (True, False):
        small, large = [await _cost(t, VIEWS[name], viewer, is_first) for t in timelines]
        assert large.documents <= small.documents + SLACK, large.plans
        assert large.keys <= MOST_KEYS
        assert not large.scans
        assert not large.sorts


MOST_REQUESTS = 90
"""Of ten batches of texts at most, for each which of its conversations an earlier page has, and for
both what is hidden of their profiles."""


async def test_a_page_of_a_phrase_asks_for_no_conversation_alone(
    timelines: tuple[Timeline, Timeline],
) -> None:
    async def view(timeline: Timeline, viewer: Viewer, cursor: str | None) -> str | None:
        query = parse_query(f'"{WORDS[0]} {WORDS[1]}"')
        return (await timeline.search.hits(viewer, query, 50, cursor)).next_cursor

    cost = await _cost(timelines[1], view, TEAM, is_first=False)
    assert cost.operations <= MOST_REQUESTS


async def _cost(timeline: Timeline, view: View, viewer: Viewer, is_first: bool) -> Cost:
    """Return what the first or the second page costs."""
    cursor = None if is_first else await view(timeline, viewer, None)
    return await cost_of(timeline.database, lambda: view(timeline, viewer, cursor))
