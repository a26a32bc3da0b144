"""The set-up window: five mails, once each, for who asked, and nothing of any other."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from services.matcher.directory.people import person_of
from services.matcher.directory.windows import MOST_MAILS, OPEN_FOR
from shared.broker import Delivery
from shared.contracts.events import (
    Kind,
    MailAttached,
    MailDismissed,
    MailReceived,
    MailWatched,
)
from shared.contracts.outcomes import Done
from shared.storage.blob_keys import CLAIM_CHECK_BYTES
from shared.storage.database import connect
from tests.fakes import Crash, Recorder
from tests.matcher_parts import ACCOUNT, Replica, received

UNMATCHED = "secret@nobody.example"


def watched(recorder: Recorder) -> list[MailWatched]:
    return [event for event, _ in recorder.published if isinstance(event, MailWatched)]


async def open_window(matcher: Replica, *, ago: timedelta = timedelta()) -> None:
    await matcher.addresses.mint(ACCOUNT, "u1", "User")
    await matcher.windows.open(ACCOUNT, "u1", datetime.now(UTC) - ago)


async def send(matcher: Replica, to: str = UNMATCHED, count: int = 1, **how: Any) -> list[Delivery]:
    deliveries = [await received(matcher, to, **how) for _ in range(count)]
    for delivery in deliveries:
        assert await matcher.match(delivery) == Done()
    return deliveries


def at(delivery: Delivery, moment: datetime) -> Delivery:
    assert isinstance(delivery.event, MailReceived)
    event = delivery.event.model_copy(update={"received_at": moment})
    return Delivery(event, delivery.body, redelivered=False)


def tags(recorder: Recorder) -> list[str]:
    return [event.tag for event, _ in recorder.published]


async def test_an_unmatched_mail_is_shown_and_still_dismissed(
    matcher: Replica, recorder: Recorder
) -> None:
    await open_window(matcher)
    [delivery] = await send(matcher, headers="Subject: Confirm\r\n")
    assert tags(recorder) == [MailDismissed.tag, MailWatched.tag]
    [event] = watched(recorder)
    assert isinstance(delivery.event, MailReceived)
    assert (event.capture_id, event.owner) == (delivery.event.capture_id, "u1")
    assert (event.subject, event.text) == ("Confirm", "Hello")
    assert [body for _, body in recorder.published] == [b"", b""]


async def test_shut_nothing_is_shown(matcher: Replica, recorder: Recorder) -> None:
    await send(matcher)
    assert tags(recorder) == [MailDismissed.tag]


async def test_only_unmatched_mail_is_shown(matcher: Replica, recorder: Recorder) -> None:
    await matcher.directory.put(
        ACCOUNT, person_of("c8", Kind.CANDIDATE, "C", ["b@x.example", "user@team.example"])
    )
    await open_window(matcher)
    await send(matcher, "cand@mail.example, c@x.example")
    await send(matcher, "b@x.example")  # blocked: it is a user's
    await send(matcher, UNMATCHED, backfill=True)
    assert MailAttached.tag in tags(recorder)
    assert watched(recorder) == []


async def test_five_are_shown_and_no_more(matcher: Replica, recorder: Recorder) -> None:
    await open_window(matcher)
    await send(matcher, count=MOST_MAILS + 3)
    assert len(watched(recorder)) == MOST_MAILS
    assert tags(recorder).count(MailDismissed.tag) == MOST_MAILS + 3


async def test_five_at_a_time_are_five(
    mongodb_url: str, tmp_path: Path, matcher: Replica, recorder: Recorder
) -> None:
    await open_window(matcher)
    deliveries = [await received(matcher, UNMATCHED) for _ in range(20)]
    async with connect(mongodb_url, "other") as client:
        other = Replica(client[matcher.database.name], tmp_path, recorder)
        replicas = [matcher, other]
        await asyncio.gather(*(replicas[n % 2].match(one) for n, one in enumerate(deliveries)))
    assert len(watched(recorder)) == MOST_MAILS


async def test_a_delivery_that_comes_again_is_shown_again_and_counts_once(
    matcher: Replica, recorder: Recorder
) -> None:
    await open_window(matcher)
    [first] = await send(matcher)
    for _ in range(MOST_MAILS):
        await matcher.match(first)
    assert len({event.capture_id for event in watched(recorder)}) == 1
    await send(matcher, count=MOST_MAILS)
    assert len({event.capture_id for event in watched(recorder)}) == MOST_MAILS


async def test_it_is_by_when_a_mail_arrives_not_by_when_it_is_decided(
    matcher: Replica, recorder: Recorder
) -> None:
    await open_window(matcher, ago=OPEN_FOR - timedelta(minutes=1))
    delivery = await received(matcher, UNMATCHED)
    now = datetime.now(UTC)
    for moment in (now - OPEN_FOR, now + timedelta(minutes=2)):
        await matcher.match(at(delivery, moment))
    assert watched(recorder) == []
    await matcher.match(at(delivery, now - timedelta(minutes=30)))
    assert len(watched(recorder)) == 1


async def test_asking_again_lengthens_it_and_shows_five_more_only_when_five_were_shown(
    matcher: Replica, recorder: Recorder
) -> None:
    await open_window(matcher, ago=timedelta(minutes=30))
    await send(matcher, count=2)
    now = datetime.now(UTC)
    window = await matcher.windows.open(ACCOUNT, "u1", now)
    assert window.left == MOST_MAILS - 2
    assert window.until > now + timedelta(minutes=59)
    await send(matcher, count=MOST_MAILS)
    assert len(watched(recorder)) == MOST_MAILS
    window = await matcher.windows.open(ACCOUNT, "u1", datetime.now(UTC))
    assert window.left == MOST_MAILS
    await send(matcher, count=MOST_MAILS + 1)
    assert len(watched(recorder)) == 2 * MOST_MAILS


async def test_a_colleagues_window_shows_nothing_of_mine(
    matcher: Replica, recorder: Recorder
) -> None:
    await matcher.directory.put(ACCOUNT, person_of("u2", Kind.USER, "U", ["two@team.example"]))
    await matcher.addresses.mint(ACCOUNT, "u2", "Two")
    await matcher.windows.open(ACCOUNT, "u2", datetime.now(UTC))
    await send(matcher)
    assert watched(recorder) == []


async def test_a_large_mail_is_shown_and_its_recorded_decision_holds_nothing_of_it(
    mongodb_url: str, matcher: Replica, recorder: Recorder
) -> None:
    await open_window(matcher)
    headers = "Subject: Zqlarge\r\n"
    delivery = await received(matcher, UNMATCHED, size=CLAIM_CHECK_BYTES, headers=headers)
    recorder.crash_after = 1
    try:
        await matcher.match(delivery)
    except Crash:
        recorder.crash_after = None
    assert tags(recorder) == [MailDismissed.tag]
    assert await matcher.match(delivery) == Done()
    [event] = watched(recorder)
    assert event.subject == "Zqlarge"
    async with connect(mongodb_url, "test") as client:
        database = client[matcher.database.name]
        kept = [
            str(document)
            for name in await database.list_collection_names()
            async for document in database[name].find()
        ]
    assert any(str(event.capture_id) in document for document in kept)
    assert [document for document in kept if "Zqlarge" in document] == []
    # When its bytes are gone there is nothing to show, and nothing to fail for.
    assert await matcher.match(delivery) == Done()
