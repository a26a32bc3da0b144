"""What a person does with a dead letter, and what it leaves."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from services.timeline.admin.dead_letters.letter import StoredLetter
from services.timeline.admin.dead_letters.replay import Replay
from shared.broker import (
    UNROUTABLE,
    DeadLetter,
    Publisher,
    PublishFailed,
)
from shared.contracts.capture_address import account_tag
from shared.contracts.events import MailReceived
from shared.storage.blob_keys import DEAD_PREFIX, claim_key
from shared.storage.blobs import BlobMissing
from tests.broker_parts import received, running
from tests.dead_letter_parts import ACCOUNT, ALL, TOPOLOGY, Desk, dead
from tests.fakes import Crash


class TestReplaying:
    async def test_it_is_sent_as_it_was_and_leaves_no_content_behind(self, desk: Desk) -> None:
        letter = dead()
        kept = await desk.keep(letter)
        replayed = await desk.replay.replay(kept, "op")
        assert replayed.state == "replayed"
        [message] = await desk.received()
        assert (message.type, message.body) == (letter.tag, letter.body)
        assert message.headers["event"] == letter.event
        assert desk.kept_bodies() == []
        left = await desk.now(kept)
        assert left.by == "op"
        found = await desk.database.dead_letters.find_one({"_id": kept.id})
        assert found is not None
        assert not {"event", "detail", "body_key", "claim", "to_finish"} & found.keys()

    async def test_a_second_time_does_nothing(self, desk: Desk) -> None:
        kept = await desk.keep(dead())
        first = await desk.replay.replay(kept, "op")
        for known in (kept, first):
            again = await desk.replay.replay(known, "another")
            assert (again.state, again.by) == ("replayed", "op")
        assert len(await desk.received()) == 1

    async def test_two_replicas_at_once_agree(self, desk: Desk) -> None:
        letters = [await desk.keep(dead()) for _ in range(20)]
        other = Desk(desk.database, desk.blobs, desk.publisher, desk.admin, desk.folder)
        replays = [d.replay.replay(letter, "op") for letter in letters for d in (desk, other)]
        after = await asyncio.gather(*replays)
        assert {kept.state for kept in after} == {"replayed"}
        sent = {message.headers["event"] for message in await desk.received()}
        assert sent == {letter.event for letter in letters}
        assert desk.kept_bodies() == []

    async def test_who_finds_its_bytes_gone_with_another_says_the_same(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kept = await desk.keep(dead())
        letter = desk.content.letter

        async def letter_later(waiting: StoredLetter) -> DeadLetter:
            monkeypatch.undo()
            await desk.replay.replay(kept, "another")
            return await letter(waiting)

        monkeypatch.setattr(desk.content, "letter", letter_later)
        assert (await desk.replay.replay(kept, "op")).state == "replayed"
        assert len(await desk.received()) == 1

    async def test_one_who_dies_before_it_is_recorded_leaves_it_to_the_sweep(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kept = await desk.keep(dead())
        with monkeypatch.context() as patch:
            patch.setattr(desk.records, "replayed", crash)
            with pytest.raises(Crash):
                await desk.replay.replay(kept, "op")
        assert (await desk.now(kept)).state == "waiting"
        dropped = await desk.replay.drop(kept, "op", "too late")
        assert dropped.state == "waiting", "it may be on its way"
        await desk.sweep.sweep(ALL)
        after = await desk.now(kept)
        assert (after.state, after.by) == ("replayed", "op")
        assert desk.kept_bodies() == []
        first, second = await desk.received()
        assert first.headers == second.headers

    @pytest.mark.parametrize("step", ["replay", "drop"])
    async def test_one_who_dies_before_its_content_is_removed_as_well(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        kept = await desk.keep(dead())
        with monkeypatch.context() as patch:
            patch.setattr(desk.content, "remove", crash)
            with pytest.raises(Crash):
                await (
                    desk.replay.replay(kept, "op")
                    if step == "replay"
                    else desk.replay.drop(kept, "op", "spam")
                )
        assert len(desk.kept_bodies()) == 1
        await desk.sweep.sweep(ALL)
        assert desk.kept_bodies() == []
        assert len(await desk.received()) == (step == "replay")
        assert (await desk.now(kept)).to_finish is None

    async def test_what_nobody_takes_stays_and_can_be_dropped(self, desk: Desk) -> None:
        kept = await desk.keep(dead(key="mail.received.v0"))
        with pytest.raises(PublishFailed, match=UNROUTABLE):
            await desk.replay.replay(kept, "op")
        assert await desk.now(kept) == kept
        assert (await desk.replay.drop(kept, "op", "old")).state == "dropped"

    async def test_an_event_of_tomorrow_is_sent_to_where_it_was_not_understood(
        self, desk: Desk
    ) -> None:
        letter = dead(tag="mail.received.v2", event='{"capture_id": 1}', key=MailReceived.tag)
        await desk.replay.replay(await desk.keep(letter), "op")
        [message] = await desk.received()
        assert (message.type, message.headers["event"]) == (letter.tag, letter.event)

    async def test_without_a_broker_it_waits_on(self, desk: Desk) -> None:
        nowhere = Publisher("amqp://guest:guest@127.0.0.1:1/", "test", TOPOLOGY)
        kept = await desk.keep(dead())
        async with running(nowhere):
            with pytest.raises(PublishFailed, match="not_connected"):
                await Replay(desk.records, desk.content, nowhere).replay(kept, "op")
        assert await desk.now(kept) == kept

    async def test_without_its_bytes_it_is_not_sent(self, desk: Desk) -> None:
        kept = await desk.keep(dead())
        assert kept.body_key is not None
        await desk.blobs.delete(kept.body_key)
        with pytest.raises(BlobMissing):
            await desk.replay.replay(kept, "op")
        assert await desk.now(kept) == kept
        assert await desk.received() == []


async def crash(*_: object, **__: object) -> None:
    raise Crash


class TestClaims:
    async def test_a_replay_leaves_the_claim_to_who_handles_it(self, desk: Desk) -> None:
        kept = await desk.keep(await self.claimed(desk))
        assert kept.size == 300_000
        assert await desk.content.mail(kept) == b"the mail"
        await desk.replay.replay(kept, "op")
        assert kept.claim is not None
        assert await desk.blobs.get(kept.claim) == b"the mail"

    async def test_a_drop_removes_it_unless_another_one_needs_it(self, desk: Desk) -> None:
        letter = await self.claimed(desk)
        first = await desk.keep(letter)
        second = await desk.keep(dead(replays=1, event=letter.event, body=b""))
        assert first.claim is not None
        await desk.replay.drop(first, "op", "spam")
        assert await desk.blobs.get(first.claim) == b"the mail"
        await desk.replay.drop(second, "op", "spam")
        with pytest.raises(BlobMissing):
            await desk.blobs.get(first.claim)

    async def claimed(self, desk: Desk) -> DeadLetter:
        id_ = uuid4()
        event = received(
            capture_id=id_,
            blob_key=claim_key(id_),
            size=300_000,
            account_tag=account_tag(ACCOUNT),
        )
        await desk.blobs.put(claim_key(id_), b"the mail")
        return dead(event, body=b"")


class TestDropping:
    async def test_who_and_why_is_kept_and_nothing_else(self, desk: Desk) -> None:
        kept = await desk.keep(dead())
        await desk.replay.drop(kept, "op", "spam")
        again = await desk.replay.drop(kept, "another", "other reason")
        assert (again.state, again.by, again.why) == ("dropped", "op", "spam")
        assert desk.kept_bodies() == []
        assert (await desk.replay.replay(kept, "op")).state == "dropped"
        assert await desk.received() == []

    async def test_what_expired_leaves_no_bytes(self, desk: Desk) -> None:
        kept = await desk.keep(dead())
        indexes = await desk.database.dead_letters.index_information()
        assert indexes["expire"]["expireAfterSeconds"] == 0
        await desk.database.dead_letters.delete_one({"_id": kept.id})  # as MongoDB does
        await desk.sweep.sweep()
        assert len(desk.kept_bodies()) == 1
        assert await desk.blobs.sweep(DEAD_PREFIX, timedelta(seconds=-1)) == 1
        assert desk.kept_bodies() == []
