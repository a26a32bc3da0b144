"""The matcher with a real database and a real blob store, step by step."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from services.matcher.__main__ import INDEXES
from services.matcher.capture_addresses import CaptureAddresses
from services.matcher.consumer import Matcher
from services.matcher.decisions import Decisions
from services.matcher.directory import Directory, person_of
from services.matcher.knowledge import Knowledge
from services.matcher.versions import Versions
from shared.blobs import CLAIM_CHECK_BYTES, BlobMissing, Blobs, claim_key
from shared.broker import Delivery
from shared.capture_address import KeyRing
from shared.database import Database, connect, has_indexes, migrate
from shared.events import Event, Kind, MailAttached, MailDismissed, MailReceived
from shared.outcomes import Done, Reject, Retry
from tests.fakes import Crash, Recorder, RecordingPublisher
from tests.mails import enclosing, mail

DOMAIN = "in.satchel.test"
RING = KeyRing.parse("k1:" + "s" * 20)
ACCOUNT = "acme"


class Replica:
    """A matcher, with the parts that the API would use."""

    def __init__(self, database: Database, folder: Path, recorder: Recorder) -> None:
        versions = Versions(database)
        self.directory = Directory(database, versions)
        self.addresses = CaptureAddresses(database, versions, RING, DOMAIN)
        self.knowledge = Knowledge(self.directory, self.addresses, versions)
        self.blobs = Blobs(f"file://{folder}/blobs")
        self.decisions = Decisions(database)
        self.match = Matcher(
            knowledge=self.knowledge,
            decisions=self.decisions,
            blobs=self.blobs,
            publisher=RecordingPublisher(recorder),
            ring=RING,
            capture_domain=DOMAIN,
        ).match


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
async def matcher(
    mongodb_url: str, database_name: str, tmp_path: Path, recorder: Recorder
) -> AsyncIterator[Replica]:
    async with connect(mongodb_url, "test") as client:
        database = client[database_name]
        await migrate(database, INDEXES)
        matcher = Replica(database, tmp_path, recorder)
        people = matcher.directory
        await people.put(ACCOUNT, person_of("u1", Kind.USER, "User", ["user@team.example"]))
        await people.put(
            ACCOUNT, person_of("c1", Kind.CANDIDATE, "C", ["cand@mail.example", "c@x.example"])
        )
        await people.put("globex", person_of("c9", Kind.CANDIDATE, "C", ["other@mail.example"]))
        yield matcher
        await client.drop_database(database_name)


async def received(
    matcher: Replica,
    to: str = "cand@mail.example",
    *,
    size: int = 0,
    headers: str = "",
    backfill: bool = False,
) -> Delivery:
    record, _ = await matcher.addresses.mint(ACCOUNT, "u1", "User")
    header = f"From: user@team.example\r\nTo: {to}\r\nMessage-ID: <1@x>\r\n{headers}"
    raw = f"{header}\r\nHello\r\n".encode() + b"x" * size
    capture_id = uuid4()
    event = MailReceived(
        capture_id=capture_id,
        backfill=backfill,
        capture_address=record.address,
        account_tag="x" * 8,
        received_at=datetime.now(UTC),
        door="smtp",
        size=len(raw),
        blob_key=claim_key(capture_id) if len(raw) > CLAIM_CHECK_BYTES else None,
    )
    if event.blob_key is None:
        return Delivery(event, raw, redelivered=False)
    await matcher.blobs.put(event.blob_key, raw)
    return Delivery(event, b"", redelivered=False)


def claim_of(delivery: Delivery) -> str:
    assert isinstance(delivery.event, MailReceived)
    assert delivery.event.blob_key is not None
    return delivery.event.blob_key


async def exists(blobs: Blobs, key: str) -> bool:
    try:
        await blobs.get(key)
    except BlobMissing:
        return False
    return True


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


async def test_an_address_without_a_record_is_a_dead_letter(matcher: Replica) -> None:
    delivery = await received(matcher)
    assert isinstance(delivery.event, MailReceived)
    unknown = RING.mint(ACCOUNT, "anna", DOMAIN).address
    event = delivery.event.model_copy(update={"capture_address": unknown})
    assert await matcher.match(replace(delivery, event=event)) == Reject("unknown_capture_address")


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


class TestLargeMail:
    """A claim lives until its outcome is certain, whatever dies when."""

    async def test_attached_leaves_the_claim_to_the_timeline(
        self, matcher: Replica, recorder: Recorder
    ) -> None:
        delivery = await received(matcher, size=CLAIM_CHECK_BYTES)
        assert await matcher.match(delivery) == Done()
        [(event, body)] = recorder.published
        assert isinstance(event, MailAttached)
        assert (event.blob_key, body) == (claim_of(delivery), b"")
        assert await exists(matcher.blobs, claim_of(delivery))

    async def test_dismissed_removes_it(self, matcher: Replica, recorder: Recorder) -> None:
        delivery = await received(matcher, "nobody@x.example", size=CLAIM_CHECK_BYTES)
        assert await matcher.match(delivery) == Done()
        assert isinstance(recorder.published[0][0], MailDismissed)
        assert not await exists(matcher.blobs, claim_of(delivery))

    async def test_a_crash_after_the_publish_repeats_the_decision(
        self, matcher: Replica, recorder: Recorder
    ) -> None:
        delivery = await received(matcher, "nobody@x.example", size=CLAIM_CHECK_BYTES)
        recorder.crash_after = 1
        with pytest.raises(Crash):
            await matcher.match(delivery)
        assert await exists(matcher.blobs, claim_of(delivery))
        # Meanwhile the directory changed: the decision is the recorded one all the same.
        await matcher.directory.put(
            ACCOUNT, person_of("c2", Kind.CANDIDATE, "C", ["nobody@x.example"])
        )
        assert await matcher.match(delivery) == Done()
        assert recorder.published[0] == recorder.published[1]
        assert not await exists(matcher.blobs, claim_of(delivery))

    async def test_a_redelivery_after_the_claim_is_gone_repeats_the_decision(
        self, matcher: Replica, recorder: Recorder
    ) -> None:
        delivery = await received(matcher, size=CLAIM_CHECK_BYTES)
        await matcher.match(delivery)
        await matcher.blobs.delete(claim_of(delivery))  # as the timeline does
        assert await matcher.match(delivery) == Done()
        assert recorder.published[0] == recorder.published[1]

    async def test_a_capture_in_two_hands_is_decided_once(
        self, matcher: Replica, recorder: Recorder
    ) -> None:
        delivery = await received(matcher, "late@x.example", size=CLAIM_CHECK_BYTES)
        recall, recalled = matcher.decisions.recall, asyncio.Event()

        async def recall_before_the_other(claim: str) -> list[Event]:
            found = await recall(claim)
            await recalled.wait()
            return found

        matcher.decisions.recall = recall_before_the_other  # type: ignore[method-assign] # to race
        slow = asyncio.create_task(matcher.match(delivery))
        await asyncio.sleep(0.05)
        matcher.decisions.recall = recall  # type: ignore[method-assign] # as it was
        person = person_of("c7", Kind.CANDIDATE, "C", ["late@x.example"])
        await matcher.directory.put(ACCOUNT, person)
        assert await matcher.match(delivery) == Done()
        await matcher.directory.delete(ACCOUNT, "c7")
        recalled.set()
        assert await slow == Done()
        assert [type(event) for event, _ in recorder.published] == [MailAttached, MailAttached]
        assert await exists(matcher.blobs, claim_of(delivery))

    async def test_old_mail_brought_along_again_is_decided_by_todays_directory(
        self, matcher: Replica, recorder: Recorder
    ) -> None:
        first = await received(matcher, "late@x.example", size=CLAIM_CHECK_BYTES, backfill=True)
        assert await matcher.match(first) == Done()
        person = person_of("c7", Kind.CANDIDATE, "C", ["late@x.example"])
        await matcher.directory.put(ACCOUNT, person)
        assert await matcher.match(first) == Done(), "the same delivery again"
        again = replace(first, event=first.event.model_copy(update={"blob_key": "claims/again"}))
        await matcher.blobs.put("claims/again", b"To: late@x.example\r\n\r\n")
        assert await matcher.match(again) == Done()
        assert [type(event) for event, _ in recorder.published] == [
            MailDismissed,
            MailDismissed,
            MailAttached,
        ]
        assert await exists(matcher.blobs, "claims/again")

    async def test_a_lost_claim_that_was_never_decided_is_a_dead_letter(
        self, matcher: Replica
    ) -> None:
        delivery = await received(matcher, size=CLAIM_CHECK_BYTES)
        await matcher.blobs.delete(claim_of(delivery))
        assert await matcher.match(delivery) == Reject("claim_missing")


class TestEnclosedMails:
    """Forward as attachment: each enclosed mail that matches goes on alone."""

    inside = (
        mail("shop@x.example", "user@team.example"),
        mail("cand@mail.example", "user@team.example"),
        mail("c@x.example", "user@team.example", body="x" * CLAIM_CHECK_BYTES),
    )

    async def forwarded(self, matcher: Replica, count: int) -> Delivery:
        headers, body = enclosing(self.inside[:count])
        return await received(matcher, f"me@{DOMAIN}", headers=f"{headers}\r\n{body}\r\nX-Rest: ")

    async def test_small_ones_travel_in_the_event(
        self, matcher: Replica, recorder: Recorder
    ) -> None:
        assert await matcher.match(await self.forwarded(matcher, 2)) == Done()
        [(event, body)] = recorder.published
        assert isinstance(event, MailAttached)
        assert (event.place, event.direction, event.blob_key) == ("2", "inbound", None)
        assert body.decode() == self.inside[1]
        assert event.size == len(body)

    @pytest.mark.parametrize("crash_after", [1, 2, None])
    async def test_of_a_large_mail_each_gets_a_claim_whatever_dies_when(
        self, matcher: Replica, recorder: Recorder, crash_after: int | None
    ) -> None:
        delivery = await self.forwarded(matcher, 3)
        recorder.crash_after = crash_after
        if crash_after is not None:
            with pytest.raises(Crash):
                await matcher.match(delivery)
            person = person_of("c1", Kind.CANDIDATE, "C", ["other@mail.example"])
            await matcher.directory.put(ACCOUNT, person)  # what was decided stays decided
        assert await matcher.match(delivery) == Done()
        places = {e.place: e.blob_key for e, _ in recorder.published if isinstance(e, MailAttached)}
        assert sorted(places) == ["2", "3"]
        for place, key in places.items():
            assert key is not None
            raw = (await matcher.blobs.get(key)).decode()
            assert raw == self.inside[int(place) - 1]
        assert not await exists(matcher.blobs, claim_of(delivery))

    async def test_a_redelivery_after_all_is_done_writes_no_claim_again(
        self, matcher: Replica, recorder: Recorder
    ) -> None:
        delivery = await self.forwarded(matcher, 3)
        await matcher.match(delivery)
        keys = {e.blob_key for e, _ in recorder.published if isinstance(e, MailAttached)}
        for key in keys:
            await matcher.blobs.delete(key or "")  # as the timeline does
        assert await matcher.match(delivery) == Done()
        assert [await exists(matcher.blobs, key or "") for key in keys] == [False, False]


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


class TestDirectory:
    async def test_an_address_has_one_form(self, matcher: Replica) -> None:
        person = person_of(
            "c5", Kind.CONTACT, "C", [" A@Bücher.example ", "a@xn--bcher-kva.example"]
        )
        assert await matcher.directory.put(ACCOUNT, person)
        assert person.keys == {"a@xn--bcher-kva.example"}
        found = await matcher.directory.holders(ACCOUNT, {"a@xn--bcher-kva.example", "b@x"})
        assert {key: [p.person_id for p in people] for key, people in found.items()} == {
            "a@xn--bcher-kva.example": ["c5"],
            "b@x": [],
        }

    async def test_putting_the_same_again_is_no_change(
        self, matcher: Replica, mongodb_url: str, database_name: str
    ) -> None:
        async def version() -> int:
            async with connect(mongodb_url, "test") as client:
                found = await client[database_name].people.find_one({"_id": "acme/c1"})
            assert found is not None
            return int(found["version"])

        before = await version()
        addresses = ["cand@mail.example", "c@x.example"]
        again = person_of("c1", Kind.CANDIDATE, "C", addresses)
        assert not await matcher.directory.put(ACCOUNT, again)
        assert await version() == before
        changed = person_of("c1", Kind.CANDIDATE, "C", addresses[:1])
        await matcher.directory.put(ACCOUNT, changed)
        assert await version() == before + 1

    @pytest.mark.parametrize("text", ["$name", {"$ne": 1}, "$$ROOT", "a.b"])
    async def test_what_looks_like_an_operator_is_text(
        self, matcher: Replica, text: object
    ) -> None:
        await matcher.directory.put(ACCOUNT, person_of("c6", Kind.CONTACT, str(text), []))
        person = await matcher.directory.get(ACCOUNT, "c6")
        assert person is not None
        assert person.name == str(text)

    async def test_the_look_up_uses_its_index(
        self, matcher: Replica, mongodb_url: str, database_name: str
    ) -> None:
        async with connect(mongodb_url, "test") as client:
            people = client[database_name].people
            await people.insert_many(
                {
                    "_id": f"acme/x{n}",
                    "account": ACCOUNT,
                    "person_id": f"x{n}",
                    "kind": "contact",
                    "name": "",
                    "addresses": [],
                    "keys": [f"x{n}@mail.example"],
                }
                for n in range(500)
            )
            plan = await people.find(
                {"account": ACCOUNT, "keys": {"$in": ["x7@mail.example", "x9@mail.example"]}}
            ).explain()
        assert plan["executionStats"]["totalDocsExamined"] == 2

    async def test_readiness_knows_a_missing_index(
        self, matcher: Replica, mongodb_url: str, database_name: str
    ) -> None:
        async with connect(mongodb_url, "test") as client:
            ready = has_indexes(client[database_name], INDEXES)
            assert await ready()
            await client[database_name].people.drop_index("by_address")
            assert not await ready()


async def test_a_user_has_one_address_however_often_it_is_asked_for(matcher: Replica) -> None:
    minted = await asyncio.gather(*(matcher.addresses.mint(ACCOUNT, "u7", "U") for _ in range(20)))
    assert len({record.address for record, _ in minted}) == 1
    assert sum(new for _, new in minted) == 1
