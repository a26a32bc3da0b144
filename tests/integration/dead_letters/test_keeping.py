"""What dies is stored, whatever it is."""

import asyncio
import contextlib
import json
from dataclasses import replace

import aio_pika
import pytest
from pymongo.errors import AutoReconnect

from services.timeline.admin.dead_letters.letter import StoredLetter
from services.timeline.admin.dead_letters.records import Records
from shared.broker import (
    DeadLetter,
    DeadLetterConsumer,
    PublishFailed,
)
from shared.contracts.capture_address import account_tag
from shared.contracts.event_examples import examples
from shared.contracts.events import MailReceived, MailWatched
from shared.contracts.outcomes import Done, Retry
from shared.contracts.topology import DEAD, DEAD_EXCHANGE, RECEIVED
from tests.broker_parts import count, received, running
from tests.dead_letter_parts import ACCOUNT, KEPT, TOPOLOGY, Desk, dead, die
from tests.deadline import DEADLINE


class TestKeeping:
    async def test_what_a_handler_rejected_is_kept_with_its_reason(
        self, desk: Desk, consuming: DeadLetterConsumer
    ) -> None:
        letter = dead()
        await desk.publisher.publish_dead(letter)
        [kept] = await desk.stored()
        assert letter.event is not None
        assert kept.capture_id == json.loads(letter.event)["capture_id"]
        assert (kept.reason, kept.detail) == (letter.reason, "the detail")
        assert (kept.account, kept.account_tag) == (None, account_tag(ACCOUNT))
        assert (kept.queue, kept.tag) == (RECEIVED.name, MailReceived.tag)
        assert (kept.state, kept.size) == ("waiting", len(letter.body))
        assert kept.expires_at - kept.at == KEPT
        assert await desk.content.letter(kept) == letter

    async def test_what_the_broker_gave_up_on_as_well_and_again_after_a_replay(
        self, desk: Desk, consuming: DeadLetterConsumer
    ) -> None:
        event = received(account_tag=account_tag(ACCOUNT))
        await desk.publisher.publish(event, b"From: a@x\r\n\r\n")
        await die(desk)
        [kept] = await desk.stored()
        assert (kept.reason, kept.queue) == ("delivery_limit", RECEIVED.name)
        assert (kept.key, kept.event) == (event.tag, event.encode())
        assert kept.capture_id == str(event.capture_id)
        assert (await desk.replay.replay(kept, "op")).state == "replayed"
        await die(desk)
        again = (await desk.stored(2))[1]
        assert (again.state, again.replays) == ("waiting", 1)
        await desk.replay.replay(again, "op")
        [message] = await desk.received()
        assert (message.headers["event"], message.body) == (event.encode(), b"From: a@x\r\n\r\n")
        assert (message.type, message.headers["x-satchel-replays"]) == (event.tag, 2)

    async def test_the_same_one_any_number_of_times_is_kept_once(
        self, desk: Desk, consuming: DeadLetterConsumer
    ) -> None:
        letter, last = dead(), dead()
        for _ in range(3):  # confirmed, and the acknowledgement was lost
            await desk.publisher.publish_dead(letter)
        await desk.publisher.publish_dead(last)
        await desk.stored(2)
        await asyncio.gather(*(desk.keeper.handle(letter) for _ in range(10)))
        assert len(await desk.stored()) == 2

    async def test_what_is_forgotten_after_a_day_is_not_kept_for_fourteen(
        self, desk: Desk, consuming: DeadLetterConsumer
    ) -> None:
        shown, last = examples()[MailWatched.tag], dead()
        letter = replace(dead(), tag=shown.tag, event=shown.encode())
        await desk.publisher.publish_dead(letter)
        await desk.publisher.publish_dead(last)
        [kept] = await desk.stored()
        assert kept.event == last.event

    async def test_one_that_is_settled_stays_so_and_gets_no_content_back(self, desk: Desk) -> None:
        letter = dead()
        await desk.replay.drop(await desk.keep(letter), "op", "spam")
        assert await desk.keeper.handle(letter) == Done()
        [kept] = await desk.stored()
        assert kept.state == "dropped"
        assert kept.event is None
        assert desk.kept_bodies() == []

    async def test_nor_when_another_replica_was_faster_in_between(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        letter = dead()
        keep = desk.content.keep

        async def keep_slowly(stored: StoredLetter, body: bytes) -> None:
            monkeypatch.undo()
            await desk.replay.drop(await desk.keep(letter), "op", "spam")
            await keep(stored, body)

        monkeypatch.setattr(desk.content, "keep", keep_slowly)
        assert await desk.keeper.handle(letter) == Done()
        assert desk.kept_bodies() == []

    async def test_while_a_store_is_away_it_waits_in_the_queue(
        self, desk: Desk, consuming: DeadLetterConsumer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await desk.blobs.put("another", b"")  # the store is made when it is used
        (desk.folder / "blobs" / "dead").write_text("no folder")
        with monkeypatch.context() as patch:
            asked = asyncio.Event()

            async def no_primary(*_: object) -> bool:
                asked.set()
                raise AutoReconnect

            patch.setattr(Records, "add", no_primary)
            await desk.publisher.publish_dead(dead())
            await desk.publisher.publish_dead(dead(body=b""))
            async with asyncio.timeout(DEADLINE):
                await asked.wait()
            assert isinstance(await desk.keeper.handle(dead()), Retry)
            assert isinstance(await desk.keeper.handle(dead(body=b"")), Retry)
        (desk.folder / "blobs" / "dead").unlink()
        assert len(await desk.stored(2)) == 2
        await eventually_empty(desk)

    async def test_what_could_not_be_stored_for_a_bug_is_tried_again(
        self, desk: Desk, amqp_url: str
    ) -> None:
        calls: list[DeadLetter] = []

        async def fails_first(letter: DeadLetter) -> Done | Retry:
            calls.append(letter)
            if len(calls) == 1:
                raise ValueError("a bug")
            return await desk.keeper.handle(letter)

        consumer = DeadLetterConsumer(amqp_url, "test dead", TOPOLOGY, fails_first)
        async with running(consumer):
            await desk.publisher.publish_dead(dead())
            assert len(await desk.stored()) == 1
            await eventually_empty(desk)
        assert len(calls) == 2

    async def test_whatever_lies_in_the_queue_is_kept_and_nothing_goes_round(
        self, desk: Desk, consuming: DeadLetterConsumer
    ) -> None:
        exchange = await desk.admin.get_exchange(DEAD_EXCHANGE, ensure=False)
        for number, (tag, headers) in enumerate(POISON):
            body = bytes([number]) * (3_000_000 if number == 0 else 300)
            message = aio_pika.Message(body, type=tag, headers=headers)  # type: ignore[arg-type] # so it is
            await exchange.publish(message, "any key")
        stored = await desk.stored(len(POISON))
        await eventually_empty(desk)
        assert len(stored) == len(POISON)
        assert {kept.state for kept in stored} == {"waiting"}
        for kept in stored:
            with contextlib.suppress(PublishFailed):
                await desk.replay.replay(kept, "op")


async def eventually_empty(desk: Desk) -> None:
    async with asyncio.timeout(DEADLINE):
        while await count(desk.admin, DEAD.name):
            await asyncio.sleep(0.05)


class NoText(str):
    """A text of AMQP that is none: the protocol does not say which characters it may have."""

    def encode(self, *_: object) -> bytes:
        return b"\xff\xfe"


EVENT = received().encode()
POISON: list[tuple[str | None, dict[str, object]]] = [
    (None, {}),
    ("", {"event": ""}),
    ("mail.received.v1", {}),
    ("mail.received.v1", {"event": bytearray(EVENT.encode())}),
    ("mail.received.v1", {"event": NoText("?")}),
    ("mail.received.v1", {"event": EVENT[:-1]}),
    ("mail.received.v1", {"event": "[" * 60_000}),
    ("mail.received.v1", {"event": '{"capture_id": ' + "9" * 60_000 + "}"}),
    ("mail.received.v1", {"event": "x" * 110_000}),
    ("mail.received.v99", {"event": '{"account": {"$ne": 1}, "blob_key": "claims/../x"}'}),
    ("mail.attached.v1", {"event": '{"account": "acme\\u0000", "capture_id": ["x"]}'}),
    ("\x00\x1b[2J", {"event": 7, "x-satchel-reason": "$where", "x-satchel-queue": "\x00"}),
    ("x", {"x-death": "none", "x-first-death-reason": 1, "x-satchel-replays": -(2**60)}),
    ("x", {"x-death": [{"count": "no", "routing-keys": 5}], "x-satchel-replays": 2**60}),
    ("x", {"x-satchel-reason": "r" * 5000, "x-satchel-detail": "d" * 5000}),
    ("x", {"a.b": {"$c": {"": [None, True, 1.5, bytearray(b"\xff")]}}, "event": None}),
]
