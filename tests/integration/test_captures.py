"""What became of a capture, with a real database: to each what they may know."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from services.timeline.admin.captures import WAITING_AT_MOST, CaptureStatus
from services.timeline.admin.dead_letters.letter import stored_letter
from services.timeline.query.viewer import Viewer
from services.timeline.write.stored import to_document
from shared.contracts.capture_address import account_tag
from shared.contracts.capture_id import capture_id
from shared.contracts.events import AuthenticationVerdict, Role
from tests.broker_parts import received
from tests.dead_letter_parts import dead
from tests.timeline_parts import ACCOUNT, Timeline, a_timeline, attached, dismissed, mail, match

TEAM, COLLEAGUE = Viewer(ACCOUNT, "u1"), Viewer(ACCOUNT, "u2")
OWN, OF_ANOTHER = Viewer(ACCOUNT, "u2", own_only=True), Viewer("globex", "u1")


@pytest.fixture
async def timeline(mongodb_url: str, tmp_path: Path) -> AsyncIterator[Timeline]:
    async with a_timeline(mongodb_url, tmp_path) as timeline:
        yield timeline


@pytest.fixture
def id_() -> UUID:
    return capture_id(account_tag(ACCOUNT))


async def status(
    timeline: Timeline, id_: UUID, viewer: Viewer = TEAM, *, sent_it: bool = False
) -> CaptureStatus | None:
    return await timeline.captures.status(viewer, id_, sent_it=sent_it)


async def test_a_capture_waits_until_it_is_attached_and_tells_its_mails(
    timeline: Timeline, id_: UUID
) -> None:
    assert await status(timeline, id_) == CaptureStatus("waiting")
    await timeline.handle(attached(capture_id=id_), mail())
    [shown] = await timeline.timeline()
    found = CaptureStatus("attached", mail_ids=(shown.mail.id,))
    assert await status(timeline, id_) == await status(timeline, id_, COLLEAGUE) == found
    assert await status(timeline, id_, OWN) is None
    assert await status(timeline, id_, OWN, sent_it=True) == CaptureStatus("attached")


async def test_a_second_capture_of_a_mail_tells_the_same_mail(
    timeline: Timeline, id_: UUID
) -> None:
    await timeline.handle(attached(), mail())
    await timeline.handle(attached(capture_id=id_), mail())
    [shown] = await timeline.timeline()
    assert await status(timeline, id_) == CaptureStatus("attached", mail_ids=(shown.mail.id,))


async def test_mails_that_were_forwarded_as_attachments_are_all_told(
    timeline: Timeline, id_: UUID
) -> None:
    for place, message_id in (("1", "1@x"), ("2", "2@x")):
        event = attached(capture_id=id_, place=place)
        await timeline.handle(event, mail(message_id=message_id))
    found = await status(timeline, id_)
    assert found is not None
    assert set(found.mail_ids) == {shown.mail.id for shown in await timeline.timeline()}
    assert len(found.mail_ids) == 2


async def test_what_is_known_from_a_bcc_is_told_to_its_owner_alone(
    timeline: Timeline, id_: UUID
) -> None:
    known = match(role=Role.BCC)
    await timeline.handle(attached(known, capture_id=id_), mail(to="o@x", bcc="cand@mail.example"))
    assert await status(timeline, id_) is not None
    assert await status(timeline, id_, COLLEAGUE) is None


async def test_a_dismissed_capture_tells_its_reason_and_nothing_else(
    timeline: Timeline, id_: UUID
) -> None:
    await timeline.handle(dismissed(id_))
    told = CaptureStatus("dismissed", "no_match")
    assert await status(timeline, id_) == await status(timeline, id_, OWN, sent_it=True) == told
    assert await status(timeline, id_, OWN) is None


async def test_a_capture_in_quarantine_is_told_to_who_would_see_it(
    timeline: Timeline, id_: UUID
) -> None:
    await timeline.settings.set_quarantine(ACCOUNT, "failed")
    event = attached(capture_id=id_, verdict=AuthenticationVerdict.FAILED)
    await timeline.handle(event, mail())
    assert await status(timeline, id_) == CaptureStatus("quarantined")
    assert await status(timeline, id_, OWN) is None
    [held] = (await timeline.quarantine.page(TEAM, 1, None)).items
    await timeline.release.refuse(held)
    assert await status(timeline, id_) == CaptureStatus("dismissed", "refused")


async def test_a_dead_letter_is_told_with_its_reason(timeline: Timeline, id_: UUID) -> None:
    about = received(account_tag=account_tag(ACCOUNT), capture_id=id_)
    letter = stored_letter(dead(about), datetime.now(UTC), timedelta(days=14))
    await timeline.database.dead_letters.insert_one(to_document(letter))
    assert await status(timeline, id_) == CaptureStatus("dead_letter", "unknown_capture_address")
    assert await status(timeline, id_, OF_ANOTHER, sent_it=True) is None


async def test_another_account_finds_nothing_at_any_time(timeline: Timeline, id_: UUID) -> None:
    assert await status(timeline, id_, OF_ANOTHER, sent_it=True) is None
    await timeline.handle(attached(capture_id=id_), mail())
    assert await status(timeline, id_, OF_ANOTHER, sent_it=True) is None


async def test_nothing_waits_for_longer_than_it_can(timeline: Timeline) -> None:
    tag = account_tag(ACCOUNT)
    at_most = capture_id(tag, datetime.now(UTC) - WAITING_AT_MOST + timedelta(minutes=5))
    longer = capture_id(tag, datetime.now(UTC) - WAITING_AT_MOST - timedelta(minutes=5))
    assert await status(timeline, at_most) == CaptureStatus("waiting")
    assert await status(timeline, longer) is None
