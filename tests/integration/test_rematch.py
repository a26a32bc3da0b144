"""The rematch window: sealed while no profile matches, opened once for who is added.

How it ends: `test_rematch_ending.py`.
"""

import asyncio
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from services.matcher.captured import CapturedMail
from services.matcher.deciding import Decider
from services.matcher.decision.never_capture import NeverCapture
from services.matcher.directory.never_capture_lists import OF_ACCOUNT
from services.matcher.directory.people import person_of
from services.matcher.rematch.keys import NoPlace, Place, Room
from shared.broker import Delivery
from shared.contracts.events import (
    AuthenticationVerdict,
    Kind,
    MailAttachedToShares,
    MailDismissed,
    MailDismissedWithShares,
    MailReceived,
)
from shared.contracts.outcomes import Done, Retry
from shared.storage.blob_keys import CLAIM_CHECK_BYTES
from shared.storage.blobs import BlobStoreAway
from tests.fakes import Crash, Recorder
from tests.mails import enclosing, mail
from tests.matcher_parts import ACCOUNT, Replica, claim_of, exists, received
from tests.rematch_parts import (
    LATE,
    WORDS,
    add,
    attached,
    count,
    dismiss,
    id_of,
    remains,
    settle,
)


class TestSealing:
    """What is kept, and what is not."""

    async def test_off_nothing_is_kept(self, matcher: Replica, recorder: Recorder) -> None:
        assert await matcher.rematch_keys.days(ACCOUNT) == 0
        with patch.object(matcher.rematch_keys, "place") as asked:
            await dismiss(matcher)
        assert not asked.called, "an account without a window costs no query"
        await add(matcher)
        assert (await count(matcher), attached(recorder)) == (0, [])

    @pytest.mark.usefixtures("window")
    @pytest.mark.parametrize("size", [0, CLAIM_CHECK_BYTES], ids=["small", "large"])
    async def test_no_word_of_a_sealed_mail_is_anywhere(
        self, matcher: Replica, recorder: Recorder, tmp_path: Path, size: int
    ) -> None:
        headers = "Subject: zqsubject\r\nCc: zqother@x.example\r\nX-A: zqbody\r\n"
        delivery = await dismiss(matcher, size=size, headers=headers)
        assert [type(event) for event, _ in recorder.published] == [MailDismissed]
        assert await count(matcher) == 1
        left = await remains(matcher, tmp_path)
        assert str(id_of(delivery)) in left, "there was something to look through"
        assert [word for word in WORDS if word in left] == []
        if size:
            assert not await exists(matcher.blobs, claim_of(delivery))

    @pytest.mark.usefixtures("window")
    async def test_what_is_dismissed_for_another_reason_is_not_kept(
        self, matcher: Replica, recorder: Recorder
    ) -> None:
        await dismiss(matcher, backfill=True)
        await matcher.never.put(
            ACCOUNT, OF_ACCOUNT, NeverCapture(frozenset(), frozenset({"no.example"}))
        )
        await matcher.directory.put(
            ACCOUNT, person_of("c2", Kind.CANDIDATE, "B", ["user@team.example"])
        )
        for to in ("x@no.example", "user@team.example"):
            await dismiss(matcher, to)
        reasons = [e.reason for e, _ in recorder.published if isinstance(e, MailDismissed)]
        assert reasons == ["no_match", "never_capture", "blocked"]
        assert await count(matcher) == 0

    @pytest.mark.usefixtures("window")
    async def test_a_redelivery_is_kept_once(self, matcher: Replica, recorder: Recorder) -> None:
        for size in (0, CLAIM_CHECK_BYTES):
            delivery = await received(matcher, LATE, size=size)
            recorder.crash_after = len(recorder.published) + 1
            with pytest.raises(Crash):
                await matcher.match(delivery)
            assert await matcher.match(delivery) == Done()
        assert await count(matcher) == 2
        window = await matcher.database["rematch_windows"].find_one({})
        assert window is not None
        assert [key["captures"] for key in window["keys"]] == [2]

    @pytest.mark.usefixtures("window")
    async def test_without_the_blob_store_nothing_is_dismissed(
        self, matcher: Replica, recorder: Recorder
    ) -> None:
        delivery = await received(matcher, LATE, size=CLAIM_CHECK_BYTES)

        async def away(*_: object) -> None:
            raise BlobStoreAway("full")

        with patch.object(matcher.blobs, "put", away):
            assert isinstance(await matcher.match(delivery), Retry)
        assert (recorder.published, await count(matcher)) == ([], 0)
        assert await exists(matcher.blobs, claim_of(delivery))
        assert await matcher.match(delivery) == Done()
        assert await count(matcher) == 1

    @pytest.mark.usefixtures("window")
    async def test_beyond_a_days_room_mail_is_forgotten(
        self, matcher: Replica, recorder: Recorder
    ) -> None:
        with patch.object(matcher.rematch_keys, "_room", Room(captures=2, size=10_000)):
            for _ in range(3):
                await dismiss(matcher)
            await dismiss(matcher, age=timedelta(days=2), size=10_000)
            await dismiss(matcher, age=timedelta(days=3))
        assert await count(matcher) == 3
        assert len(recorder.published) == 5

    @pytest.mark.usefixtures("window")
    async def test_what_waited_as_long_as_the_window_is_forgotten(self, matcher: Replica) -> None:
        await dismiss(matcher, age=timedelta(days=7))
        assert await count(matcher) == 0


@pytest.mark.usefixtures("window")
class TestOpening:
    """What happens when somebody is added."""

    async def test_it_is_attached_once_as_it_came(
        self, matcher: Replica, recorder: Recorder
    ) -> None:
        delivery = await dismiss(matcher, age=timedelta(days=2))
        await add(matcher)
        [event] = attached(recorder)
        assert isinstance(delivery.event, MailReceived)
        assert event.rematched
        assert (event.capture_id, event.received_at) == (
            delivery.event.capture_id,
            delivery.event.received_at,
        )
        assert [match.person_id for match in event.matches] == ["c7"]
        assert event.authentication is not None
        assert event.authentication.verdict is AuthenticationVerdict.UNVERIFIED
        assert event.authentication.reason == "rematched"
        assert recorder.published[-1][1] == delivery.body
        await add(matcher, person_id="c8")
        assert (len(attached(recorder)), await count(matcher)) == (1, 0)

    async def test_the_oldest_comes_first(self, matcher: Replica, recorder: Recorder) -> None:
        ages = [3, 1, 5, 0, 2]
        mails = {days: await dismiss(matcher, age=timedelta(days=days)) for days in ages}
        await add(matcher)
        ids = [event.capture_id for event in attached(recorder)]
        assert ids == [id_of(mails[days]) for days in sorted(ages, reverse=True)]

    async def test_a_large_mail_gets_a_claim_again(
        self, matcher: Replica, recorder: Recorder, tmp_path: Path
    ) -> None:
        delivery = await dismiss(matcher, size=CLAIM_CHECK_BYTES)
        await add(matcher)
        [event] = attached(recorder)
        assert event.blob_key is not None
        assert event.blob_key != claim_of(delivery)
        assert len(await matcher.blobs.get(event.blob_key)) == event.size
        await matcher.blobs.delete(event.blob_key)  # as the timeline does
        assert LATE not in (await remains(matcher, tmp_path)).replace(f"['{LATE}']", "")
        assert await matcher.blobs.prefixes() in ([], ["claims/", "sealed/"])
        assert list((tmp_path / "blobs" / "sealed").rglob("*")) == []

    @pytest.mark.parametrize("size", [0, CLAIM_CHECK_BYTES], ids=["small", "large"])
    async def test_an_enclosed_mail_is_attached_alone(
        self, matcher: Replica, recorder: Recorder, size: int
    ) -> None:
        inside = [mail(LATE, "x@x.example", body="x" * size), mail("y@x.example", "z@x.example")]
        record, _ = await matcher.addresses.mint(ACCOUNT, "u1", "User")
        headers, body = enclosing(inside, "outer")
        delivery = await received(matcher, record.address, headers=headers)
        raw = mail("user@team.example", record.address, headers=headers, body=body).encode()
        assert isinstance(delivery.event, MailReceived)
        claim = f"claims/{delivery.event.capture_id}" if size else None
        if claim:
            await matcher.blobs.put(claim, raw)
        event = delivery.event.model_copy(update={"size": len(raw), "blob_key": claim})
        sent = Delivery(event, b"" if claim else raw, redelivered=False)
        assert await matcher.match(sent) == Done()
        assert await count(matcher) == 1
        await add(matcher)
        [found] = attached(recorder)
        assert found.place
        told = recorder.published[-1][1]
        if found.blob_key is not None:
            told = await matcher.blobs.get(found.blob_key)
        assert LATE.encode() in told
        assert b"z@x.example" not in told
        assert found.forwarder is not None

    async def test_what_an_address_of_the_account_caught_has_its_shares(
        self, matcher: Replica, recorder: Recorder
    ) -> None:
        record, _ = await matcher.addresses.mint_for_account(ACCOUNT, "admin")
        delivery = await received(matcher, LATE)
        event = delivery.event.model_copy(update={"capture_address": record.address})
        assert await matcher.match(Delivery(event, delivery.body, redelivered=False)) == Done()
        assert [type(told) for told, _ in recorder.published] == [MailDismissedWithShares]
        await add(matcher)
        told = recorder.published[-1][0]
        assert isinstance(told, MailAttachedToShares)
        assert told.rematched
        assert [share.owner for share in told.shares] == ["u1"]
        assert all(own.rematched for _, own in told.of_shares())

    async def test_one_that_cannot_be_opened_keeps_no_other_sealed(
        self, matcher: Replica, recorder: Recorder
    ) -> None:
        first, second = [await dismiss(matcher, age=timedelta(days=days)) for days in (2, 1)]
        decide = Decider.decide

        async def fails_once(decider: Decider, event: MailReceived, mail: CapturedMail) -> Any:
            if event.capture_id == id_of(first):
                raise RuntimeError("a bug")
            return await decide(decider, event, mail)

        with patch.object(Decider, "decide", fails_once):
            await add(matcher)
        assert [event.capture_id for event in attached(recorder)] == [id_of(second)]
        assert await count(matcher) == 1
        await add(matcher, person_id="c8")
        assert [event.capture_id for event in attached(recorder)] == [id_of(second), id_of(first)]

    async def test_without_the_blob_store_it_waits(
        self, matcher: Replica, recorder: Recorder
    ) -> None:
        await dismiss(matcher, size=CLAIM_CHECK_BYTES)

        async def away(*_: object) -> None:
            raise BlobStoreAway("full")

        await matcher.directory.put(ACCOUNT, person_of("c7", Kind.CANDIDATE, "L", [LATE]))
        await matcher.outbox.once()
        with patch.object(matcher.blobs, "put", away):
            await matcher.opening.once()
        assert (attached(recorder), await count(matcher)) == ([], 1)
        await matcher.opening.once()
        assert len(attached(recorder)) == 1

    async def test_who_is_added_while_it_is_sealed_is_not_missed(
        self, matcher: Replica, recorder: Recorder
    ) -> None:
        place = matcher.rematch_keys.place

        async def after_somebody_was_added(*given: Any) -> Place | NoPlace:
            await add(matcher)
            return await place(*given)

        with patch.object(matcher.rematch_keys, "place", after_somebody_was_added):
            delivery = await dismiss(matcher)
        await settle(matcher)
        assert [event.capture_id for event in attached(recorder)] == [id_of(delivery)]

    async def test_a_crash_after_the_publish_publishes_the_same_again(
        self, matcher: Replica, recorder: Recorder
    ) -> None:
        await dismiss(matcher)
        await matcher.directory.put(ACCOUNT, person_of("c7", Kind.CANDIDATE, "L", [LATE]))
        await matcher.outbox.once()
        recorder.crash_after = len(recorder.published) + 1
        with pytest.raises(Crash):
            await matcher.opening.work()
        await matcher.opening.work()
        one, two = attached(recorder)
        assert one == two.model_copy(update={"decided_at": one.decided_at})
        assert await count(matcher) == 0

    async def test_of_two_replicas_one_opens(
        self, matcher: Replica, recorder: Recorder, tmp_path: Path
    ) -> None:
        sent = [await dismiss(matcher) for _ in range(10)]
        other = Replica(matcher.database, tmp_path, recorder)
        await matcher.directory.put(ACCOUNT, person_of("c7", Kind.CANDIDATE, "L", [LATE]))
        await asyncio.gather(*(replica.outbox.once() for replica in (matcher, other)))
        await asyncio.gather(*(replica.opening.work() for replica in (matcher, other)))
        await other.opening.work()
        assert Counter(e.capture_id for e in attached(recorder)) == Counter(map(id_of, sent))

    async def test_the_rules_and_lists_of_now_decide(
        self, matcher: Replica, recorder: Recorder
    ) -> None:
        await dismiss(matcher)
        await matcher.directory.put(ACCOUNT, person_of("u2", Kind.USER, "U", [LATE]))
        await add(matcher)  # blocked
        assert (await count(matcher), attached(recorder)) == (0, [])
        await dismiss(matcher, "zqother@mail.example")
        await matcher.never.put(
            ACCOUNT, OF_ACCOUNT, NeverCapture(frozenset({"zqother@mail.example"}))
        )
        await add(matcher, "zqother@mail.example", "c8")
        assert (await count(matcher), attached(recorder)) == (0, [])

    async def test_who_is_deleted_at_once_leaves_it_sealed(
        self, matcher: Replica, recorder: Recorder
    ) -> None:
        await dismiss(matcher)
        await matcher.directory.put(ACCOUNT, person_of("c7", Kind.CANDIDATE, "L", [LATE]))
        await matcher.outbox.once()
        await matcher.directory.delete(ACCOUNT, "c7")
        await matcher.opening.work()
        assert (await count(matcher), attached(recorder)) == (1, [])
        await add(matcher)
        assert len(attached(recorder)) == 1

    async def test_another_accounts_person_opens_nothing(
        self, matcher: Replica, recorder: Recorder
    ) -> None:
        await dismiss(matcher)
        await matcher.sealed.set_days("globex", 7)
        await matcher.directory.put("globex", person_of("c7", Kind.CANDIDATE, "L", [LATE]))
        await settle(matcher)
        assert (await count(matcher), attached(recorder)) == (1, [])

    async def test_an_import_looks_some_hundred_up_at_a_time(
        self, matcher: Replica, recorder: Recorder
    ) -> None:
        await dismiss(matcher, "a599@x.example")
        people = [
            person_of(f"i{number}", Kind.CANDIDATE, "I", [f"a{number}@x.example"])
            for number in range(600)
        ]
        await matcher.directory.put_all(ACCOUNT, people)
        with patch.object(matcher.seeking, "naming", side_effect=matcher.seeking.naming) as looks:
            await settle(matcher)
        assert looks.call_count <= 6
        assert len(attached(recorder)) == 1
