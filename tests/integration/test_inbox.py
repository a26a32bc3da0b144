"""The inbox on a real database: pages, profiles, read and unread, search."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.timeline.content.terms import MAX_TERMS
from services.timeline.query.cursors import InvalidCursor
from services.timeline.query.inbox_rows import InboxItem
from services.timeline.query.search_query import parse_query
from services.timeline.query.viewer import Viewer
from shared.contracts.events import Role
from tests.timeline_parts import ACCOUNT, Timeline, a_timeline, attached, mail, match

U1, U2 = Viewer(ACCOUNT, "u1"), Viewer(ACCOUNT, "u2")


@pytest.fixture
async def timeline(mongodb_url: str, tmp_path: Path) -> AsyncIterator[Timeline]:
    async with a_timeline(mongodb_url, tmp_path) as timeline:
        yield timeline


async def write(
    timeline: Timeline,
    subject: str,
    *,
    owner: str = "u1",
    person: str = "c1",
    backfill: bool = False,
    role: Role = Role.TO,
    **options: Any,
) -> None:
    """Attach a mail of its own conversation; its id is its subject."""
    options = {"message_id": f"{subject}@x", **options}
    found = match(person, f"{person}@x.example", role)
    event = attached(found, owner=owner, backfill=backfill)
    await timeline.handle(event, mail(subject, **options))


def subjects(items: list[InboxItem]) -> list[str]:
    return [item.row.first.subject for item in items]


class TestPages:
    async def test_the_inbox_sums_up_a_conversation(self, timeline: Timeline) -> None:
        await write(timeline, "Hello", day=3, text="The first.")
        await write(timeline, "Re", references="<Hello@x>", day=5, text="The last.", person="c2")
        await write(timeline, "Between", references="<Hello@x>", day=4)
        [item] = await timeline.conversations()
        assert item.row.first.subject == "Hello"
        assert item.row.last.snippet == "The last."
        assert item.row.mail_count == 3
        assert item.row.last_mail_at == datetime(2026, 1, 5, 9, tzinfo=UTC)
        assert [person.person_id for person in item.row.persons] == ["c1", "c2"]
        addresses = {participant.address for participant in item.row.participants}
        assert addresses == {"user@team.example", "cand@mail.example"}
        assert item.unread is True

    async def test_newest_first_page_by_page_while_mails_arrive(self, timeline: Timeline) -> None:
        for day in range(1, 10):
            await write(timeline, f"{day}", day=day)
        seen: list[str] = []
        cursor = None
        for _ in range(9):
            page = await timeline.inbox.page(U1, 2, cursor)
            seen += subjects(page.items)
            cursor = page.next_cursor
            if cursor is None:
                break
            await write(timeline, f"new{len(seen)}", day=14)
        assert seen == list("987654321")

    async def test_the_profiles_and_the_owners_conversations(self, timeline: Timeline) -> None:
        await write(timeline, "One", person="c1", day=1)
        await write(timeline, "Two", person="c2", day=2, owner="u2")
        assert subjects((await timeline.inbox.page(U1, 9, None, "c2")).items) == ["Two"]
        assert subjects(await timeline.conversations()) == ["Two", "One"]
        assert subjects(await timeline.conversations(own_only=True)) == ["One"]
        assert subjects(await timeline.conversations("u2", own_only=True)) == ["Two"]

    async def test_a_conversation_partly_known_by_bcc_is_shown_once_and_whole_to_its_owner(
        self, timeline: Timeline
    ) -> None:
        await write(timeline, "Open", day=1)
        hidden = attached(match("c2", "hidden@x.example", Role.BCC))
        raw = mail("Hidden", message_id="h@x", references="<Open@x>", bcc="hidden@x.example")
        await timeline.handle(hidden, raw)
        await write(timeline, "Other", day=10)
        [first, second] = await timeline.conversations("u1")
        assert (first.row.first.subject, first.row.mail_count) == ("Open", 2)
        assert second.row.first.subject == "Other"
        assert [item.row.mail_count for item in await timeline.conversations("u2")] == [1, 1]
        pages = [await timeline.inbox.page(U1, 1, None)]
        while (cursor := pages[-1].next_cursor) is not None:
            pages.append(await timeline.inbox.page(U1, 1, cursor))
        assert [subjects(page.items) for page in pages if page.items] == [["Open"], ["Other"]]


class TestReadState:
    async def unread(self, timeline: Timeline, viewer: Viewer = U1) -> list[str]:
        rows: list[str] = []
        cursor = None
        while True:
            page = await timeline.inbox.unread.page(viewer, 2, cursor)
            rows += subjects(page.items)
            cursor = page.next_cursor
            if cursor is None:
                assert (len(rows), False) == await timeline.inbox.unread.count(viewer)
                return rows

    async def mark(self, timeline: Timeline, subject: str, *, unread: bool) -> None:
        rows = await timeline.conversations()
        [item] = [item for item in rows if item.row.first.subject == subject]
        assert await timeline.inbox.mark(U1, item.row.conversation, unread=unread)

    async def test_what_is_read_stays_read_until_something_arrives(
        self, timeline: Timeline
    ) -> None:
        for subject in "abc":
            await write(timeline, subject)
        assert await self.unread(timeline) == ["c", "b", "a"]
        await self.mark(timeline, "b", unread=False)
        assert await self.unread(timeline) == ["c", "a"]
        assert await self.unread(timeline, U2) == ["c", "b", "a"], "read state is per user"
        await write(timeline, "re", references="<b@x>")
        assert await self.unread(timeline) == ["b", "c", "a"]

    async def test_mark_all_as_read_and_one_as_unread(self, timeline: Timeline) -> None:
        for subject in "abc":
            await write(timeline, subject)
        await self.mark(timeline, "a", unread=False)
        await timeline.inbox.mark_all(U1, datetime.now(UTC) + timedelta(seconds=1))
        assert await self.unread(timeline) == []
        assert await timeline.database.read_marks.count_documents({}) == 0, "marks are not kept"
        await self.mark(timeline, "b", unread=True)
        assert await self.unread(timeline) == ["b"]
        await asyncio.sleep(1.1)
        await write(timeline, "d")
        assert await self.unread(timeline) == ["d", "b"]
        await self.mark(timeline, "b", unread=False)
        assert await self.unread(timeline) == ["d"]

    async def test_the_same_mail_by_another_user_is_no_news(self, timeline: Timeline) -> None:
        await write(timeline, "a")
        await self.mark(timeline, "a", unread=False)
        await write(timeline, "a", owner="u2")
        assert await self.unread(timeline) == []

    async def test_old_mail_that_is_brought_along_is_no_news(self, timeline: Timeline) -> None:
        for subject in "ab":
            await write(timeline, subject, day=3)
        await self.mark(timeline, "a", unread=False)
        told = await timeline.database.changes.count_documents({})
        await write(timeline, "old", backfill=True, day=3)
        await write(timeline, "older", backfill=True, references="<old@x>")
        await write(timeline, "to read", backfill=True, references="<a@x>")
        await write(timeline, "to unread", backfill=True, references="<b@x>")
        await write(timeline, "a", backfill=True, owner="u2", day=3)
        assert await self.unread(timeline) == ["b"]
        assert await self.unread(timeline, U2) == ["b", "a"]
        assert len(await timeline.conversations()) == 3
        assert await timeline.database.changes.count_documents({}) == told
        await write(timeline, "re", references="<older@x>")
        assert await self.unread(timeline) == ["old", "b"], "an answer to backfill is news"

    async def test_old_mail_that_joins_conversations_leaves_them_as_they_were_read(
        self, timeline: Timeline
    ) -> None:
        for day, subject in enumerate("abc", start=3):
            await write(timeline, subject, day=day)
        for subject in "ab":
            await self.mark(timeline, subject, unread=False)
        await write(timeline, "joins", backfill=True, references="<a@x> <b@x>")
        assert await self.unread(timeline) == ["c"]
        await write(timeline, "joins all", backfill=True, references="<a@x> <c@x>")
        assert await self.unread(timeline) == ["a"]
        await self.mark(timeline, "a", unread=False)
        assert await self.unread(timeline) == []

    async def test_there_is_nothing_to_mark_in_what_is_not_theirs(self, timeline: Timeline) -> None:
        await write(timeline, "a")
        [item] = await timeline.conversations()
        stranger = Viewer("globex", "u1")
        assert not await timeline.inbox.mark(stranger, item.row.conversation, unread=False)

    async def test_a_made_up_cursor_is_refused(self, timeline: Timeline) -> None:
        for page in (timeline.inbox.page, timeline.inbox.unread.page):
            with pytest.raises(InvalidCursor):
                await page(U1, 10, "x")


class TestSearch:
    @pytest.fixture
    async def filled(self, timeline: Timeline) -> Timeline:
        await write(timeline, "Interview on Friday", message_id="1@x", day=2, text="At ten.")
        await write(timeline, "Re: Interview", message_id="2@x", day=3, references="<1@x>")
        await write(
            timeline,
            "Lebenslauf Größe",
            message_id="3@x",
            day=4,
            sender="Anna Müller <anna@firm.example>",
            text="Das Gespräch war gut. 東京都の面接について",
        )
        await write(timeline, "Lunch", message_id="4@x", day=5, owner="u2", text="Friday at ten?")
        return timeline

    async def found(self, timeline: Timeline, q: str, viewer: Viewer = U1) -> list[str]:
        hits = await timeline.search.hits(viewer, parse_query(q), 10, None)
        return subjects(await timeline.inbox.of_conversations(viewer, hits.conversations))

    @pytest.mark.parametrize(
        ("q", "found"),
        [
            ("friday", ["Lunch", "Interview on Friday"]),
            ("FRIDAY interview", ["Interview on Friday"]),
            ("interv", ["Interview on Friday"]),
            ("interv* friday", ["Interview on Friday"]),
            ('"at ten"', ["Lunch", "Interview on Friday"]),
            ('"friday at ten"', ["Lunch"]),
            ('"ten at"', []),
            ("grosse", ["Lebenslauf Größe"]),
            ("muller", ["Lebenslauf Größe"]),
            ("gespräch", ["Lebenslauf Größe"]),
            ("面接", ["Lebenslauf Größe"]),
            ("東京都", ["Lebenslauf Größe"]),
            ("京", ["Lebenslauf Größe"]),
            ("都京", []),
            ("from:anna", ["Lebenslauf Größe"]),
            ("from:anna@firm.example", ["Lebenslauf Größe"]),
            ("to:anna", []),
            ("to:cand@mail.example friday", ["Lunch", "Interview on Friday"]),
            ("before:2026-01-03", ["Interview on Friday"]),
            ("after:2026-01-04 before:2026-01-05", ["Lebenslauf Größe"]),
            ("has:attachment", []),
            ("nowhere", []),
            ("$where", []),
        ],
    )
    async def test_it_finds(self, filled: Timeline, q: str, found: list[str]) -> None:
        assert await self.found(filled, q) == found

    async def test_only_what_one_may_see(self, filled: Timeline) -> None:
        own = Viewer(ACCOUNT, "u1", own_only=True)
        assert await self.found(filled, "friday", own) == ["Interview on Friday"]
        assert await self.found(filled, "friday", Viewer("globex", "u1")) == []

    async def test_an_attachment_by_name(self, timeline: Timeline) -> None:
        headers = (
            b"MIME-Version: 1.0\r\nContent-Type: application/pdf\r\n"
            b'Content-Disposition: attachment; filename="cv-anna.pdf"\r\n'
        )
        await timeline.handle(attached(), mail().replace(b"\r\n\r\n", b"\r\n" + headers + b"\r\n"))
        assert await self.found(timeline, "has:attachment cv") == ["Hello"]

    async def test_a_long_mail_by_its_last_word(self, timeline: Timeline) -> None:
        text = (
            "\r\n".join(f"word{number}" for number in range(3000))
            + "\r\n\u6771\u4eac Gr\u00f6\u00dfe"
        )
        await write(timeline, "Long", text=text)
        for q in ("grosse", "word2999", '"\u6771\u4eac gr\u00f6\u00dfe"', '"word2998 word2999"'):
            assert await self.found(timeline, q) == ["Long"]
            assert await self.partial(timeline, q) == 0

    async def test_a_search_tells_how_many_mails_it_may_have_missed(
        self, timeline: Timeline
    ) -> None:
        many = "\r\n".join(f"word{number}" for number in range(MAX_TERMS + 10)) + "\r\nend"
        await write(timeline, "Longer", text=many, day=10)
        await write(timeline, "Other", text="end", day=11)
        await write(timeline, "Own", text=many, owner="u2", day=12, role=Role.BCC)
        assert await self.found(timeline, "end") == ["Other"]
        for q in ("end", "nowhere", "prefix*", '"at the end"', "end before:2026-01-11"):
            assert await self.partial(timeline, q) == 1
        assert await self.partial(timeline, "end", U2) == 2
        assert await self.partial(timeline, "end", Viewer(ACCOUNT, "u2", own_only=True)) == 1
        assert await self.partial(timeline, "end", Viewer("globex", "u1")) == 0
        for q in ("has:attachment", "after:2026-01-11 end", "after:2026-01-01"):
            assert await self.partial(timeline, q) == 0, "whether they are found is certain"

    async def partial(self, timeline: Timeline, q: str, viewer: Viewer = U1) -> int:
        return (await timeline.search.hits(viewer, parse_query(q), 10, None)).partial

    async def test_a_conversation_is_found_once_over_all_pages(self, timeline: Timeline) -> None:
        for n in range(1, 13):
            references = "<1@x>" if n % 2 else ""
            await write(timeline, f"Word {n}", message_id=f"{n}@x", day=n, references=references)
        seen: list[str] = []
        cursor = None
        while True:
            hits = await timeline.search.hits(U1, parse_query("word text"), 2, cursor)
            seen += subjects(await timeline.inbox.of_conversations(U1, hits.conversations))
            cursor = hits.next_cursor
            if cursor is None:
                break
        assert len(seen) == len(set(seen)) == 7
        assert seen[0] == "Word 12"
        assert seen[1] == "Word 1", "the conversation of the odd ones, at the place of its newest"
