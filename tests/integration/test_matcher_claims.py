"""Large mails and what they enclose: a claim lives until its outcome is certain."""

import asyncio
from dataclasses import replace

import pytest

from services.matcher.carried import PROMPT_MAILS
from services.matcher.directory.people import person_of
from shared.broker import Delivery
from shared.contracts.events import Event, Kind, MailAttached, MailDismissed
from shared.contracts.outcomes import Done, Reject
from shared.storage.blob_keys import CLAIM_CHECK_BYTES
from tests.fakes import Crash, Recorder
from tests.mails import enclosing, mail
from tests.matcher_parts import ACCOUNT, DOMAIN, Replica, claim_of, exists, received


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

    async def test_who_finds_the_claim_gone_that_another_is_done_with_repeats_the_decision(
        self, matcher: Replica, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        delivery = await received(matcher, "nobody@x.example", size=CLAIM_CHECK_BYTES)
        recall, asked = matcher.decisions.recall, 0

        async def too_early(claim: str) -> list[Event]:
            """Let the first answer be from before the other one decided, and removed the claim."""
            nonlocal asked
            asked += 1
            known = await recall(claim)
            if asked == 1:
                assert known == []
                assert await matcher.match(delivery) == Done()
            return known

        monkeypatch.setattr(matcher.decisions, "recall", too_early)
        assert await matcher.match(delivery) == Done()
        assert recorder.published[0] == recorder.published[1]

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
    async def test_of_a_large_mail_each_goes_on_whatever_dies_when(
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
        attached = [(e, b) for e, b in recorder.published if isinstance(e, MailAttached)]
        assert {event.place for event, _ in attached} == {"2", "3"}
        for event, body in attached:
            assert (event.blob_key is None) == (event.place == "2")  # the other one is large
            raw = body if event.blob_key is None else await matcher.blobs.get(event.blob_key)
            assert raw.decode() == self.inside[int(event.place) - 1]
        assert not await exists(matcher.blobs, claim_of(delivery))

    async def test_a_redelivery_after_all_is_done_writes_no_claim_again(
        self, matcher: Replica, recorder: Recorder
    ) -> None:
        delivery = await self.forwarded(matcher, 3)
        await matcher.match(delivery)
        attached = [e for e, _ in recorder.published if isinstance(e, MailAttached)]
        [claim] = [event.blob_key for event in attached if event.blob_key]
        await matcher.blobs.delete(claim)  # as the timeline does
        assert await matcher.match(delivery) == Done()
        assert not await exists(matcher.blobs, claim)
        again = [event for event, _ in recorder.published][len(attached) :]
        assert all(isinstance(e, MailAttached) and e.blob_key for e in again)  # none is empty

    @pytest.mark.parametrize("is_full", [False, True])
    async def test_of_many_the_first_ten_are_prompt_and_live_mail_waits_for_no_other(
        self, matcher: Replica, recorder: Recorder, is_full: bool
    ) -> None:
        headers, body = enclosing([self.inside[1]] * 13)
        delivery = await received(matcher, f"me@{DOMAIN}", headers=f"{headers}\r\n{body}\r\nX: ")
        recorder.backfill_is_full = is_full
        assert await matcher.match(delivery) == Done()
        events = [event for event, _ in recorder.published]
        assert len({e.place for e in events if isinstance(e, MailAttached)}) == len(events) == 13
        assert recorder.after_live == ([] if is_full else events[PROMPT_MAILS:])
