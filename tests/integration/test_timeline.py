"""The timeline with a real database and a real blob store, step by step."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from services.timeline.api.shapes import MailOut
from services.timeline.query.cursors import InvalidCursor
from services.timeline.query.viewer import Viewer
from shared.contracts.events import Kind, MailAttached, MailDismissed, Match, Role
from shared.contracts.outcomes import Done, Reject, Retry
from shared.storage.blob_keys import CLAIM_CHECK_BYTES, claim_key
from shared.storage.blobs import BlobMissing
from tests.timeline_parts import (
    ACCOUNT,
    NOW,
    Timeline,
    a_timeline,
    attached,
    dismissed,
    mail,
    match,
)


@pytest.fixture
async def timeline(mongodb_url: str, tmp_path: Path) -> AsyncIterator[Timeline]:
    async with a_timeline(mongodb_url, tmp_path) as timeline:
        yield timeline


async def test_a_capture_can_come_any_number_of_times(timeline: Timeline) -> None:
    event = attached()
    for _ in range(3):
        assert await timeline.handle(event, mail()) == Done()
    assert await timeline.subjects() == ["Hello"]
    assert await timeline.tally() == {"attached": 1}
    [shown] = await timeline.timeline()
    assert not hasattr(shown.content, "text")
    whole = await timeline.mails.one(shown.viewer, shown.mail.id)
    assert whole is not None
    assert whole.content.text.strip() == "The text."
    assert await timeline.raw(whole.content) == mail()


async def test_two_captures_of_one_mail_are_one_mail(timeline: Timeline) -> None:
    await timeline.handle(attached(owner="u1"), mail(trace="Received: by a"))
    # A gateway changed the subject for the second recipient; another profile matched there.
    second = attached(match("c2", "second@mail.example"), owner="u2", minutes=1)
    await timeline.handle(second, mail("[EXTERNAL] Hello", trace="Received: by b"))
    assert await timeline.subjects("c1") == ["Hello"]
    assert await timeline.subjects("c2") == ["[EXTERNAL] Hello"], "as the copy that names them"
    [shown] = await timeline.timeline()
    out = MailOut.of(shown)
    assert [capture.person_id for capture in out.captured_by] == ["u1", "u2"]
    assert [m.person_id for m in out.matches] == ["c1"]
    [of_second] = await timeline.timeline("c2")
    assert [m.person_id for m in MailOut.of(of_second).matches] == ["c2"]
    assert MailOut.of(of_second).variant != out.variant == shown.content.key
    assert out.variants == [], "the text is the same"
    assert await timeline.tally() == {"attached": 2}
    assert await timeline.raw(shown.content) == mail(trace="Received: by a")


async def test_bytes_that_say_the_same_are_kept_once(timeline: Timeline) -> None:
    for n in range(3):
        await timeline.handle(attached(owner=f"u{n}"), mail(trace=f"Received: by {n}"))
    assert await timeline.database.raw_mails.count_documents({}) == 1


@pytest.mark.parametrize(
    "other",
    [
        mail("Forged", sender="attacker@evil.example"),
        mail("Forged", day=14),
        mail("Other", message_id="2@x"),
    ],
)
async def test_a_forged_id_is_another_mail(timeline: Timeline, other: bytes) -> None:
    await timeline.handle(attached(), mail())
    await timeline.handle(attached(), other)
    assert len(await timeline.subjects()) == 2


async def test_without_a_message_id_the_content_counts(timeline: Timeline) -> None:
    await timeline.handle(attached(), mail(message_id=None, trace="Received: by a"))
    await timeline.handle(attached(), mail(message_id=None, trace="X-Seen: b\r\n folded"))
    await timeline.handle(attached(), mail("Other", message_id=None))
    assert sorted(await timeline.subjects()) == ["Hello", "Other"]


async def test_accounts_do_not_share_a_mail(timeline: Timeline) -> None:
    await timeline.handle(attached(), mail())
    await timeline.handle(attached(account="globex"), mail())
    [ours] = await timeline.timeline()
    globex = Viewer("globex", "u1")
    [theirs] = (await timeline.mails.profile_timeline(globex, "c1", 10, None)).items
    assert ours.mail.id != theirs.mail.id
    assert await timeline.mails.one(globex, ours.mail.id) is None


async def test_racing_captures_of_one_mail_agree(timeline: Timeline) -> None:
    events = [attached(match(f"c{n % 5}"), owner=f"u{n}") for n in range(20)]
    outcomes = await asyncio.gather(*(timeline.handle(event, mail()) for event in events))
    for event, outcome in zip(events, outcomes, strict=True):
        if outcome != Done():  # the consumer would try again
            assert await timeline.handle(event, mail()) == Done()
    [shown] = await timeline.timeline()
    out = MailOut.of(shown)
    assert {c.person_id for c in out.captured_by} == {f"u{n}" for n in range(20)}
    assert {m.person_id for m in out.matches} == {f"c{n}" for n in range(5)}
    assert await timeline.tally() == {"attached": 20}


async def test_racing_captures_with_other_bytes_leave_no_gap(timeline: Timeline) -> None:
    """Copies that were forwarded to many users differ from the first, not from one another."""
    await timeline.handle(attached(owner="u0"), mail(trace="Received: by first"))
    copy = mail(trace="Received: by copies")
    events = [attached(owner=f"u{n}") for n in range(1, 60)]
    outcomes = await asyncio.gather(*(timeline.handle(event, copy) for event in events))
    assert {type(outcome) for outcome in outcomes} <= {Done, Retry}
    again = [e for e, outcome in zip(events, outcomes, strict=True) if outcome != Done()]
    for event in again:
        assert await timeline.handle(event, copy) == Done()
    assert await timeline.tally() == {"attached": 60}


async def test_racing_first_captures_with_all_different_bytes(timeline: Timeline) -> None:
    raws = [mail(trace=f"Received: by {n % 3}") for n in range(30)]
    events = [attached(owner=f"u{n}") for n in range(30)]
    pairs = list(zip(events, raws, strict=True))
    for _ in range(5):
        outcomes = await asyncio.gather(*(timeline.handle(event, raw) for event, raw in pairs))
        assert {type(outcome) for outcome in outcomes} <= {Done, Retry}
        pairs = [p for p, outcome in zip(pairs, outcomes, strict=True) if outcome != Done()]
    assert pairs == []
    [shown] = await timeline.timeline()
    assert await timeline.raw(shown.content) in raws


class TestBcc:
    """Who was in Bcc is for the owner of the capture alone."""

    hidden = Match(person_id="c2", kind=Kind.CANDIDATE, address="hidden@x.example", role=Role.BCC)

    async def rows(self, timeline: Timeline, viewer: str, person_id: str) -> list[str]:
        return [shown.mail.id for shown in await timeline.timeline(person_id, viewer)]

    async def test_a_match_by_bcc_is_the_owners_to_see(self, timeline: Timeline) -> None:
        raw = mail(bcc="hidden@x.example")
        await timeline.handle(attached(match(), self.hidden, owner="u1"), raw)
        [mail_id] = await self.rows(timeline, "u1", "c2")
        assert await self.rows(timeline, "u2", "c2") == []
        assert await self.rows(timeline, "u2", "c1") == [mail_id]
        theirs = await timeline.mails.one(Viewer(ACCOUNT, "u2"), mail_id)
        assert theirs is not None
        assert "hidden@x" not in str(MailOut.of(theirs))
        assert "c2" not in str(MailOut.of(theirs))
        own = await timeline.mails.one(Viewer(ACCOUNT, "u1"), mail_id)
        assert own is not None
        mine = MailOut.of(own)
        assert {m.person_id for m in mine.matches} == {"c1", "c2"}
        assert "bcc_owners" not in mine.model_dump_json()

    async def test_a_mail_that_matches_by_bcc_only_is_the_owners_alone(
        self, timeline: Timeline
    ) -> None:
        await timeline.handle(attached(self.hidden, owner="u1"), mail(bcc="hidden@x.example"))
        [mail_id] = await self.rows(timeline, "u1", "c2")
        assert await timeline.mails.one(Viewer(ACCOUNT, "u2"), mail_id) is None
        assert await timeline.conversations("u2") == []
        assert [item.row.mail_count for item in await timeline.conversations("u1")] == [1]

    @pytest.mark.parametrize("open_first", [True, False])
    async def test_what_another_capture_knows_openly_is_open(
        self, timeline: Timeline, open_first: bool
    ) -> None:
        captures = [
            attached(match("c2", "hidden@x.example"), owner="u2"),
            attached(self.hidden, owner="u1"),
        ]
        for event in captures if open_first else reversed(captures):
            await timeline.handle(event, mail())
        for viewer in ("u1", "u2", "u3"):
            assert len(await self.rows(timeline, viewer, "c2")) == 1


class TestOutcomes:
    async def test_a_dismissal_is_counted_once(self, timeline: Timeline) -> None:
        event = dismissed()
        for _ in range(3):
            assert await timeline.handle(event) == Done()
        await timeline.handle(dismissed())
        assert await timeline.tally() == {"attached": 0, "no_match": 2}

    @pytest.mark.parametrize("attached_first", [True, False])
    async def test_attach_wins(self, timeline: Timeline, attached_first: bool) -> None:
        capture_id = uuid4()
        steps: list[tuple[MailAttached | MailDismissed, bytes]] = [
            (attached(capture_id=capture_id), mail()),
            (dismissed(capture_id), b""),
        ]
        for event, raw in steps if attached_first else reversed(steps):
            await timeline.handle(event, raw)
        assert await timeline.tally() == {"attached": 1}
        assert await timeline.subjects() == ["Hello"]

    @pytest.mark.parametrize("attached_first", [True, False])
    async def test_an_owner_is_told_nothing_of_the_dismissal_that_was_before(
        self, timeline: Timeline, attached_first: bool
    ) -> None:
        event = attached()
        if attached_first:
            await timeline.handle(event, mail())
        await timeline.handle(dismissed(event.capture_id))
        await timeline.handle(event, mail())
        today = NOW.date()
        [day] = await timeline.stats.days(ACCOUNT, today, today, "u1")
        assert (day.attached, day.dismissed) == (1, {})

    async def test_old_mail_brought_along_on_another_day_is_counted_on_its_first(
        self, timeline: Timeline
    ) -> None:
        capture = uuid4()
        await timeline.handle(dismissed(capture))
        again = attached(capture_id=capture, backfill=True, minutes=24 * 60)
        await timeline.handle(again, mail())
        await timeline.handle(again, mail())
        days = await timeline.stats.days(ACCOUNT, NOW.date(), NOW.date() + timedelta(days=2), None)
        assert [(day.day, day.attached, day.dismissed) for day in days] == [
            (NOW.date().isoformat(), 1, {})
        ]

    async def test_nothing_of_a_dismissed_mail_is_stored(self, timeline: Timeline) -> None:
        event = dismissed()
        await timeline.handle(event)
        [stored] = await timeline.database.outcomes.find().to_list()
        assert stored == {
            "_id": str(event.capture_id),
            "account": ACCOUNT,
            "decision": "dismissed",
            "reason": "no_match",
            "message_id_hash": "0" * 32,
            "day": "2026-01-15",
            "at": NOW,
            "expires_at": NOW + timedelta(days=90),
        }


class TestLargeMail:
    raw = mail() + b"x" * CLAIM_CHECK_BYTES

    async def exists(self, timeline: Timeline, event: MailAttached) -> bool:
        assert event.blob_key is not None
        try:
            await timeline.blobs.get(event.blob_key)
        except BlobMissing:
            return False
        return True

    async def test_the_claim_goes_when_the_mail_is_kept(self, timeline: Timeline) -> None:
        event = attached(claim=True)
        await timeline.blobs.put(claim_key(event.capture_id), self.raw)
        assert await timeline.handle(event) == Done()
        assert not await self.exists(timeline, event)
        [shown] = await timeline.timeline()
        assert await timeline.raw(shown.content) == self.raw
        assert await timeline.handle(event) == Done(), "a redelivery finds its outcome recorded"

    async def test_a_lost_claim_without_an_outcome_is_a_dead_letter(
        self, timeline: Timeline
    ) -> None:
        assert await timeline.handle(attached(claim=True)) == Reject("claim_missing")

    async def test_a_dismissal_does_not_excuse_a_lost_claim(self, timeline: Timeline) -> None:
        event = attached(claim=True)
        await timeline.handle(dismissed(event.capture_id))
        assert await timeline.handle(event) == Reject("claim_missing")

    async def test_parts_are_joined_and_the_last_one_takes_the_claim(
        self, timeline: Timeline
    ) -> None:
        capture_id = uuid4()
        first, second = (
            attached(match(f"c{n}"), capture_id=capture_id, claim=True, part=n, parts=2)
            for n in (1, 2)
        )
        await timeline.blobs.put(claim_key(capture_id), self.raw)
        assert await timeline.handle(second) == Done()
        assert await self.exists(timeline, first)
        assert await timeline.handle(second) == Done()
        assert await self.exists(timeline, first)
        assert await timeline.handle(first) == Done()
        assert not await self.exists(timeline, first)
        assert await timeline.subjects("c1") == await timeline.subjects("c2") == ["Hello"]
        assert await timeline.tally() == {"attached": 1}


class TestPages:
    async def test_newest_first_page_by_page_while_mails_arrive(self, timeline: Timeline) -> None:
        for n in range(1, 8):
            await timeline.handle(attached(), mail(f"{n}", message_id=f"{n}@x", day=n))
        for n in (8, 9):  # the same moment
            await timeline.handle(attached(), mail(f"{n}", message_id=f"{n}@x", day=7))
        seen: list[str] = []
        cursor = None
        for _ in range(20):
            page = await timeline.mails.profile_timeline(Viewer(ACCOUNT, "u1"), "c1", 2, cursor)
            seen += [shown.content.subject for shown in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
            await timeline.handle(attached(), mail("new", message_id=f"{len(seen)}n@x", day=14))
        assert set(seen[:3]) == {"7", "8", "9"}
        assert seen[3:] == ["6", "5", "4", "3", "2", "1"]

    async def test_a_date_in_the_future_is_clamped_to_the_arrival(self, timeline: Timeline) -> None:
        await timeline.handle(attached(), mail("future", message_id="f@x", day=31))
        rows = await timeline.database.profile_mails.find().to_list()
        assert {row["viewer"]: row["date"] for row in rows} == {"*": NOW, "u1": NOW}

    @pytest.mark.parametrize(
        "cursor", ["x", "eyJhIjoxfQ", "WzEsMl0", "W251bGwsIm0iXQ", "é", "WzFlOTksIm0iXQ"]
    )
    async def test_a_made_up_cursor_is_refused(self, timeline: Timeline, cursor: str) -> None:
        with pytest.raises(InvalidCursor):
            await timeline.mails.profile_timeline(Viewer(ACCOUNT, "u1"), "c1", 10, cursor)


@pytest.mark.parametrize("raw", [b"", b"\xff" * 100, b"\r\n\r\n\r\n", b"Subject\r\n" * 3])
async def test_what_is_hardly_a_mail_is_shown_as_far_as_it_goes(
    timeline: Timeline, raw: bytes
) -> None:
    assert await timeline.handle(attached(), raw) == Done()
    assert len(await timeline.subjects()) == 1
