"""Events as earlier versions wrote them, handled by today's services on a real database."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.matcher.directory.erased_addresses import ErasedAddresses
from services.matcher.directory.people import person_of
from services.matcher.directory.versions import Versions
from services.matcher.erasures.account_job import CountingAccounts
from services.matcher.erasures.accounts import AccountErasures
from services.matcher.erasures.finishing import Finishing
from services.matcher.erasures.receipts import Signer
from services.matcher.erasures.records import Erasures
from services.matcher.reviews.handling import Handling
from services.matcher.reviews.records import Reviews as MatcherReviews
from services.matcher.reviews.redeciding import Redeciding
from services.timeline.admin.erasure_orders import ErasureOrders
from services.timeline.admin.reviews import Reviews
from services.timeline.query.people import Directory
from services.timeline.query.round_trips import RoundTrips
from services.timeline.query.setup import Setups
from services.timeline.query.viewer import Viewer
from services.timeline.write.people import People
from shared.broker import Delivery
from shared.contracts.capture_address import KeyRing
from shared.contracts.events import (
    AccountErased,
    AccountErasureDone,
    CaptureAddressChanged,
    CaptureEvent,
    CaptureReviewed,
    ErasureDone,
    Kind,
    MailAttached,
    MailAttachedToShares,
    MailConfirmation,
    MailDismissed,
    MailDismissedWithShares,
    MailReceived,
    MailRedecided,
    MailRoundTrip,
    MailWatched,
    PersonChanged,
    PersonDeleted,
    PersonErased,
    ReviewRequested,
    ReviewSettled,
    ReviewWalked,
    RoundTripChanged,
    decode_event,
)
from shared.contracts.outcomes import Done
from shared.storage.blobs import Blobs
from shared.storage.database import connect
from tests.fakes import Recorder, RecordingPublisher
from tests.matcher_parts import Replica
from tests.old_recordings import OldEvent, old_events
from tests.timeline_parts import Timeline, a_timeline

RAW = (
    b"From: Anna <anna@agency.example>\r\nTo: candidate@mail.example\r\n"
    b"Message-ID: <then@agency.example>\r\nDate: Thu, 15 Jan 2026 09:00:00 +0000\r\n"
    b"Subject: Then\r\n\r\nThe text.\r\n"
)
FORWARD = (
    b"From: Anna <anna@agency.example>\r\nTo: a@in.satchel.example\r\n"
    b"Message-ID: <forward@agency.example>\r\nDate: Thu, 15 Jan 2026 09:00:00 +0000\r\n"
    b"Subject: Fwd: Original\r\n\r\n---------- Forwarded message ---------\r\n"
    b"From: Candidate <candidate@mail.example>\r\nSubject: Original\r\n\r\nThe text.\r\n"
)
RECORD = {
    "account": "agency",
    "person_id": "u1",
    "key_id": "k1",
    "state": "active",
    "created_at": datetime(2026, 1, 1, tzinfo=UTC),
    "version": 1,
}
OF_REVIEWS = (ReviewRequested, MailRedecided)
FOR_THE_MATCHER = {
    MailReceived.tag,
    *(kind.tag for kind in (ErasureDone, AccountErasureDone)),
    *(kind.tag for kind in (CaptureReviewed, ReviewWalked, ReviewSettled)),
}
THEN = [event for event in old_events() if event.tag not in FOR_THE_MATCHER]
RECEIVED = [event for event in old_events() if event.tag == MailReceived.tag]
ANSWERS = [event for event in old_events() if event.tag in FOR_THE_MATCHER - {MailReceived.tag}]


@pytest.fixture
async def timeline(mongodb_url: str, tmp_path: Path) -> AsyncIterator[Timeline]:
    async with a_timeline(mongodb_url, tmp_path) as timeline:
        yield timeline


@pytest.mark.parametrize("old", THEN, ids=str)
async def test_the_timeline_writes_what_an_earlier_matcher_told(
    timeline: Timeline, old: OldEvent
) -> None:
    event = decode_event(old.tag, old.text)
    people = People(timeline.database)
    mail = event if isinstance(event, MailAttached | MailAttachedToShares) else None
    raw = FORWARD if mail and mail.forwarded else RAW
    if mail and mail.blob_key is not None:
        await timeline.blobs.put(mail.blob_key, raw)
    body = raw if mail and mail.blob_key is None else b""
    is_of_mail = isinstance(event, CaptureEvent | MailWatched)
    handle = timeline.projector.handle if is_of_mail else people.handle
    if isinstance(event, PersonErased | AccountErased):
        handle = ErasureOrders(timeline.client, timeline.database).handle
    elif isinstance(event, OF_REVIEWS):
        told = RecordingPublisher(Recorder())
        handle = Reviews(timeline.database, timeline.writer, timeline.blobs, told).handle
    for _ in range(2):  # it may come twice
        assert await handle(Delivery(event, body, redelivered=False)) == Done()
    await looked_up(timeline, event)


async def looked_up(timeline: Timeline, event: Any) -> None:
    """Find what the event says where it is shown."""
    directory = Directory(timeline.database)
    match event:
        case MailAttachedToShares():
            for share in event.shares:
                seen = Viewer("agency", share.owner, own_only=True)
                [shown] = (await timeline.mails.profile_timeline(seen, "c1", 200, None)).items
                assert shown.content.subject == "Then"
        case MailDismissedWithShares():
            [outcome] = await timeline.database.outcomes.find().to_list()
            assert (outcome["decision"], outcome["reason"]) == ("dismissed", "no_user")
        case MailRoundTrip():
            [outcome] = await timeline.database.outcomes.find().to_list()
            assert (outcome["decision"], outcome["reason"]) == ("round_trip", "returned")
            known = await Setups(timeline.database).of("agency", "u1")
            assert (known.record.received is None) is event.backfill
        case RoundTripChanged():
            latest = await RoundTrips(timeline.database).of("agency", "u1")
            assert latest
            assert (latest.state, latest.status) == ("bounced", "5.7.520")
        case MailAttached():
            seen = Viewer("agency", "u1", own_only=False)
            [shown] = (await timeline.mails.profile_timeline(seen, "c1", 200, None)).items
            assert shown.content.subject == ("Original" if event.forwarded else "Then")
        case MailDismissed():
            [outcome] = await timeline.database.outcomes.find().to_list()
            assert (outcome["decision"], outcome["reason"]) == ("dismissed", "no_match")
        case MailConfirmation():
            [confirmation] = await timeline.database.confirmations.find().to_list()
            assert confirmation["code"] == "123456789"
        case MailWatched():
            [watched] = await timeline.database.watched.find().to_list()
            assert (watched["owner"], watched["links"]) == (event.owner, [*event.links])
        case PersonChanged():
            assert (await directory.named("agency", ["c1"]))["c1"].name == "Candidate"
        case PersonDeleted():
            assert await directory.named("agency", ["c1"]) == {}
        case PersonErased():
            [job] = await timeline.database.erasures.find().to_list()
            assert (job["erasure_id"], job["state"]) == (event.erasure_id, "running")
        case AccountErased():
            [job] = await timeline.database.account_erasures.find().to_list()
            assert job["_id"].endswith(event.erasure_id)
        case ReviewRequested():
            [walk] = await timeline.database.review_walks.find().to_list()
            assert walk["people"] == list(event.people or ())
        case MailRedecided():  # of a mail that is not there
            assert await timeline.database.mails.find().to_list() == []
        case CaptureAddressChanged():
            [address] = await directory.capture_addresses("agency", "u1")
            assert address.address == event.address
        case _:
            raise AssertionError(f"{event.tag}: say here where it is shown")


@pytest.mark.parametrize("old", RECEIVED, ids=str)
async def test_the_matcher_decides_about_what_an_earlier_ingest_took(
    matcher: Replica, recorder: Recorder, mongodb_url: str, old: OldEvent
) -> None:
    event = decode_event(old.tag, old.text)
    assert isinstance(event, MailReceived)
    await matcher.directory.put(
        "agency", person_of("c1", Kind.CANDIDATE, "C", ["candidate@mail.example"])
    )
    async with connect(mongodb_url, "test") as client:
        await client[matcher.database.name].capture_addresses.insert_one(
            RECORD | {"_id": event.capture_address}
        )
    if event.blob_key is not None:
        await matcher.blobs.put(event.blob_key, RAW)
    body = RAW if event.blob_key is None else b""
    assert await matcher.match(Delivery(event, body, redelivered=False)) == Done()
    [(outcome, carried)] = recorder.published
    assert isinstance(outcome, MailAttached)
    assert (outcome.account, outcome.owner, outcome.capture_id) == (
        "agency",
        "u1",
        event.capture_id,
    )
    assert (outcome.backfill, outcome.blob_key) == (event.backfill, event.blob_key)
    assert [match.person_id for match in outcome.matches] == ["c1"]
    assert carried == body


@pytest.mark.parametrize("old", ANSWERS, ids=str)
async def test_the_matcher_takes_what_an_earlier_timeline_answered(
    matcher: Replica, mongodb_url: str, tmp_path: Path, old: OldEvent
) -> None:
    """What was asked for is not there any more: there is nothing to note."""
    event = decode_event(old.tag, old.text)
    async with connect(mongodb_url, "test") as client:
        database = client[matcher.database.name]
        reviews, versions = MatcherReviews(database), Versions(database)
        redeciding = Redeciding(matcher.knowledge, matcher.directory)
        handling = Handling(reviews, redeciding, "in.satchel.example")
        erasures = Erasures(client, database, versions)
        signer, blobs = Signer("s" * 32), Blobs(f"file://{tmp_path}/blobs")
        addresses = ErasedAddresses(database, KeyRing.parse("k1:" + "s" * 20), "in.satchel.example")
        accounts = AccountErasures(client, database, addresses, versions, timedelta(seconds=1))
        counting = CountingAccounts(accounts)
        finishing = Finishing(client, database, blobs, signer, erasures, reviews, counting)
        is_erasure = isinstance(event, ErasureDone | AccountErasureDone)
        handle = finishing.handle if is_erasure else handling.handle
        assert await handle(Delivery(event, b"", redelivered=False)) == Done()
