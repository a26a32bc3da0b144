"""What an older reader read otherwise: reprocessing makes of it what today's reader makes.

An older reader is today's with another result; what it wrote, it wrote by the same ways.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from services.timeline.admin.reprocess import Reprocess
from services.timeline.content.automatic import Auto
from services.timeline.content.reader import Attachment, ReadMail, read
from services.timeline.query.search_query import parse_query
from services.timeline.query.viewer import Viewer
from services.timeline.write import consumer, projection
from shared.contracts.events import MailAttached
from shared.contracts.outcomes import Done
from shared.storage.database import Document
from tests.timeline_parts import ACCOUNT, HOW_WRITTEN, Timeline, a_timeline, attached, mail, match

U1 = Viewer(ACCOUNT, "u1")
Otherwise = Callable[[ReadMail], ReadMail]


@dataclass(frozen=True)
class Older:
    """A timeline that an older reader filled."""

    timeline: Timeline
    patch: pytest.MonkeyPatch

    async def wrote(self, otherwise: Otherwise, *captures: tuple[MailAttached, bytes]) -> None:
        """Store captures as a reader that read otherwise."""

        def older(raw: bytes, *, forward: bool = False) -> ReadMail:
            return otherwise(read(raw, forward=forward))

        with self.patch.context() as patch:
            patch.setattr(consumer, "read", older)
            patch.setattr(projection, "READER_VERSION", 0)
            for event, raw in captures:
                assert await self.timeline.handle(event, raw) == Done()

    async def reprocessed(self) -> Counter[str]:
        """Make anew what older readers made."""
        timeline = self.timeline
        chore = Reprocess(timeline.writer, timeline.database, timeline.blobs)
        _, _, tally = await chore.begin()
        assert await chore.run(asyncio.Event(), lambda _: None, tally)
        return tally

    async def found(self, q: str) -> list[str]:
        """Return the subjects of the conversations that a search finds."""
        hits = await self.timeline.search.hits(U1, parse_query(q), 10, None)
        rows = await self.timeline.inbox.of_conversations(U1, hits.conversations)
        return [item.row.first.subject for item in rows]

    async def conversations(self) -> list[tuple[str, int]]:
        """Return the subjects of the conversations, and how many mails they have."""
        rows = await self.timeline.conversations()
        return sorted((item.row.first.subject, item.row.mail_count) for item in rows)

    async def as_if_written_today(self, *captures: tuple[MailAttached, bytes]) -> None:
        """Check that all that is read is what today's reader would have made of the captures."""
        made = await _written(self.timeline)
        for name in (*made, "tokens", "threads", "blobs", "outcomes"):
            await self.timeline.database[name].delete_many({})
        for event, raw in captures:
            assert await self.timeline.handle(event, raw) == Done()
        assert made == await _written(self.timeline)


@pytest.fixture
async def older(
    mongodb_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Older]:
    async with a_timeline(mongodb_url, tmp_path) as timeline:
        yield Older(timeline, monkeypatch)


async def _written(timeline: Timeline) -> dict[str, list[Document]]:
    """Return all that is read, without what depends on the order in which it was written."""
    left_out = HOW_WRITTEN | {"thread"}
    found: dict[str, list[Document]] = {}
    for name in ("mails", "contents", "mail_rows", "profile_mails", "conversations", "bounces"):
        documents = await timeline.database[name].find().to_list()
        for document in documents:
            if name == "conversations":
                document["_id"] = document["viewer"]
            for field in left_out & document.keys():
                del document[field]
        found[name] = sorted(documents, key=repr)
    return found


def _otherwise(**fields: Any) -> Otherwise:
    return lambda mail: replace(mail, **fields)


# -- what is shown and found --------------------------------------------------------------------


async def test_what_is_shown_and_found_is_what_is_read_now(older: Older) -> None:
    capture = attached(), mail("Größe", text="The words of the mail.")
    garbled = _otherwise(subject="GrÃ¶ÃŸe", text="garbled", snippet="garbled", html="<p>x</p>")
    await older.wrote(garbled, capture)
    assert await older.found("garbled") == ["GrÃ¶ÃŸe"]
    assert await older.reprocessed() == Counter(changed=1)
    assert await older.found("garbled") == []
    assert await older.found('"words of the mail" grosse') == ["Größe"]
    await older.as_if_written_today(capture)


async def test_what_was_no_attachment_is_none_any_more(older: Older) -> None:
    footer = Attachment(0, "attachment-0.txt", "text/plain", 60, "0" * 32)
    with_footer, without = (attached(), mail("a")), (attached(), mail("b", message_id="b@x"))
    await older.wrote(_otherwise(attachments=(footer,)), with_footer)
    await older.wrote(_otherwise(), without)
    assert await older.found("has:attachment") == ["a"]
    await older.reprocessed()
    assert await older.found("has:attachment") == await older.found("attachment") == []
    rows = await older.timeline.conversations()
    assert [item.row.with_attachments for item in rows] == [0, 0]
    await older.as_if_written_today(with_footer, without)


async def test_an_attachment_stays_one(older: Older) -> None:
    header = (
        b"\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=cv.pdf"
    )
    capture = attached(), mail().replace(b"\r\n\r\n", header + b"\r\n\r\n", 1)
    await older.wrote(_otherwise(text="garbled"), capture)
    await older.reprocessed()
    assert await older.found("has:attachment cv") == ["Hello"]
    await older.as_if_written_today(capture)


INVITATION = (
    b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1@x.example\r\n"
    b"DTSTART:20260120T090000Z\r\nDTEND:20260120T100000Z\r\nSUMMARY:Interview\r\n"
    b"ORGANIZER:mailto:user@team.example\r\nEND:VEVENT\r\nEND:VCALENDAR"
)


async def test_an_invitation_that_was_not_recognised_is_shown(older: Older) -> None:
    header = b"\r\nContent-Type: text/calendar; method=REQUEST"
    raw = mail(text="").replace(b"\r\n\r\n", header + b"\r\n\r\n", 1) + INVITATION
    await older.wrote(_otherwise(invite=None), (attached(), raw))
    assert [shown.content.invite for shown in await older.timeline.timeline()] == [None]
    await older.reprocessed()
    [shown] = await older.timeline.timeline()
    assert shown.content.invite is not None
    assert shown.content.invite["method"] == "request"


# -- bounces ------------------------------------------------------------------------------------

REPORT = (
    b"From: Mail Delivery System <MAILER-DAEMON@mx.example>\r\nTo: user@team.example\r\n"
    b"Subject: Undelivered Mail Returned to Sender\r\nMessage-ID: <report@mx.example>\r\n"
    b"Date: Thu, 15 Jan 2026 09:05:00 +0000\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nYour mail could not be delivered.\r\n"
    b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
    b"Final-Recipient: rfc822; cand@mail.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
    b"--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <1@x>\r\nFrom: user@team.example\r\n"
    b"To: cand@mail.example\r\nSubject: Hello\r\n\r\nThe text.\r\n--b--\r\n"
)


async def _bounced(older: Older) -> list[str | None]:
    shown = await older.timeline.timeline()
    [sent] = [s for s in shown if s.content.subject == "Hello"]
    return [entry.address for entry in sent.bounced]


@pytest.mark.parametrize("is_first", [True, False])
async def test_a_report_that_was_not_recognised_marks_its_mail(
    older: Older, is_first: bool
) -> None:
    captures = [(attached(sent_by_owner=True), mail()), (attached(), REPORT)]
    blind = _otherwise(auto=None, references=())
    await older.wrote(blind, *(reversed(captures) if is_first else captures))
    assert await _bounced(older) == []
    assert len(await older.timeline.conversations()) == 2
    await older.reprocessed()
    assert await _bounced(older) == ["cand@mail.example"]
    assert await older.conversations() == [("Hello", 2)]


async def test_what_was_taken_for_a_report_marks_nothing_any_more(older: Older) -> None:
    delay = mail("Delayed", message_id="delay@mx.example", sender="relay@mx.example")
    report = Auto("bounce", original_message_id="1@x")
    await older.wrote(_otherwise(), (attached(sent_by_owner=True), mail()))
    await older.wrote(_otherwise(auto=report), (attached(), delay))
    assert await _bounced(older) == [None]
    await older.reprocessed()
    assert await _bounced(older) == []


# -- conversations ------------------------------------------------------------------------------


async def test_an_answer_joins_what_it_is_read_to_answer_now(older: Older) -> None:
    captures = [
        (attached(), mail("Question", message_id="1@x", day=3)),
        (attached(), mail("Re: Question", message_id="2@x", references="<1@x>", day=4)),
        (attached(), mail("Question", message_id="3@x", day=5)),
    ]
    await older.wrote(_otherwise(references=()), *captures)
    before = await older.timeline.conversations()
    assert len(before) == 3
    await older.timeline.inbox.mark(U1, before[0].row.conversation, unread=False)
    await older.reprocessed()
    assert await older.conversations() == [("Question", 1), ("Question", 2)]
    for item in before:
        one = await older.timeline.inbox.one(U1, item.row.conversation)
        assert one is not None, "a former id finds its conversation"
    after = await older.timeline.conversations()
    assert [item.unread for item in after] == [False, True]
    await older.as_if_written_today(*captures)


ENCODED = "=?us-ascii?Q?=3C1=40x=3E?="


def _other_id(of: str, instead: str) -> Otherwise:
    return lambda mail: replace(
        mail, message_id=instead if mail.message_id == of else mail.message_id
    )


async def test_a_mail_whose_id_is_read_otherwise_stays_one_mail_in_its_conversation(
    older: Older,
) -> None:
    captures = [
        (attached(), mail("Question", message_id="1@x", day=3)),
        (attached(owner="u2"), mail("[EXT] Question", message_id="1@x", day=3)),
        (attached(), mail("Re: Question", message_id="2@x", references="<1@x>", day=4)),
        (attached(match("c2", "other@mail.example")), mail("Lunch", message_id="3@x", day=5)),
    ]
    await older.wrote(_other_id("1@x", ENCODED), *captures)
    assert await older.conversations() == [("Lunch", 1), ("Question", 1), ("Re: Question", 1)]
    before = await older.timeline.conversations()
    for item in before:
        await older.timeline.inbox.mark(U1, item.row.conversation, unread=False)
    tally = await older.reprocessed()
    assert tally == Counter(moved=2, unchanged=2)
    assert await older.conversations() == [("Lunch", 1), ("Question", 2)]
    assert sorted(await older.timeline.subjects()) == ["Question", "Re: Question"]
    assert await older.timeline.database.mails.count_documents({}) == 3
    after = await older.timeline.conversations()
    assert [item.unread for item in after] == [False, False], "it is no news"
    ids = {item.row.first.subject.removeprefix("Re: "): item.row.conversation for item in after}
    for item in before:
        one = await older.timeline.inbox.one(U1, item.row.conversation)
        assert one is not None
        assert one.row.conversation == ids[item.row.first.subject.removeprefix("Re: ")]
    await older.as_if_written_today(*captures)


async def test_an_unread_mail_that_moves_stays_unread(older: Older) -> None:
    await older.wrote(_other_id("1@x", ENCODED), (attached(), mail()))
    [before] = await older.timeline.conversations()
    assert before.unread
    await older.reprocessed()
    [after] = await older.timeline.conversations()
    assert after.unread
    assert after.row.arrived == before.row.arrived, "at its former place"


async def test_a_mail_that_came_again_meanwhile_is_not_there_twice(older: Older) -> None:
    first, again = (attached(), mail()), (attached(owner="u2"), mail())
    await older.wrote(_other_id("1@x", ENCODED), first)
    assert await older.timeline.handle(*again) == Done()
    assert len(await older.timeline.timeline()) == 2
    await older.reprocessed()
    [shown] = await older.timeline.timeline()
    assert {c.owner for c in shown.mail.captures} == {"u1", "u2"}
    await older.as_if_written_today(first, again)


async def test_mails_that_a_wrong_id_had_put_together_are_apart(older: Older) -> None:
    captures = [
        (attached(), mail(subject, message_id=f"{number}@x", day=number))
        for number, subject in enumerate(["One", "Two", "Three"], start=3)
    ]
    same = _otherwise(message_id="=?utf-8?Q?=3Csame?=")
    await older.wrote(same, *captures)
    [before] = await older.conversations()
    assert before == ("One", 3)
    assert await older.reprocessed() == Counter(moved=3)
    assert await older.conversations() == [("One", 1), ("Three", 1), ("Two", 1)]
    await older.as_if_written_today(*captures)
