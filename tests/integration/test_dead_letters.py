"""Dead letters with a real broker, a real database and a real blob store."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from pydantic import SecretStr
from pymongo.errors import AutoReconnect

from bench.costs import cost_of
from services.timeline.dead_letters.command import DeadLettersCommand
from services.timeline.dead_letters.content import Content
from services.timeline.dead_letters.keeper import Keeper
from services.timeline.dead_letters.letter import document_of
from services.timeline.dead_letters.records import INDEXES, Records, Which
from services.timeline.dead_letters.replay import Replay
from services.timeline.dead_letters.sweep import DeadLetterSweep
from services.timeline.settings import TimelineSettings
from shared.blobs import DEAD_PREFIX, BlobMissing, Blobs, claim_key
from shared.broker import (
    UNROUTABLE,
    DeadLetter,
    DeadLetterConsumer,
    Publisher,
    PublishFailed,
)
from shared.capture_address import account_tag
from shared.database import Database, Document, connect, migrate
from shared.events import EVENTS, MailReceived
from shared.outcomes import Done, Retry
from shared.topology import DEAD, DEAD_EXCHANGE, DELIVERY_LIMIT, RECEIVED, uses
from tests.fakes import Crash
from tests.integration.test_broker import count, eventually, received, running

ACCOUNT = "acme"
TOPOLOGY = uses(publishes=EVENTS.values())
KEPT = timedelta(days=14)
ALL = timedelta(0)
NOW = datetime(2099, 1, 1, tzinfo=UTC)


@dataclass
class Desk:
    """What a replica of the timeline does with dead letters, and what it stands on."""

    database: Database
    blobs: Blobs
    publisher: Publisher
    admin: AbstractChannel
    folder: Path

    def __post_init__(self) -> None:
        self.records, self.content = Records(self.database), Content(self.blobs)
        self.keeper = Keeper(self.records, self.content, KEPT)
        self.replay = Replay(self.records, self.content, self.publisher)
        self.sweep = DeadLetterSweep(self.records, self.replay, self.blobs)

    async def stored(self, count: int = 1) -> list[Document]:
        """Return all dead letters, oldest first, once there are so many."""
        async with asyncio.timeout(20):
            while await self.database.dead_letters.count_documents({}) < count:
                await asyncio.sleep(0.02)
        return await self.database.dead_letters.find().sort("at").to_list()

    async def keep(self, letter: DeadLetter) -> Document:
        assert await self.keeper.handle(letter) == Done()
        return (await self.stored())[-1]

    async def now(self, document: Document) -> Document:
        found = await self.records.one(document["_id"])
        assert found is not None
        return found

    async def received(self) -> list[AbstractIncomingMessage]:
        """Return what waits for the matcher, taken."""
        queue = await self.admin.get_queue(RECEIVED.name, ensure=False)
        found = []
        while (message := await queue.get(fail=False)) is not None:
            await message.ack()
            found.append(message)
        return found

    def kept_bodies(self) -> list[str]:
        return [path.name for path in (self.folder / "blobs" / "dead").glob("*")]


@pytest.fixture
async def desk(
    amqp_url: str, mongodb_url: str, database_name: str, tmp_path: Path
) -> AsyncIterator[Desk]:
    publisher = Publisher(amqp_url, "test", TOPOLOGY)
    async with (
        connect(mongodb_url, "test") as client,
        running(publisher),
        await aio_pika.connect(amqp_url) as connection,
        connection.channel() as admin,
    ):
        await eventually(lambda: publisher.ready)
        for queue in (RECEIVED, DEAD):
            await (await admin.get_queue(queue.name, ensure=False)).purge()
        await migrate(client[database_name], INDEXES)
        blobs = Blobs(f"file://{tmp_path}/blobs")
        yield Desk(client[database_name], blobs, publisher, admin, tmp_path)
        await client.drop_database(database_name)


@pytest.fixture
async def consuming(desk: Desk, amqp_url: str) -> AsyncIterator[DeadLetterConsumer]:
    consumer = DeadLetterConsumer(amqp_url, "test dead", TOPOLOGY, desk.keeper.handle)
    async with running(consumer):
        await eventually(lambda: consumer.ready)
        yield consumer


def dead(about: MailReceived | None = None, **also: object) -> DeadLetter:
    event = about or received(account_tag=account_tag(ACCOUNT))
    fields: dict[str, object] = {
        "tag": event.tag,
        "event": event.encode(),
        "body": b"From: a@x\r\n\r\n",
        "key": event.tag,
        "queue": RECEIVED.name,
        "reason": "unknown_capture_address",
        "detail": "the detail",
        "replays": 0,
    }
    return DeadLetter(**fields | also)  # type: ignore[arg-type] # one field or another


async def die(desk: Desk) -> None:
    """Let the broker give up on what waits for the matcher."""
    queue = await desk.admin.get_queue(RECEIVED.name, ensure=False)
    for _ in range(DELIVERY_LIMIT + 1):
        async with asyncio.timeout(5):
            while (message := await queue.get(fail=False)) is None:
                await asyncio.sleep(0.01)
        await message.nack(requeue=True)


class TestKeeping:
    async def test_what_a_handler_rejected_is_kept_with_its_reason(
        self, desk: Desk, consuming: DeadLetterConsumer
    ) -> None:
        letter = dead()
        await desk.publisher.publish_dead(letter)
        [document] = await desk.stored()
        assert letter.event is not None
        assert document["capture_id"] == json.loads(letter.event)["capture_id"]
        assert (document["reason"], document["detail"]) == (letter.reason, "the detail")
        assert (document["account"], document["account_tag"]) == (None, account_tag(ACCOUNT))
        assert (document["queue"], document["tag"]) == (RECEIVED.name, MailReceived.tag)
        assert (document["state"], document["size"]) == ("waiting", len(letter.body))
        assert document["expires_at"] - document["at"] == KEPT
        assert await desk.content.letter(document) == letter

    async def test_what_the_broker_gave_up_on_as_well_and_again_after_a_replay(
        self, desk: Desk, consuming: DeadLetterConsumer
    ) -> None:
        event = received(account_tag=account_tag(ACCOUNT))
        await desk.publisher.publish(event, b"From: a@x\r\n\r\n")
        await die(desk)
        [document] = await desk.stored()
        assert (document["reason"], document["queue"]) == ("delivery_limit", RECEIVED.name)
        assert (document["key"], document["event"]) == (event.tag, event.encode())
        assert document["capture_id"] == str(event.capture_id)
        assert (await desk.replay.replay(document, "op"))["state"] == "replayed"
        await die(desk)
        again = (await desk.stored(2))[1]
        assert (again["state"], again["replays"]) == ("waiting", 1)
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

    async def test_one_that_is_settled_stays_so_and_gets_no_content_back(self, desk: Desk) -> None:
        letter = dead()
        await desk.replay.drop(await desk.keep(letter), "op", "spam")
        assert await desk.keeper.handle(letter) == Done()
        [document] = await desk.stored()
        assert document["state"] == "dropped"
        assert "event" not in document
        assert desk.kept_bodies() == []

    async def test_nor_when_another_replica_was_faster_in_between(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        letter = dead()
        keep = desk.content.keep

        async def keep_slowly(document: Document, body: bytes) -> None:
            monkeypatch.undo()
            await desk.replay.drop(await desk.keep(letter), "op", "spam")
            await keep(document, body)

        monkeypatch.setattr(desk.content, "keep", keep_slowly)
        assert await desk.keeper.handle(letter) == Done()
        assert desk.kept_bodies() == []

    async def test_while_a_store_is_away_it_waits_in_the_queue(
        self, desk: Desk, consuming: DeadLetterConsumer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (desk.folder / "blobs" / "dead").write_text("no folder")
        with monkeypatch.context() as patch:
            asked = asyncio.Event()

            async def no_primary(*_: object) -> bool:
                asked.set()
                raise AutoReconnect

            patch.setattr(Records, "add", no_primary)
            await desk.publisher.publish_dead(dead())
            await desk.publisher.publish_dead(dead(body=b""))
            async with asyncio.timeout(20):
                await asked.wait()
            assert isinstance(await desk.keeper.handle(dead()), Retry)
            assert isinstance(await desk.keeper.handle(dead(body=b"")), Retry)
        (desk.folder / "blobs" / "dead").unlink()
        assert len(await desk.stored(2)) == 2
        await eventually_empty(desk)

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
        assert {document["state"] for document in stored} == {"waiting"}
        for document in stored:
            with contextlib.suppress(PublishFailed):
                await desk.replay.replay(document, "op")


async def eventually_empty(desk: Desk) -> None:
    async with asyncio.timeout(10):
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


class TestReplaying:
    async def test_it_is_sent_as_it_was_and_leaves_no_content_behind(self, desk: Desk) -> None:
        letter = dead()
        document = await desk.keep(letter)
        replayed = await desk.replay.replay(document, "op")
        assert replayed["state"] == "replayed"
        [message] = await desk.received()
        assert (message.type, message.body) == (letter.tag, letter.body)
        assert message.headers["event"] == letter.event
        assert desk.kept_bodies() == []
        left = await desk.now(document)
        assert left["by"] == "op"
        assert not {"event", "detail", "body_key", "claim", "to_finish"} & left.keys()

    async def test_a_second_time_does_nothing(self, desk: Desk) -> None:
        document = await desk.keep(dead())
        first = await desk.replay.replay(document, "op")
        for known in (document, first):
            again = await desk.replay.replay(known, "another")
            assert (again["state"], again["by"]) == ("replayed", "op")
        assert len(await desk.received()) == 1

    async def test_two_replicas_at_once_agree(self, desk: Desk) -> None:
        letters = [await desk.keep(dead()) for _ in range(20)]
        other = Desk(desk.database, desk.blobs, desk.publisher, desk.admin, desk.folder)
        replays = [d.replay.replay(letter, "op") for letter in letters for d in (desk, other)]
        after = await asyncio.gather(*replays)
        assert {document["state"] for document in after} == {"replayed"}
        sent = {message.headers["event"] for message in await desk.received()}
        assert sent == {letter["event"] for letter in letters}
        assert desk.kept_bodies() == []

    async def test_who_finds_its_bytes_gone_with_another_says_the_same(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        document = await desk.keep(dead())
        letter = desk.content.letter

        async def letter_later(waiting: Document) -> DeadLetter:
            monkeypatch.undo()
            await desk.replay.replay(document, "another")
            return await letter(waiting)

        monkeypatch.setattr(desk.content, "letter", letter_later)
        assert (await desk.replay.replay(document, "op"))["state"] == "replayed"
        assert len(await desk.received()) == 1

    async def test_one_who_dies_before_it_is_recorded_leaves_it_to_the_sweep(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        document = await desk.keep(dead())
        with monkeypatch.context() as patch:
            patch.setattr(desk.records, "replayed", crash)
            with pytest.raises(Crash):
                await desk.replay.replay(document, "op")
        assert (await desk.now(document))["state"] == "waiting"
        dropped = await desk.replay.drop(document, "op", "too late")
        assert dropped["state"] == "waiting", "it may be on its way"
        await desk.sweep.sweep(ALL)
        after = await desk.now(document)
        assert (after["state"], after["by"]) == ("replayed", "op")
        assert desk.kept_bodies() == []
        first, second = await desk.received()
        assert first.headers == second.headers

    @pytest.mark.parametrize("step", ["replay", "drop"])
    async def test_one_who_dies_before_its_content_is_removed_as_well(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        document = await desk.keep(dead())
        with monkeypatch.context() as patch:
            patch.setattr(desk.content, "remove", crash)
            with pytest.raises(Crash):
                await (
                    desk.replay.replay(document, "op")
                    if step == "replay"
                    else desk.replay.drop(document, "op", "spam")
                )
        assert len(desk.kept_bodies()) == 1
        await desk.sweep.sweep(ALL)
        assert desk.kept_bodies() == []
        assert len(await desk.received()) == (step == "replay")
        assert "to_finish" not in await desk.now(document)

    async def test_what_nobody_takes_stays_and_can_be_dropped(self, desk: Desk) -> None:
        document = await desk.keep(dead(key="mail.received.v0"))
        with pytest.raises(PublishFailed, match=UNROUTABLE):
            await desk.replay.replay(document, "op")
        assert await desk.now(document) == document
        assert (await desk.replay.drop(document, "op", "old"))["state"] == "dropped"

    async def test_an_event_of_tomorrow_is_sent_to_where_it_was_not_understood(
        self, desk: Desk
    ) -> None:
        letter = dead(tag="mail.received.v2", event='{"capture_id": 1}', key=MailReceived.tag)
        await desk.replay.replay(await desk.keep(letter), "op")
        [message] = await desk.received()
        assert (message.type, message.headers["event"]) == (letter.tag, letter.event)

    async def test_without_a_broker_it_waits_on(self, desk: Desk) -> None:
        nowhere = Publisher("amqp://guest:guest@127.0.0.1:1/", "test", TOPOLOGY)
        document = await desk.keep(dead())
        async with running(nowhere):
            with pytest.raises(PublishFailed, match="not_connected"):
                await Replay(desk.records, desk.content, nowhere).replay(document, "op")
        assert await desk.now(document) == document

    async def test_without_its_bytes_it_is_not_sent(self, desk: Desk) -> None:
        document = await desk.keep(dead())
        await desk.blobs.delete(document["body_key"])
        with pytest.raises(BlobMissing):
            await desk.replay.replay(document, "op")
        assert await desk.now(document) == document
        assert await desk.received() == []


async def crash(*_: object, **__: object) -> None:
    raise Crash


class TestClaims:
    async def test_a_replay_leaves_the_claim_to_who_handles_it(self, desk: Desk) -> None:
        document = await desk.keep(await self.claimed(desk))
        assert document["size"] == 300_000
        assert await desk.content.mail(document) == b"the mail"
        await desk.replay.replay(document, "op")
        assert await desk.blobs.get(document["claim"]) == b"the mail"

    async def test_a_drop_removes_it_unless_another_one_needs_it(self, desk: Desk) -> None:
        letter = await self.claimed(desk)
        first = await desk.keep(letter)
        second = await desk.keep(dead(replays=1, event=letter.event, body=b""))
        await desk.replay.drop(first, "op", "spam")
        assert await desk.blobs.get(first["claim"]) == b"the mail"
        await desk.replay.drop(second, "op", "spam")
        with pytest.raises(BlobMissing):
            await desk.blobs.get(first["claim"])

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
        document = await desk.keep(dead())
        await desk.replay.drop(document, "op", "spam")
        again = await desk.replay.drop(document, "another", "other reason")
        assert (again["state"], again["by"], again["why"]) == ("dropped", "op", "spam")
        assert desk.kept_bodies() == []
        assert (await desk.replay.replay(document, "op"))["state"] == "dropped"
        assert await desk.received() == []

    async def test_what_expired_leaves_no_bytes(self, desk: Desk) -> None:
        document = await desk.keep(dead())
        indexes = await desk.database.dead_letters.index_information()
        assert indexes["expire"]["expireAfterSeconds"] == 0
        await desk.database.dead_letters.delete_one({"_id": document["_id"]})  # as MongoDB does
        await desk.sweep.sweep()
        assert len(desk.kept_bodies()) == 1
        assert await desk.blobs.sweep(DEAD_PREFIX, timedelta(seconds=-1)) == 1
        assert desk.kept_bodies() == []


class TestLooking:
    async def test_an_account_finds_its_own_alone(self, desk: Desk) -> None:
        own = await desk.keep(dead())
        await desk.keep(dead(received(account_tag=account_tag("globex"))))
        await desk.keep(dead(tag="", event=None, key="nobody"))
        page = await desk.records.page(ACCOUNT, Which(), 10, None)
        assert page.items == [own]
        assert await desk.records.one(own["_id"], "globex") is None
        assert len(await desk.records.every(Which(), 10)) == 3
        assert await desk.records.waiting() == {"unknown_capture_address": 3}

    async def test_pages_follow_one_another(self, desk: Desk) -> None:
        for number in range(25):
            await desk.keep(dead(reason="claim_missing" if number % 5 else "handler_error"))
        for which, expected in ((Which(), 25), (Which(reason="handler_error"), 5)):
            found: list[str] = []
            cursor = None
            while True:
                page = await desk.records.page(ACCOUNT, which, 4, cursor)
                found += [document["_id"] for document in page.items]
                if (cursor := page.next_cursor) is None:
                    break
            assert len(found) == len({*found}) == expected

    @pytest.mark.parametrize(
        "which",
        [
            Which(),
            Which(reason="handler_error"),
            Which(reason="claim_missing", states=("waiting",)),
        ],
    )
    async def test_a_page_costs_what_its_size_says(self, desk: Desk, which: Which) -> None:
        reasons, states = ("claim_missing", "handler_error"), ("waiting", "dropped")
        many = [
            document_of(dead(reason=reasons[n % 2]), NOW + timedelta(seconds=n), KEPT)
            | {"state": states[n // 2 % 2]}
            for n in range(400)
        ]
        await desk.database.dead_letters.insert_many(many)
        cursor = (await desk.records.page(ACCOUNT, which, 10, None)).next_cursor
        cost = await cost_of(desk.database, lambda: desk.records.page(ACCOUNT, which, 10, cursor))
        assert cost.documents <= 15, cost.plans
        assert cost.keys <= 40
        assert not cost.scans
        assert not cost.sorts


class TestCommand:
    @pytest.fixture(autouse=True)
    def asked_of(
        self,
        desk: Desk,
        amqp_url: str,
        mongodb_url: str,
        capsysbinary: pytest.CaptureFixture[bytes],
    ) -> None:
        self.capsys = capsysbinary
        self.settings = TimelineSettings(
            amqp_url=amqp_url,
            mongodb_url=mongodb_url,
            blob_url=f"file://{desk.folder}/blobs",
            timeline_database=desk.database.name,
            token_secret=SecretStr("s" * 40),
        )

    async def ask(self, *words: str, code: int = 0) -> tuple[str, str]:
        """Return what it says, and what it says beside."""
        command = DeadLettersCommand(self.settings, words)
        self.capsys.readouterr()
        await command.run(asyncio.Event())
        assert command.code == code
        out, beside = self.capsys.readouterr()
        logged = re.compile(rb"20[0-9-]+ [0-9:]+ .*\n")  # here it goes there, too
        return logged.sub(b"", out).decode(), beside.decode()

    async def test_it_lists_and_shows(self, desk: Desk) -> None:
        first = await desk.keep(dead(body=b"Subject: Hello\r\n\r\nThe text."))
        nobodys = await desk.keep(dead(tag="\x1b[2Jx", event=None, body=b"?", reason="other"))
        table, _ = await self.ask("list")
        names, *lines = table.splitlines()
        assert names.split() == ["id", "at", "state", "reason", "account", "tag", "queue", "size"]
        assert [line.split()[0] for line in lines] == [nobodys["_id"], first["_id"]]
        assert "\x1b" not in table
        for words in (("--account", ACCOUNT), ("--reason", first["reason"]), ("--limit", "1")):
            table, _ = await self.ask("list", *words, "--json")
            assert len(table.splitlines()) == 1
        assert (await self.ask("list", "--state", "dropped"))[0].count("\n") == 1
        shown, _ = await self.ask("show", first["_id"])
        assert "Subject: Hello" in shown
        assert "The text." not in shown
        as_json = json.loads((await self.ask("show", first["_id"], "--json"))[0])
        assert (as_json["event"], as_json["account"]) == (first["event"], first["account_tag"])
        assert "there is no" in (await self.ask("show", "a" * 32, code=1))[1]

    async def test_it_shows_the_mail(self, desk: Desk) -> None:
        document = await desk.keep(dead(body=b"\xff\x00the mail"))
        self.capsys.readouterr()
        command = DeadLettersCommand(self.settings, ["show", document["_id"], "--raw"])
        await command.run(asyncio.Event())
        assert self.capsys.readouterr().out == b"\xff\x00the mail"

    async def test_it_replays_and_drops_many(self, desk: Desk) -> None:
        for number in range(30):
            await desk.keep(dead(reason="handler_error" if number % 3 else "claim_missing"))
        nowhere = await desk.keep(dead(key="nobody", reason="unknown"))
        lines, beside = await self.ask("replay", "--reason", "handler_error", "--json")
        assert {json.loads(line)["became"] for line in lines.splitlines()} == {"replayed"}
        assert beside.endswith("20 replayed\n")
        assert len(await desk.received()) == 20
        _, beside = await self.ask("replay", "--all", code=1)
        assert f"{nowhere['_id']}: no queue takes it" in beside
        assert beside.endswith("1 no queue takes it, 10 replayed\n")
        _, beside = await self.ask("drop", "--all", "--why", "spam", "--by", "op")
        assert beside.endswith("1 dropped\n")
        assert (await desk.now(nowhere))["by"] == "op"
        _, beside = await self.ask("replay", nowhere["_id"], "a" * 32, code=1)
        assert beside.endswith("1 dropped, 1 not there\n")
        _, beside = await self.ask("replay", "--all")
        assert beside.endswith("nothing to do\n")

    @pytest.mark.parametrize(
        "words",
        [
            [],
            ["lost"],
            ["list", "--limit", "0"],
            ["replay"],
            ["replay", "x", "--all"],
            ["drop", "x"],
        ],
    )
    async def test_what_it_does_not_understand_it_says(self, words: list[str]) -> None:
        with pytest.raises(SystemExit) as ended:
            DeadLettersCommand(self.settings, words)
        assert ended.value.code == 2
        assert b"usage" in self.capsys.readouterr().err
