"""The matcher with a real database and a real blob store, step by step."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from services.matcher.directory.people import person_of
from shared.broker import Delivery
from shared.contracts.events import Kind, MailAttached, MailDismissed, MailReceived
from shared.contracts.outcomes import Done, Reject, Retry
from shared.storage.blob_keys import CLAIM_CHECK_BYTES
from shared.storage.database import connect
from tests.fakes import Recorder
from tests.mails import enclosing, mail
from tests.matcher_parts import ACCOUNT, DOMAIN, RING, Replica, received


async def test_an_attached_mail_goes_on_whole(matcher: Replica, recorder: Recorder) -> None:
    delivery = await received(matcher, "Some One <CAND@Mail.Example>")
    assert await matcher.match(delivery) == Done()
    [(event, body)] = recorder.published
    assert isinstance(event, MailAttached)
    assert body == delivery.body
    assert (event.account, event.owner, event.direction) == (ACCOUNT, "u1", "outbound")
    assert [(m.person_id, m.address, m.role) for m in event.matches] == [
        ("c1", "cand@mail.example", "to")
    ]


async def test_of_a_dismissed_mail_goes_on_a_hash(matcher: Replica, recorder: Recorder) -> None:
    assert await matcher.match(await received(matcher, "secret@nobody.example")) == Done()
    [(event, body)] = recorder.published
    assert isinstance(event, MailDismissed)
    assert event.reason == "no_match"
    assert body == b""
    assert event.message_id_hash == RING.forgetful_hash(ACCOUNT, "1@x")
    assert "secret" not in event.encode()


async def test_another_accounts_people_do_not_count(matcher: Replica, recorder: Recorder) -> None:
    await matcher.match(await received(matcher, "other@mail.example"))
    assert isinstance(recorder.published[0][0], MailDismissed)


async def test_a_user_elsewhere_blocks_nothing(matcher: Replica, recorder: Recorder) -> None:
    await matcher.directory.put("globex", person_of("u9", Kind.USER, "U", ["cand@mail.example"]))
    await matcher.match(await received(matcher))
    assert isinstance(recorder.published[0][0], MailAttached)


async def test_a_user_blocks_through_an_address_that_is_not_in_the_mail(
    matcher: Replica, recorder: Recorder
) -> None:
    await matcher.directory.put(ACCOUNT, person_of("u2", Kind.USER, "U", ["c@x.example"]))
    await matcher.match(await received(matcher))
    event = recorder.published[0][0]
    assert isinstance(event, MailDismissed)
    assert event.reason == "blocked"


async def test_a_revoked_address_dismisses(matcher: Replica, recorder: Recorder) -> None:
    delivery = await received(matcher)
    await matcher.addresses.revoke(ACCOUNT, person_ids=["u1"])
    assert await matcher.match(delivery) == Done()
    event = recorder.published[0][0]
    assert isinstance(event, MailDismissed)
    assert event.reason == "revoked_address"


@pytest.mark.parametrize(("ahead", "is_attached"), [(2, True), (-2, True), (None, False)])
async def test_a_clock_of_ingest_that_is_wrong_dismisses_nothing_of_an_address_in_its_grace(
    matcher: Replica, recorder: Recorder, ahead: int | None, is_attached: bool
) -> None:
    delivery = await received(matcher)
    assert isinstance(delivery.event, MailReceived)
    record = await matcher.addresses.find(delivery.event.capture_address)
    assert record is not None
    # With `None` the grace has ended by whatever clock.
    grace = timedelta(hours=1) if ahead else timedelta(seconds=-1)
    await matcher.addresses.rotate(record, "User", grace)
    at = datetime.now(UTC) + timedelta(hours=ahead or 2)
    skewed = delivery.event.model_copy(update={"received_at": at})
    assert await matcher.match(replace(delivery, event=skewed)) == Done()
    event = recorder.published[0][0]
    assert isinstance(event, MailAttached if is_attached else MailDismissed)


async def test_an_address_without_a_record_is_a_dead_letter(matcher: Replica) -> None:
    delivery = await received(matcher)
    assert isinstance(delivery.event, MailReceived)
    unknown = RING.mint(ACCOUNT, "anna", DOMAIN).address
    event = delivery.event.model_copy(update={"capture_address": unknown})
    assert await matcher.match(replace(delivery, event=event)) == Reject("unknown_capture_address")


async def test_an_upload_with_a_token_of_another_account_is_a_dead_letter(
    matcher: Replica, recorder: Recorder
) -> None:
    """ingest compares the tag alone: an account with the same one is found in minutes."""
    delivery = await received(matcher)
    assert isinstance(delivery.event, MailReceived)
    for account, outcome in (("twin", Reject("foreign_capture_address")), (ACCOUNT, Done())):
        event = delivery.event.model_copy(update={"account": account, "door": "http"})
        assert await matcher.match(replace(delivery, event=event)) == outcome
        assert bool(recorder.published) is (account == ACCOUNT)


@pytest.mark.parametrize("to", ["cand@mail.example", "nobody@x.example"])
async def test_a_header_that_is_too_long_is_never_dismissed(
    matcher: Replica, recorder: Recorder, to: str
) -> None:
    headers = "X-Long: 1\r\n" * 2000
    outcome = await matcher.match(await received(matcher, to, headers=headers))
    if to == "cand@mail.example":
        assert outcome == Done()
        assert isinstance(recorder.published[0][0], MailAttached)
    else:
        assert outcome == Reject("header_too_long")
        assert recorder.published == []


@pytest.mark.parametrize("raw", [b"", b"\r\n", b"\x00\xff" * 100, b"no header at all" * 500])
async def test_a_body_that_is_no_mail_is_decided(
    matcher: Replica, recorder: Recorder, raw: bytes
) -> None:
    delivery = replace(await received(matcher), body=raw)
    assert await matcher.match(delivery) == Done()
    assert isinstance(recorder.published[0][0], MailDismissed)


async def test_without_a_broker_it_waits(matcher: Replica, recorder: Recorder) -> None:
    recorder.away = True
    with pytest.raises(Exception, match="not_connected"):
        await matcher.match(await received(matcher))


async def test_without_a_database_it_waits(tmp_path: Path, recorder: Recorder) -> None:
    async with connect("mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200", "test") as client:
        matcher = Replica(client["none"], tmp_path, recorder)
        event = MailReceived(
            capture_id=uuid4(),
            capture_address=RING.mint(ACCOUNT, "anna", DOMAIN).address,
            account_tag="x" * 8,
            received_at=datetime.now(UTC),
            door="smtp",
            size=1,
        )
        outcome = await matcher.match(Delivery(event, b"x", redelivered=False))
    assert isinstance(outcome, Retry)
    assert recorder.published == []


class TestOldMail:
    @pytest.mark.parametrize("size", [0, CLAIM_CHECK_BYTES])
    @pytest.mark.parametrize("to", ["cand@mail.example", "nobody@x.example"])
    async def test_whatever_becomes_of_it_says_that_it_is_old(
        self, matcher: Replica, recorder: Recorder, to: str, size: int
    ) -> None:
        await matcher.match(await received(matcher, to, size=size, backfill=True))
        await matcher.match(await received(matcher, to, size=size))
        keys = [event.routing_key for event, _ in recorder.published]
        assert keys == [f"{keys[1]}.backfill", keys[1]]

    @pytest.mark.parametrize("size", [0, CLAIM_CHECK_BYTES])
    async def test_so_do_the_mails_that_it_encloses(
        self, matcher: Replica, recorder: Recorder, size: int
    ) -> None:
        headers, body = enclosing([mail("c@x.example", "user@team.example", body="x" * size)])
        headers = f"{headers}\r\n{body}\r\nX-Rest: "
        await matcher.match(await received(matcher, f"me@{DOMAIN}", headers=headers, backfill=True))
        assert [event.routing_key for event, _ in recorder.published] == [
            f"{MailAttached.tag}.backfill"
        ]
