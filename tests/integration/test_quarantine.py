"""What waits for a user's yes, step by step, with a real database and a real blob store."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from services.timeline.admin.quarantine import Waiting
from services.timeline.admin.release import Release
from services.timeline.api.quarantine import HeldOut
from services.timeline.api.shapes import MailOut
from services.timeline.query.viewer import Viewer
from services.timeline.write.side_records import Held
from shared.contracts.events import AuthenticationVerdict, MailAttached, Role
from shared.contracts.outcomes import Done, Retry
from shared.storage.blob_keys import CLAIM_CHECK_BYTES
from shared.storage.blobs import BlobMissing
from tests.fakes import Crash
from tests.timeline_parts import ACCOUNT, Timeline, a_timeline, attached, dismissed, mail, match

VERIFIED, UNVERIFIED, FAILED = (
    AuthenticationVerdict.VERIFIED,
    AuthenticationVerdict.UNVERIFIED,
    AuthenticationVerdict.FAILED,
)
TEAM = Viewer(ACCOUNT, "u1")


@pytest.fixture
async def timeline(mongodb_url: str, tmp_path: Path) -> AsyncIterator[Timeline]:
    async with a_timeline(mongodb_url, tmp_path) as timeline:
        await timeline.settings.set_quarantine(ACCOUNT, "failed")
        yield timeline


def failed(*matches: Any, **options: Any) -> MailAttached:
    return attached(*matches, verdict=FAILED, **options)


async def waiting(timeline: Timeline, viewer: Viewer = TEAM) -> list[Held]:
    page = await timeline.quarantine.page(viewer, 200, None)
    found = [await timeline.quarantine.one(viewer, held.id) for held in page.items]
    return [held for held in found if held is not None]


async def everything(timeline: Timeline) -> str:
    """Return all that is in the database and under the blobs."""
    texts = []
    for name in await timeline.database.list_collection_names():
        texts += [str(document) async for document in timeline.database[name].find()]
    return "\n".join([*texts, *await asyncio.to_thread(files, timeline.folder)])


def files(folder: Path) -> list[str]:
    found = [path for path in folder.rglob("*") if path.is_file()]
    return [f"{path} {path.read_text()}" for path in found]


async def test_what_has_failed_waits_and_is_in_nothing_else(timeline: Timeline) -> None:
    event = failed()
    for _ in range(2):
        assert await timeline.handle(event, mail("Zqsecret", text="Zqsecret")) == Done()
    assert await timeline.tally() == {"attached": 0, "quarantined": 1}
    for name in await timeline.database.list_collection_names():
        found = [str(d) async for d in timeline.database[name].find()]
        assert name == "quarantine" or not any("Zqsecret" in text for text in found), name
    [held] = await waiting(timeline)
    [shown] = HeldOut.of(TEAM, held).mails
    assert (shown.subject, [m.person_id for m in shown.matches]) == ("Zqsecret", ["c1"])
    assert await timeline.conversations() == []
    assert await timeline.database["changes"].count_documents({}) == 0


async def test_only_what_has_failed_waits_and_only_where_an_account_wants_it(
    timeline: Timeline,
) -> None:
    for number, verdict in enumerate((VERIFIED, UNVERIFIED, None)):
        await timeline.handle(attached(verdict=verdict), mail(message_id=f"{number}@x"))
    await timeline.handle(failed(account="globex"), mail())
    await timeline.settings.set_quarantine(ACCOUNT, "off")
    await timeline.handle(failed(), mail("Off", message_id="off@x"))
    assert await waiting(timeline) == []
    assert len(await timeline.subjects()) == 4


async def test_released_it_is_what_it_would_have_been(timeline: Timeline) -> None:
    event = failed()
    await timeline.handle(event, mail())
    [held] = await waiting(timeline)
    await timeline.release.release(held)
    assert await waiting(timeline) == []
    assert await timeline.tally() == {"attached": 1}
    [shown] = await timeline.timeline()
    assert MailOut.of(shown).authentication.verdict is FAILED
    whole = await timeline.mails.one(TEAM, shown.mail.id)
    assert whole is not None
    assert await timeline.raw(whole.content) == mail()
    [conversation] = await timeline.conversations()
    assert conversation.unread
    # It comes again, and somebody says yes again, from a page that was loaded before.
    assert await timeline.handle(event, mail()) == Done()
    assert await waiting(timeline) == []
    assert await timeline.tally() == {"attached": 1}
    assert "quarantine/" not in await everything(timeline)


async def test_refused_it_is_forgotten_for_good(timeline: Timeline) -> None:
    event = failed()
    await timeline.handle(event, mail("Zqsecret", text="Zqsecret"))
    [held] = await waiting(timeline)
    await timeline.release.refuse(held)
    await timeline.settings.set_quarantine(ACCOUNT, "off")
    assert await timeline.handle(event, mail("Zqsecret", text="Zqsecret")) == Done()
    await timeline.handle(dismissed(event.capture_id))
    assert await timeline.tally() == {"attached": 0, "refused": 1}
    left = await everything(timeline)
    assert "Zqsecret" not in left
    assert held.mails[0].raw_key not in left
    # Another copy of it is another capture, which waits for itself.
    await timeline.settings.set_quarantine(ACCOUNT, "failed")
    await timeline.handle(failed(owner="u2"), mail())
    assert len(await waiting(timeline)) == 1


async def test_a_dismissal_before_it_gives_way(timeline: Timeline) -> None:
    event = failed()
    await timeline.handle(dismissed(event.capture_id))
    await timeline.handle(event, mail())
    assert await timeline.tally() == {"attached": 0, "quarantined": 1}


async def test_what_nobody_decides_is_forgotten_in_time(timeline: Timeline) -> None:
    await timeline.handle(failed(), mail())
    release = Release(
        timeline.projector,
        timeline.quarantine,
        datetime.now(UTC) - datetime(2026, 1, 1, tzinfo=UTC),
    )
    assert await release.expire() == 0
    assert await Release(timeline.projector, timeline.quarantine, timedelta(days=1)).expire() == 1
    assert await timeline.tally() == {"attached": 0, "expired": 1}


async def test_a_large_capture_of_several_mails_waits_and_is_released_as_one(
    timeline: Timeline,
) -> None:
    capture_id, large = uuid4(), mail("Large", text="x" * CLAIM_CHECK_BYTES)
    await timeline.handle(failed(capture_id=capture_id), mail("Outer", message_id="outer@x"))
    for part, person in ((1, "c1"), (2, "c2")):
        event = failed(
            match(person), capture_id=capture_id, claim=True, place="1", part=part, parts=2
        )
        assert event.blob_key is not None
        if part == 1:
            await timeline.blobs.put(event.blob_key, large)
        assert await timeline.handle(event) == Done()
    assert await timeline.handle(event) == Done(), "the claim is gone, and all is recorded"
    [held] = await waiting(timeline)
    outer, inner = HeldOut.of(TEAM, held).mails
    assert (outer.subject, inner.subject) == ("Outer", "Large")
    assert {m.person_id for m in inner.matches} == {"c1", "c2"}
    await timeline.release.release(held)
    assert await timeline.subjects("c2") == ["Large"]
    assert await timeline.tally() == {"attached": 1}
    assert await waiting(timeline) == []


async def test_a_yes_that_is_cut_off_can_be_said_again(
    timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit, delete = timeline.writer.submit, timeline.blobs.delete
    left = 0

    async def cut(real: Any, *arguments: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise Crash
        return await real(*arguments)

    for steps in range(4):
        capture_id = uuid4()
        for place in ("", "1"):
            raw = mail(f"Mail {place}", message_id=f"{steps}.{place}@x")
            await timeline.handle(failed(capture_id=capture_id, place=place), raw)
        [held] = await waiting(timeline)
        left = steps
        with monkeypatch.context() as patch:
            patch.setattr(timeline.writer, "submit", lambda *a: cut(submit, *a))
            patch.setattr(timeline.blobs, "delete", lambda *a: cut(delete, *a))
            with pytest.raises(Crash):
                await timeline.release.release(held)
        for again in await waiting(timeline):
            await timeline.release.release(again)
        assert len(await timeline.subjects()) == 2 * steps + 2
        assert await timeline.tally() == {"attached": steps + 1}
        assert await waiting(timeline) == []


async def test_yes_and_no_at_once_are_one_of_both(timeline: Timeline) -> None:
    for number in range(8):
        event = failed()
        raw = mail(f"Mail {number}", message_id=f"{number}@x")
        await timeline.handle(event, raw)
        [held] = await waiting(timeline)
        both = (timeline.release.release(held), timeline.release.refuse(held))
        both_and_again = (*both, timeline.handle(event, raw))
        ended = await asyncio.gather(*both_and_again, return_exceptions=True)
        assert {type(end) for end in ended} <= {type(None), Done, Retry, BlobMissing}
        for left in await waiting(timeline):
            await timeline.release.refuse(left)
    tally = await timeline.tally()
    assert tally.get("attached", 0) + tally.get("refused", 0) == 8
    assert len(await timeline.subjects()) == tally["attached"]
    assert "quarantine/" not in await everything(timeline)


async def test_who_would_see_it_sees_that_it_waits(timeline: Timeline) -> None:
    await timeline.handle(failed(owner="u2"), mail("Open", bcc="hidden@x.example"))
    by_bcc = failed(match("c7", "hidden@x.example", Role.BCC), owner="u2")
    await timeline.handle(by_bcc, mail("Hidden", message_id="2@x", bcc="hidden@x.example"))
    u2 = Viewer(ACCOUNT, "u2")
    viewers = [TEAM, u2, *(Viewer(ACCOUNT, u, own_only=True) for u in ("u1", "u2"))]
    seen = {
        viewer: [HeldOut.of(viewer, held) for held in await waiting(timeline, viewer)]
        for viewer in (*viewers, Viewer("globex", "u2"))
    }
    subjects = [sorted(m.subject for h in items for m in h.mails) for items in seen.values()]
    assert subjects == [["Open"], ["Hidden", "Open"], [], ["Hidden", "Open"], []]
    assert all("hidden@" not in item.model_dump_json() for item in seen[TEAM])
    found = [await timeline.quarantine.one(TEAM, item.id) for item in seen[u2]]
    assert sorted(held is None for held in found) == [False, True]


async def test_pages_follow_each_other(timeline: Timeline) -> None:
    for number in range(5):
        await timeline.handle(failed(minutes=number), mail(f"{number}", message_id=f"{number}@x"))
    subjects: list[str] = []
    cursor = None
    while not subjects or cursor:
        page: Waiting = await timeline.quarantine.page(TEAM, 2, cursor)
        subjects += [held.mails[0].shown.subject for held in page.items]
        cursor = page.next_cursor
    assert subjects == ["4", "3", "2", "1", "0"]


async def test_a_verdict_is_about_the_content_that_is_shown(timeline: Timeline) -> None:
    await timeline.settings.set_quarantine(ACCOUNT, "off")
    # One and the same, word for word: what verifies one copy verifies the other.
    await timeline.handle(attached(verdict=UNVERIFIED), mail())
    await timeline.handle(attached(verdict=VERIFIED, owner="u2"), mail(trace="DKIM-Signature: x"))
    [shown] = await timeline.timeline()
    assert shown.authentication.verdict == "verified"
    [own] = await timeline.timeline(own_only=True)
    assert own.authentication.verdict == "unverified", "the other copy is a colleague's"
    # A forged copy with the same identity came first; the true one is shown in its place, and does
    # not lend it its verdict.
    await timeline.handle(failed(), mail("Forged", message_id="2@x", text="Pay here."))
    await timeline.handle(attached(verdict=VERIFIED, owner="u2"), mail("True", message_id="2@x"))
    true = next(s for s in await timeline.timeline() if s.content.subject == "True")
    assert true.authentication.verdict == "verified"
    [variant] = true.variants
    forged = await timeline.mails.one(TEAM, true.mail.id, variant)
    assert forged is not None
    assert forged.authentication.verdict == "failed"


async def test_an_account_can_let_unverified_mail_wait(timeline: Timeline) -> None:
    await timeline.settings.set_quarantine(ACCOUNT, "unverified")
    unsigned = attached(verdict=UNVERIFIED, reason="unsigned")
    for _ in range(2):
        assert await timeline.handle(unsigned, mail()) == Done()
    await timeline.handle(attached(verdict=VERIFIED), mail("Known", message_id="2@x"))
    await timeline.handle(failed(), mail("Forged", message_id="3@x"))
    assert await timeline.subjects() == ["Known"]
    assert await timeline.tally() == {"attached": 1, "quarantined": 2}
    await timeline.settings.set_quarantine(ACCOUNT, "off")
    await timeline.handle(unsigned, mail())
    assert len(await waiting(timeline)) == 2, "what waits goes on waiting"
    for held in await waiting(timeline):
        await timeline.release.release(held)
    assert await timeline.tally() == {"attached": 3}
    assert await waiting(timeline) == []


async def test_no_mail_is_forgotten_since_a_question_stayed_unanswered(timeline: Timeline) -> None:
    await timeline.settings.set_quarantine(ACCOUNT, "unverified")
    for number, reason in enumerate(("dns", "key_unanswered", "unsigned")):
        event = attached(verdict=UNVERIFIED, reason=reason)
        await timeline.handle(event, mail(reason, message_id=f"{number}@x"))
    assert len(await waiting(timeline)) == 3
    assert await Release(timeline.projector, timeline.quarantine, timedelta(days=1)).expire() == 3
    assert await timeline.tally() == {"attached": 2, "expired": 1}
    assert sorted(await timeline.subjects()) == ["dns", "key_unanswered"]
    assert await waiting(timeline) == []


async def test_settings_are_changed_one_by_one(timeline: Timeline) -> None:
    await timeline.settings.set_quarantine(ACCOUNT, forwards=True)
    found = await timeline.settings.quarantined(ACCOUNT)
    assert (found.what, found.forwards) == ("failed", True)
    await timeline.settings.set_quarantine(ACCOUNT, "unverified")
    found = await timeline.settings.quarantined(ACCOUNT)
    assert (found.what, found.forwards) == ("unverified", True)
    assert await timeline.settings.quarantine("globex") == "off"
