"""Mails that users delete for good, with a real database and a real blob store."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.timeline.admin.reprocess import Reprocess
from services.timeline.query.viewer import Viewer
from services.timeline.write.term_blocks import MAX_ROWS
from shared.contracts.events import AuthenticationVerdict
from shared.contracts.outcomes import Done
from shared.storage.blobs import BlobStoreAway
from tests.ruling_parts import ALL, LARGE, ONE, TWO, everything, found, the_mail
from tests.timeline_parts import ACCOUNT, Timeline, a_timeline, attached, mail


@pytest.fixture
async def timeline(mongodb_url: str, tmp_path: Path) -> AsyncIterator[Timeline]:
    async with a_timeline(mongodb_url, tmp_path) as timeline:
        yield timeline


# Delete --------------------------------------------------------------------------------------


def secret_mail(words: list[str], *, large: bool) -> bytes:
    """Return a mail with words in every header, its text and its attachment."""

    def word() -> str:
        words.append(f"zq{secrets.token_hex(6)}")
        return words[-1]

    id_ = word()
    fields = [
        f"Received: from {word()}",
        f"From: {word()} <{word()}@x.example>",
        *(f"{name}: {word()} <{word()}@x.example>" for name in ("To", "Cc", "Bcc", "Reply-To")),
        f"Message-ID: <{id_}@x>",
        f"References: <{word()}@x>",
        "Date: Thu, 15 Jan 2026 09:00:00 +0000",
        f"Subject: {word()}",
        f"X-{word()}: {word()}",
        'Content-Type: multipart/mixed; boundary="b"',
    ]
    parts = [
        f"--b\r\nContent-Type: text/plain\r\n\r\n{word()}\r\n" + "filler\r\n" * LARGE * large,
        f"--b\r\nContent-Type: text/html\r\n\r\n<p>{word()}</p>",
        f'--b\r\nContent-Type: application/pdf; name="{word()}.pdf"\r\n\r\n{word()}\r\n--b--',
    ]
    return ("\r\n".join(fields) + "\r\n\r\n" + "\r\n".join(parts) + "\r\n").encode()


@pytest.mark.parametrize("large", [False, True])
async def test_of_a_deleted_mail_no_word_is_left_nor_found(
    timeline: Timeline, *, large: bool
) -> None:
    words: list[str] = []
    raw = secret_mail(words, large=large)
    others = [
        timeline.handle(attached(), mail(f"other{n}", message_id=f"{n}@x")) for n in range(MAX_ROWS)
    ]
    await asyncio.gather(timeline.handle(attached(), raw), *others)
    await timeline.index_terms()
    shown = [row for row in await timeline.timeline() if not row.content.subject.startswith("o")]
    blocks = str(await timeline.database.term_blocks.find().to_list())
    assert any(word in blocks for word in words)
    assert await timeline.rulings.forget(ONE, shown[0].mail.id, "u1") == "done"
    left = await everything(timeline)
    assert "other0" in left, "there was something to look through"
    assert [word for word in words if word in left] == []
    for word in words:
        assert await found(timeline, word) == 0
    assert len(await timeline.timeline()) == MAX_ROWS
    assert await found(timeline, "other0") == 1
    await timeline.index_terms()
    assert await timeline.handle(attached(), raw) == Done()
    left = await everything(timeline)
    assert [word for word in words if word in left] == []
    assert await timeline.tally() == {"attached": MAX_ROWS + 1, "forgotten": 1}


async def test_an_owners_deletion_leaves_a_colleague_what_both_had(timeline: Timeline) -> None:
    text = "filler " * LARGE
    own = mail(text=text, bcc="zqbcc@x.example", trace="Received: by zqmailbox.example")
    await timeline.handle(attached(), own)
    await timeline.handle(attached(owner="u2", minutes=1), mail(text=text))
    id_ = await the_mail(timeline)
    assert await timeline.rulings.forget(ONE, id_, "u1") == "done"
    left = await everything(timeline)
    assert [word for word in ("zqbcc", "zqmailbox") if word in left] == []
    shown = await timeline.mails.one(TWO, id_)
    assert shown is not None
    assert b"filler" in await timeline.raw(shown.content)
    assert {capture.owner for capture in shown.mail.captures} == {"u2"}
    assert await timeline.rulings.forget(ONE, id_, "u1") == "done", "again: it is done already"
    assert await timeline.rulings.forget(Viewer(ACCOUNT, "u3"), id_, "u3") == "not_the_owner"
    assert await timeline.rulings.forget(ALL, id_, None) == "done"
    assert await timeline.rulings.forget(ALL, id_, None) == "done"
    assert await timeline.rulings.forget(Viewer(ACCOUNT, "u3"), id_, "u3") == "no_mail"
    assert "filler" not in await everything(timeline)


async def test_bytes_go_later_when_the_blob_store_is_away(
    timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    await timeline.handle(attached(), mail(text="zqlarge " * LARGE))
    id_ = await the_mail(timeline)

    async def away(_: str) -> None:
        raise BlobStoreAway("away")

    with monkeypatch.context() as patch:
        patch.setattr(timeline.blobs, "delete", away)
        assert await timeline.rulings.forget(ONE, id_, "u1") == "done"
        await timeline.dropped.once()
    assert "zqlarge" in await everything(timeline)
    await timeline.dropped.once()
    assert "zqlarge" not in await everything(timeline)
    assert await timeline.database.dropped_blobs.count_documents({}) == 0


async def test_the_same_bytes_that_come_back_are_not_removed(timeline: Timeline) -> None:
    raw = mail(text="zqlarge " * LARGE)
    await timeline.handle(attached(), raw)
    id_ = await the_mail(timeline)
    dropped = timeline.dropped.remove
    timeline.dropped.remove = pretend  # type: ignore[method-assign] # it dies before it removes
    await timeline.rulings.forget(ONE, id_, "u1")
    await timeline.handle(attached(owner="u2"), raw)
    await dropped()
    shown = await timeline.mails.one(TWO, id_)
    assert shown is not None
    assert await timeline.raw(shown.content) == raw


async def pretend(account: str | None = None) -> None:
    """Remove nothing."""


async def test_copies_that_wait_go_too(timeline: Timeline) -> None:
    await timeline.settings.set_quarantine(ACCOUNT, "failed")
    await timeline.handle(attached(), mail())
    id_ = await the_mail(timeline)
    failed = AuthenticationVerdict.FAILED
    await timeline.handle(attached(verdict=failed, minutes=1), mail(text="zqwaits"))
    await timeline.handle(attached(verdict=failed, owner="u2", minutes=2), mail(text="zqtoo"))
    assert await timeline.rulings.forget(ONE, id_, "u1") == "done"
    left = await everything(timeline)
    assert ("zqwaits" in left, "zqtoo" in left) == (False, True)
    assert await timeline.tally() == {"attached": 1, "forgotten": 1, "quarantined": 1}
    [listed] = (await timeline.quarantine.page(TWO, 10, None)).items
    held = await timeline.quarantine.one(TWO, listed.id)
    assert held is not None
    await timeline.release.release(held)
    assert [shown.mail.id for shown in await timeline.timeline("c1", "u2")] == [id_]


async def test_a_deletion_that_was_interrupted_is_finished_when_asked_for_again(
    timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    await timeline.settings.set_quarantine(ACCOUNT, "failed")
    await timeline.handle(attached(), mail())
    id_ = await the_mail(timeline)
    failed = AuthenticationVerdict.FAILED
    await timeline.handle(attached(verdict=failed, minutes=1), mail(text="zqwaits"))

    async def away(_: str) -> bytes:
        raise BlobStoreAway("away")

    with monkeypatch.context() as patch:
        patch.setattr(timeline.blobs, "get", away)
        with pytest.raises(BlobStoreAway):
            await timeline.rulings.forget(ONE, id_, "u1")
    assert "zqwaits" in await everything(timeline)
    assert await timeline.rulings.forget(ONE, id_, "u1") == "done"
    assert "zqwaits" not in await everything(timeline)


async def test_reading_anew_and_delivering_again_bring_nothing_back(timeline: Timeline) -> None:
    event = attached()
    await timeline.handle(event, mail(text="zqgone"))
    await timeline.handle(attached(), mail(message_id="2@x"))
    [id_] = [s.mail.id for s in await timeline.timeline() if s.mail.message_id == "1@x"]
    await timeline.rulings.forget(ONE, id_, "u1")
    for again in (event, attached(backfill=True), attached(minutes=9)):
        await timeline.handle(again, mail(text="zqgone"))
    chore = Reprocess(timeline.writer, timeline.database, timeline.blobs)
    _, _, tally = await chore.begin(include_current=True)
    assert await chore.run(asyncio.Event(), lambda _: None, tally)
    assert "zqgone" not in await everything(timeline)
    assert await timeline.tally() == {"attached": 2, "forgotten": 2}


async def test_who_keeps_a_copy_is_told_of_a_deletion(timeline: Timeline) -> None:
    for n in range(3):
        await timeline.handle(attached(), mail(message_id=f"{n}@x"))
    page = await timeline.changes.page(ALL, 10, None, None)
    id_ = page.items[1].shown.mail.id
    before = datetime.now(UTC)
    await timeline.rulings.forget(ONE, id_, "u1")
    page = await timeline.changes.page(ALL, 10, page.cursor, None)
    assert ([one.id for one in page.deleted], page.items) == ([id_], [])
    assert page.deleted[0].at >= before
    again = await timeline.changes.page(ALL, 10, None, None)
    assert (len(again.items), len(again.deleted)) == (2, 1)
    await timeline.handle(attached(owner="u2"), mail(message_id="1@x"))
    page = await timeline.changes.page(ALL, 10, page.cursor, None)
    assert ([one.shown.mail.id for one in page.items], page.deleted) == ([id_], [])
