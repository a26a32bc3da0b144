"""Mails that users detach and hide, and races of all rulings, with a real database."""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.timeline.api.mail_changes import _wanted
from services.timeline.query.audit_log import AuditLog
from services.timeline.query.viewer import Viewer
from services.timeline.write.audiences import as_ruled, profile_dates, views
from services.timeline.write.consumer import Projector
from services.timeline.write.listed_records import MailRow, ProfileRow
from services.timeline.write.records import Mail
from services.timeline.write.stored import from_document
from services.timeline.write.writer import Writer
from shared.broker import Delivery
from shared.contracts.events import Role
from shared.storage.blobs import BlobMissing
from tests.ruling_parts import ALL, LARGE, ONE, TWO, everything, files, found, the_mail
from tests.timeline_parts import ACCOUNT, Timeline, a_timeline, attached, mail, match


@pytest.fixture
async def timeline(mongodb_url: str, tmp_path: Path) -> AsyncIterator[Timeline]:
    async with a_timeline(mongodb_url, tmp_path) as timeline:
        yield timeline


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
    writer = Writer(timeline.client, timeline.database, blobs)
    second = Projector(writer, blobs, settings, timeline.erased)
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
