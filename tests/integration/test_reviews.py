"""Reviews, from the matcher to the timeline and back, with real databases."""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.matcher.decision.never_capture import never_capture_of
from services.matcher.decision.pending import PendingChange
from services.matcher.reviews.records import Review
from services.timeline.query.audit_log import AuditLog
from shared.broker import Delivery
from shared.contracts.events import Kind
from tests.marks import in_full
from tests.review_parts import Both, a_person, both
from tests.timeline_parts import ACCOUNT


@pytest.fixture
async def parts(mongodb_url: str, tmp_path: Path) -> AsyncIterator[Both]:
    async with both(mongodb_url, tmp_path) as parts:
        yield parts


async def test_where_nothing_has_changed_nothing_would_be_decided_otherwise(parts: Both) -> None:
    await parts.capture("cand@mail.example")
    await parts.capture("second@mail.example")
    review = await parts.reviewed()
    tally = await parts.reviews.tally(review)
    assert (tally.states, tally.reasons) == ({"same": 2}, {})
    assert await parts.found(review) == []


async def test_an_address_that_moves_is_shown_first_and_moves_the_mail_when_applied(
    parts: Both,
) -> None:
    event = await parts.capture("cand@mail.example")
    await parts.capture("second@mail.example")
    await parts.put("c1", Kind.CANDIDATE, "c@x.example")
    await parts.put("c2", Kind.CANDIDATE, "second@mail.example", "cand@mail.example")
    for review in (await parts.reviewed(), await parts.reviewed("c1"), await parts.reviewed("c2")):
        assert await parts.found(review) == [
            ("attach", "c1", "lost", "address_moved"),
            ("attach", "c2", "gained", "address_moved"),
        ]
    assert (await parts.on("c1"), await parts.on("c2")) == (1, 1)
    tally = await parts.applied(review)
    assert (tally.states["applied"], tally.dismissed) == (1, 0)
    assert (await parts.on("c1"), await parts.on("c2")) == (0, 2)
    [line] = (await AuditLog(parts.timeline.database).page(ACCOUNT, 5, None)).items
    assert (line.who, line.what, line.kind) == ("admin", "redecided", "mail")
    assert event is not None
    _, raw = parts.recorder.published[0]
    await parts.timeline.projector.handle(Delivery(event, raw, redelivered=True))
    assert (await parts.on("c1"), await parts.on("c2")) == (0, 2)
    assert await parts.found(await parts.reviewed()) == []


async def test_who_is_added_later_gets_the_mail_that_names_them(parts: Both) -> None:
    await parts.capture("cand@mail.example", "Cc: new@mail.example\r\n")
    await parts.capture("second@mail.example")
    await parts.put("c9", Kind.CONTACT, "new@mail.example")
    review = await parts.reviewed("c9")
    assert await parts.found(review) == [("attach", "c9", "gained", "would_attach")]
    assert (await parts.reviews.tally(review)).looked_at == 1
    await parts.applied(review)
    assert (await parts.on("c9"), await parts.on("c1")) == (1, 1)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (PendingChange("c1", None), "person_deleted"),
        (PendingChange("c1", a_person("c1", Kind.USER, "cand@mail.example")), "blocked"),
        (PendingChange("c1", a_person("c1", Kind.VENDOR, "cand@mail.example")), "not_a_profile"),
        (PendingChange("c1", a_person("c1", Kind.CANDIDATE, "c@x.example")), "address_removed"),
        (PendingChange("u9", a_person("u9", Kind.USER, "c@x.example")), "blocked"),
    ],
)
async def test_a_change_that_is_not_made_shows_what_it_would_do_and_is_made_when_applied(
    parts: Both, change: PendingChange, reason: str
) -> None:
    await parts.capture("cand@mail.example")
    await parts.capture("cand@mail.example", "Cc: second@mail.example\r\n")
    review = await parts.reviewed(change=change)
    assert await parts.found(review) == [
        ("attach", "c1", "lost", reason),
        ("dismiss", "c1", "lost", reason),
    ]
    assert (await parts.on("c1"), await parts.on("c2")) == (2, 1)
    before = await parts.matcher.directory.get(ACCOUNT, change.person_id)
    assert before is None or "cand@mail.example" in before.addresses
    tally = await parts.applied(review)
    assert tally.states == {"applied": 2}
    assert (await parts.on("c1"), await parts.on("c2")) == (0, 1)
    after = await parts.matcher.directory.get(ACCOUNT, change.person_id)
    assert after == change.person
    is_user = change.person is not None and change.person.kind is Kind.USER
    assert parts.left == [] if is_user else [change.person_id]
    mails = await parts.timeline.database.mails.find().to_list()
    assert sorted(len(mail["captures"]) for mail in mails) == [0, 1]
    assert await parts.timeline.database.contents.count_documents({}) == 1


async def test_what_the_owner_never_captures_would_be_dismissed(parts: Both) -> None:
    await parts.capture("cand@mail.example")
    await parts.matcher.never.put(ACCOUNT, "u1", never_capture_of(["cand@mail.example"], []))
    review = await parts.reviewed()
    assert await parts.found(review) == [("dismiss", "c1", "lost", "never_capture")]
    [item] = await parts.reviews.items(review, 5, None)
    assert item["dismissal"] == "never_capture"


async def test_what_has_changed_since_it_was_reviewed_is_counted_and_left(parts: Both) -> None:
    await parts.capture("cand@mail.example")
    event = await parts.capture("cand@mail.example", "Cc: second@mail.example\r\n")
    await parts.put("c1", Kind.CANDIDATE, "c@x.example")
    await parts.put("c9", Kind.CANDIDATE, "cand@mail.example")
    review = await parts.reviewed()
    assert event is not None
    mail = await parts.timeline.database.mails.find_one(
        {"captures.capture_id": str(event.capture_id)}
    )
    assert mail is not None
    await parts.timeline.database.mails.update_one(
        {"_id": mail["_id"]}, {"$set": {"captures.0.matches": mail["captures"][0]["matches"][:1]}}
    )
    tally = await parts.applied(review)
    assert tally.states == {"applied": 1, "changed_meanwhile": 1}
    await parts.put("c2", Kind.CANDIDATE, "none@mail.example")
    again = await parts.reviewed()
    await parts.put("c2", Kind.CANDIDATE, "second@mail.example")
    assert {*(await parts.applied(again)).states} <= {"same", "applied", "changed_meanwhile"}


async def test_a_forward_and_a_bcc_are_decided_by_what_they_said(parts: Both) -> None:
    forwarded = "---------- Forwarded message ---------\r\nFrom: C <cand@mail.example>\r\n"
    forwarded += "Date: Thu, 15 Jan 2026 09:00:00 +0000\r\nSubject: Hi\r\n"
    forwarded += "To: New <new@mail.example>\r\n\r\nHello\r\n"
    record, _ = await parts.matcher.addresses.mint(ACCOUNT, "u1", "User")
    assert await parts.capture(record.address, "Subject: Fwd: Hi\r\n", forwarded) is not None
    assert await parts.capture("cand@mail.example", "Bcc: new@mail.example\r\n") is not None
    await parts.put("c9", Kind.CANDIDATE, "new@mail.example")
    review = await parts.reviewed("c9")
    assert await parts.found(review) == [("attach", "c9", "gained", "would_attach")] * 2
    await parts.applied(review)
    assert len(await parts.timeline.timeline("c9", "u1")) == 2
    assert len(await parts.timeline.timeline("c9", "u2")) == 1


async def worked_until(parts: Both, review: Review, state: str, chance: random.Random) -> Review:
    """Let replicas work side by side, each of them new at times, until a review is in a state."""
    for _ in range(60):
        parts.job = chance.choice((parts.job, parts.a_job()))
        parts.walking = chance.choice((parts.walking, parts.a_walk()))
        await parts.matcher.database.reviews.update_many({}, {"$unset": {"until": ""}})
        others = parts.a_job().once(), parts.a_walk().once()
        await asyncio.gather(parts.turn(chance), *others)
        await parts.deliver(chance)
        found = await parts.reviews.one(ACCOUNT, review.id)
        assert found is not None
        if found.state == state:
            return found
    raise AssertionError(f"is not {state}")


@pytest.mark.parametrize("seed", [0, *in_full(1, 2)])
async def test_replicas_race_and_die_between_steps_beside_live_mail_and_all_is_counted_once(
    parts: Both, seed: int
) -> None:
    chance = random.Random(seed)
    for n in range(12):
        await parts.capture("cand@mail.example", f"Cc: x{n}@mail.example\r\n")
    await parts.put("c1", Kind.CANDIDATE, "c@x.example")
    await parts.put("c2", Kind.CANDIDATE, "cand@mail.example")
    parts.wire.chance = chance
    review = await parts.ask()
    found = await worked_until(parts, review, "ready", chance)
    tally = await parts.reviews.tally(found)
    assert tally.states == {"pending": 12}
    assert tally.reasons == {"address_moved": 24}
    await parts.reviews.apply(found, "admin")
    await parts.capture("cand@mail.example", "Cc: late@mail.example\r\n")
    await worked_until(parts, review, "applied", chance)
    assert (await parts.reviews.tally(review)).states == {"applied": 12}
    assert (await parts.on("c1"), await parts.on("c2")) == (0, 13)
    lines = (await AuditLog(parts.timeline.database).page(ACCOUNT, 50, None)).items
    assert len(lines) == 12
