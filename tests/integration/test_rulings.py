"""Mails that users detach, hide and delete, with a real database and a real blob store."""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.timeline.admin.reprocess import Reprocess
from services.timeline.api.mail_changes import _wanted
from services.timeline.query.audit_log import AuditLog
from services.timeline.query.search_query import parse_query
from services.timeline.query.viewer import Viewer
from services.timeline.write.audiences import as_ruled, profile_dates, views
from services.timeline.write.consumer import Projector
from services.timeline.write.records import RAW_IN_DATABASE_BYTES, Mail, MailRow, ProfileRow
from services.timeline.write.stored import from_document
from services.timeline.write.term_blocks import MAX_ROWS
from services.timeline.write.writer import Writer
from shared.broker import Delivery
from shared.contracts.events import AuthenticationVerdict, Role
from shared.contracts.outcomes import Done
from shared.storage.blobs import BlobMissing, BlobStoreAway
from tests.timeline_parts import ACCOUNT, Timeline, a_timeline, attached, mail, match

ONE, TWO, ALL = Viewer(ACCOUNT, "u1"), Viewer(ACCOUNT, "u2"), Viewer(ACCOUNT, "", sees_all=True)
LARGE = RAW_IN_DATABASE_BYTES // 8


@pytest.fixture
async def timeline(mongodb_url: str, tmp_path: Path) -> AsyncIterator[Timeline]:
    async with a_timeline(mongodb_url, tmp_path) as timeline:
        yield timeline


async def the_mail(timeline: Timeline) -> str:
    [found] = await timeline.database.mails.find({"captures.0": {"$exists": True}}).to_list()
    return str(found["_id"])


async def found(timeline: Timeline, words: str, viewer: Viewer = ONE) -> int:
    return len((await timeline.search.hits(viewer, parse_query(words), 200, None)).conversations)


async def everything(timeline: Timeline) -> str:
    """Return all that is in the database and the blob store, names of files included."""
    texts = []
    for name in await timeline.database.list_collection_names():
        texts += [str(document) async for document in timeline.database[name].find()]
    return "\n".join([*texts, *await asyncio.to_thread(files, timeline.folder)])


def files(folder: Path) -> list[str]:
    return [
        f"{path} {path.read_text(errors='replace')}" for path in folder.rglob("*") if path.is_file()
    ]


# Detach and hide -----------------------------------------------------------------------------


async def test_a_mail_is_removed_from_a_profile_and_put_back(timeline: Timeline) -> None:
    both = match(), match("c2", "other@mail.example", Role.CC)
    await timeline.handle(attached(*both), mail())
    id_ = await the_mail(timeline)
    assert await timeline.rulings.detach(ONE, id_, "c1", undo=False) == "done"
    assert await timeline.timeline("c1") == []
    [shown] = await timeline.timeline("c2")
    assert [m.person_id for m in shown.matches] == ["c2"]
    assert shown.detached == ["c1"]
    assert (await timeline.inbox.page(ONE, 10, None, "c1")).items == []
    [item] = (await timeline.inbox.page(ONE, 10, None, "c2")).items
    assert [person.person_id for person in item.row.persons] == ["c2"]
    assert await found(timeline, "text") == 1
    assert await timeline.rulings.detach(TWO, id_, "c1", undo=True) == "done"
    [shown] = await timeline.timeline("c1")
    assert ({m.person_id for m in shown.matches}, shown.detached) == ({"c1", "c2"}, [])


async def test_nobody_detaches_or_learns_of_what_they_may_not_see(timeline: Timeline) -> None:
    hidden = match("c2", "other@mail.example", Role.BCC)
    await timeline.handle(attached(match(), hidden), mail())
    id_ = await the_mail(timeline)
    assert await timeline.rulings.detach(TWO, id_, "c2", undo=False) == "no_match"
    assert await timeline.rulings.detach(TWO, id_, "c9", undo=False) == "no_match"
    assert await timeline.rulings.detach(TWO, "a" * 32, "c1", undo=False) == "no_mail"
    own = Viewer(ACCOUNT, "u2", own_only=True)
    assert await timeline.rulings.detach(own, id_, "c1", undo=False) == "no_mail"
    elsewhere = Viewer("globex", "u1")
    assert await timeline.rulings.detach(elsewhere, id_, "c1", undo=False) == "no_mail"
    assert await timeline.rulings.detach(ONE, id_, "c2", undo=False) == "done"
    [for_colleague] = await timeline.timeline("c1", "u2")
    assert for_colleague.detached == []


async def test_a_private_mail_is_its_owners_in_every_view(timeline: Timeline) -> None:
    await timeline.handle(attached(), mail())
    id_ = await the_mail(timeline)
    assert await timeline.rulings.hide(TWO, id_, undo=False) == "not_the_owner"
    assert await timeline.rulings.hide(ONE, id_, undo=False) == "done"
    assert await timeline.mails.one(TWO, id_) is None
    assert await timeline.timeline("c1", "u2") == []
    assert await timeline.conversations("u2") == []
    assert await found(timeline, "text", TWO) == 0
    shown = await timeline.mails.one(ONE, id_)
    assert shown is not None
    assert shown.is_private
    assert len(await timeline.timeline("c1")) == len(await timeline.conversations()) == 1
    assert await found(timeline, "text") == 1
    [kept] = (await timeline.changes.page(ALL, 10, None, None)).items
    assert kept.shown.is_private
    assert await timeline.rulings.hide(TWO, id_, undo=True) == "no_mail"
    assert await timeline.rulings.hide(ONE, id_, undo=True) == "done"
    [shown_to_colleague] = await timeline.timeline("c1", "u2")
    assert not shown_to_colleague.is_private


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


async def test_a_copy_of_one_profile_is_told_that_a_mail_was_removed_from_it(
    timeline: Timeline,
) -> None:
    await timeline.handle(attached(match(), match("c2", "c2@x.example")), mail())
    page = await timeline.changes.page(ALL, 10, None, None)
    await timeline.rulings.detach(ONE, await the_mail(timeline), "c1", undo=False)
    page = await timeline.changes.page(ALL, 10, page.cursor, None)
    [changed] = page.items
    assert _wanted(changed, "c1", None)
    assert not _wanted(changed, "c9", None)
    assert changed.shown.detached == ["c1"]


async def test_the_audit_log_is_the_accounts_own_newest_first(timeline: Timeline) -> None:
    await timeline.handle(attached(), mail())
    id_ = await the_mail(timeline)
    await timeline.rulings.detach(ONE, id_, "c1", undo=False)
    await timeline.rulings.hide(ONE, id_, undo=False)
    await timeline.rulings.forget(ONE, id_, "u1")
    log = AuditLog(timeline.database)
    first = await log.page(ACCOUNT, 2, None)
    rest = await log.page(ACCOUNT, 2, first.next_cursor)
    lines = [*first.items, *rest.items]
    assert [line.what for line in lines] == ["forgotten", "private", "detached"]
    assert {(line.who, line.mail_id) for line in lines} == {("u1", id_)}
    assert rest.next_cursor is None
    assert (await log.page("globex", 2, None)).items == []


# Races ---------------------------------------------------------------------------------------


async def test_two_writers_race_with_captures_of_the_same_mail(timeline: Timeline) -> None:
    blobs, settings = timeline.blobs, timeline.settings
    second = Projector(Writer(timeline.client, timeline.database, blobs), blobs, settings)
    chance = random.Random(7)
    for number in range(12):
        first = attached(match(), match("c2", "c2@x.example"))
        raw = mail(
            f"zqsubject{number}y", message_id=f"{number}@x", text="filler " * LARGE * (number % 2)
        )
        await timeline.handle(first, raw)
        [id_] = [s.mail.id for s in await timeline.timeline() if s.mail.message_id == f"{number}@x"]
        again = raw.replace(b"Subject: zq", b"Subject: other zq")
        work = [
            second.handle(Delivery(attached(minutes=2), again, redelivered=False)),
            second.handle(Delivery(first, raw, redelivered=True)),
            timeline.rulings.forget(ONE, id_, "u1"),
            timeline.rulings.detach(ONE, id_, "c1", undo=False),
            timeline.rulings.hide(ONE, id_, undo=False),
        ]
        if number % 3 == 0:
            copy = mail(f"ours {number}", message_id=f"{number}@x")
            event = attached(owner="u2", minutes=1)
            work.append(second.handle(Delivery(event, copy, redelivered=False)))
        chance.shuffle(work)
        await asyncio.gather(*work)
        left = await everything(timeline)
        assert f"zqsubject{number}y" not in left
        assert (f"ours {number}" in left) is (number % 3 == 0)
    await second.writer.close()
    await timeline.dropped.once()
    assert await consistent(timeline) == 4
    blobs_left = await asyncio.to_thread(files, timeline.folder / "blobs" / "mails")
    assert blobs_left == []
    assert (await timeline.tally())["attached"] >= 16


async def consistent(timeline: Timeline) -> int:
    """Check that what is listed is what the mails say; return how many there are."""
    rows, dates, count = set(), set(), 0
    for document in await timeline.database.mails.find().to_list():
        one = from_document(Mail, document)
        count += bool(one.captures)
        captures = as_ruled(one)
        rows |= {(audience, one.id, view.persons) for audience, view in views(captures).items()}
        dates |= {(a, person, one.id) for a, person in profile_dates(captures)}
    listed = [from_document(MailRow, d) async for d in timeline.database.mail_rows.find()]
    on_profiles = [
        from_document(ProfileRow, d) async for d in timeline.database.profile_mails.find()
    ]
    assert {(row.audience, row.mail_id, row.persons) for row in listed} == rows
    assert {(row.audience, row.person_id, row.mail_id) for row in on_profiles} == dates
    with pytest.raises(BlobMissing):
        await timeline.raw_bytes.get(ACCOUNT, "mails/acme/none")
    return count
