"""Old mail is brought along, to a real broker: all of it, once, on queues of its own."""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel

from dev.generate import ROOT
from dev.process import Process
from dev.rabbitmq import PrivateRabbitMQ
from services.ingest.backfill.run import Backfill
from services.ingest.settings import IngestSettings
from shared.broker import Publisher
from shared.contracts.capture_address import KeyRing
from shared.contracts.event_examples import examples
from shared.contracts.events import EVENTS, CaptureEvent, MailReceived
from shared.contracts.topology import (
    OUTCOMES,
    OUTCOMES_BACKFILL,
    QUEUES,
    RECEIVED,
    RECEIVED_BACKFILL,
    uses,
)
from shared.runtime.mistake import Mistake
from tests.deadline import DEADLINE

KEYS, DOMAIN = "k1:" + "s" * 20, "in.satchel.test"
ADDRESS = KeyRing.parse(KEYS).mint("acme", "anna", DOMAIN).address
SUMMARY = "GET /v1/stats of the timeline shows what becomes of them\n"


@pytest.fixture
async def admin(amqp_url: str) -> AsyncIterator[AbstractChannel]:
    """A channel to look with; all queues are there, and empty."""
    publisher = Publisher(amqp_url, "test", uses(consumes=QUEUES))
    task = asyncio.create_task(publisher.run())
    async with asyncio.timeout(DEADLINE):
        while not publisher.ready:
            await asyncio.sleep(0.02)
    publisher.stop()
    await task
    async with await aio_pika.connect(amqp_url) as connection, connection.channel() as channel:
        for queue in QUEUES:
            await (await channel.get_queue(queue.name, ensure=False)).purge()
        yield channel


@pytest.fixture
def settings(amqp_url: str, tmp_path: Path) -> IngestSettings:
    return settings_for(amqp_url, tmp_path)


def settings_for(amqp_url: str, tmp_path: Path) -> IngestSettings:
    return IngestSettings.model_validate(
        {
            "amqp_url": amqp_url,
            "blob_url": f"file://{tmp_path}/blobs",
            "capture_domain": DOMAIN,
            "capture_keys": KEYS,
            "token_secret": "t" * 40,
            "max_mail_bytes": 1_000_000,
            "publish_deadline": 2.0,
        }
    )


def raw(number: int, size: int = 10) -> bytes:
    return b"From: a@x.example\nSubject: %d\n\n" % number + b"x" * size + b"\n"


def mbox(tmp_path: Path, *mails: bytes) -> Path:
    path = tmp_path / "old.mbox"
    path.write_bytes(b"".join(b"From - Mon Jan  5 09:00:00 2026\n" + m + b"\n" for m in mails))
    return path


def arguments(path: Path, recipient: str = ADDRESS) -> list[str]:
    state = path.with_name("state.json")
    return ["--backfill", str(path), "--recipient", recipient, "--state", str(state)]


async def bring(settings: IngestSettings, path: Path) -> Backfill:
    backfill = Backfill(settings, arguments(path))
    await backfill.run(asyncio.Event())
    assert backfill.finished
    return backfill


async def count(channel: AbstractChannel, name: str) -> int:
    return (await channel.declare_queue(name, passive=True)).declaration_result.message_count or 0


async def take(channel: AbstractChannel, number: int) -> list[tuple[MailReceived, bytes]]:
    """Return what is in the queue of old mail, which must be so many."""
    queue = await channel.get_queue(RECEIVED_BACKFILL.name, ensure=False)
    messages: list[aio_pika.abc.AbstractIncomingMessage] = []

    async def keep(message: aio_pika.abc.AbstractIncomingMessage) -> None:
        messages.append(message)

    consumer_tag = await queue.consume(keep, no_ack=True)
    async with asyncio.timeout(DEADLINE):
        while len(messages) < number:
            await asyncio.sleep(0.02)
    await queue.cancel(consumer_tag)
    assert len(messages) == number
    assert {message.routing_key for message in messages} == {"mail.received.v1.backfill"}
    assert {message.type for message in messages} == {MailReceived.tag}
    return [(MailReceived.decode(str(m.headers["event"])), m.body) for m in messages]


async def waiting_captures(channel: AbstractChannel) -> list[UUID]:
    number = await count(channel, RECEIVED_BACKFILL.name)
    return [event.capture_id for event, _ in await take(channel, number)]


async def test_it_goes_to_a_queue_of_its_own(
    settings: IngestSettings, admin: AbstractChannel, tmp_path: Path
) -> None:
    await bring(settings, mbox(tmp_path, raw(1), raw(2)))
    taken = await take(admin, 2)
    assert await count(admin, RECEIVED.name) == 0
    assert [body for _, body in taken] == [raw(n).replace(b"\n", b"\r\n") for n in (1, 2)]
    assert all(event.backfill and event.door == "http" for event, _ in taken)
    assert {event.capture_address for event, _ in taken} == {ADDRESS}


@pytest.mark.parametrize(
    "tag", [tag for tag, event in EVENTS.items() if issubclass(event, CaptureEvent)]
)
async def test_who_publishes_declares_both_queues(amqp_url: str, tag: str) -> None:
    event = examples()[tag]
    assert isinstance(event, CaptureEvent)
    live, old = (
        (RECEIVED, RECEIVED_BACKFILL)
        if isinstance(event, MailReceived)
        else (OUTCOMES, OUTCOMES_BACKFILL)
    )
    async with await aio_pika.connect(amqp_url) as connection, connection.channel() as channel:
        for queue in (live, old):
            await channel.queue_delete(queue.name)
        publisher = Publisher(amqp_url, "test", uses(publishes=[type(event)]))
        task = asyncio.create_task(publisher.run())
        await publisher.publish(event)
        assert (await count(channel, live.name), await count(channel, old.name)) == (1, 0)
        await publisher.publish(event.model_copy(update={"backfill": True}))
        assert (await count(channel, live.name), await count(channel, old.name)) == (1, 1)
        publisher.stop()
        await task


async def test_brought_along_again_it_has_the_same_capture_ids_and_claims_of_its_own(
    settings: IngestSettings, admin: AbstractChannel, tmp_path: Path
) -> None:
    path = mbox(tmp_path, raw(1), raw(2, 500_000))
    await bring(settings, path)
    first = [event for event, _ in await take(admin, 2)]
    eml = tmp_path / "folder"
    eml.mkdir()
    for number, size in ((1, 10), (2, 500_000)):
        mail = raw(number, size).replace(b"\n", b"\r\n")
        (eml / f"{number}.eml").write_bytes(mail)
    await bring(settings, eml)
    again = [event for event, _ in await take(admin, 2)]
    ids = [{event.size: event.capture_id for event in events} for events in (first, again)]
    assert ids[0] == ids[1]
    claims = {event.blob_key for event in (*first, *again)} - {None}
    assert len(claims) == 2
    assert {blob.name for blob in (tmp_path / "blobs/claims").iterdir()} == {
        (claim or "").removeprefix("claims/") for claim in claims
    }


async def test_nobody_can_tell_by_its_id_which_mail_it_was() -> None:
    ring, other = KeyRing.parse(KEYS), KeyRing.parse("k1:" + "t" * 20)
    address = ring.verify(ADDRESS, DOMAIN)
    assert address is not None
    assert ring.backfill_id(address, b"mail") != other.backfill_id(address, b"mail")
    promoted = KeyRing.parse(f"{KEYS},k2:{'u' * 20}", "k2")
    assert ring.backfill_id(address, b"mail") == promoted.backfill_id(address, b"mail")
    another = ring.mint("acme", "anna", DOMAIN)
    assert ring.backfill_id(address, b"mail") != ring.backfill_id(another, b"mail")


async def test_what_cannot_be_brought_along_is_named_and_counted(
    settings: IngestSettings,
    admin: AbstractChannel,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = mbox(tmp_path, raw(1), raw(2, 1_000_000), b"\n", raw(3))
    await bring(settings, path)
    await take(admin, 2)
    told = capsys.readouterr().err
    assert "\rskipped, too large: old.mbox at byte 74\x1b[K\n" in told
    assert "\rskipped, empty: old.mbox at byte " in told
    assert "4 read: 2 sent, 1 too large, 1 empty; " in told
    assert told.endswith(SUMMARY)
    assert not path.with_name("state.json").exists()


async def test_interrupted_it_goes_on_where_it_was(
    settings: IngestSettings,
    admin: AbstractChannel,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = mbox(tmp_path, b"\n", *(raw(number, 1000) for number in range(3000)))
    stopping, first = asyncio.Event(), Backfill(settings, arguments(path))
    running = asyncio.create_task(first.run(stopping))
    while first.state.tally["sent"] < 100:
        await asyncio.sleep(0.001)
    stopping.set()
    await running
    assert not first.finished
    sent = first.state.tally["sent"]
    assert 100 <= sent < 2900
    assert "interrupted; run the same command again to continue\n" in capsys.readouterr().err
    before = await waiting_captures(admin)
    second = await bring(settings, path)
    assert second.state.tally == {"sent": 3000, "empty": 1}
    told = f"3,001 read: {3000 - sent:,} sent, {sent:,} sent before, 1 empty; "
    assert told in capsys.readouterr().err
    after = await waiting_captures(admin)
    again = len(before) + len(after) - 3000
    assert again in range(16), "what was under way may come again, and late"
    assert len({*before, *after}) == 3000


async def test_killed_it_goes_on_where_it_was(
    settings: IngestSettings, admin: AbstractChannel, tmp_path: Path, share: float
) -> None:
    mails = 4000 if share == 1 else 1500
    path = mbox(tmp_path, *(raw(number, 1000) for number in range(mails)))
    environment = {
        "PATH": os.environ["PATH"],
        "AMQP_URL": settings.amqp_url,
        "BLOB_URL": settings.blob_url,
        "CAPTURE_KEYS": KEYS,
        "TOKEN_SECRET": "t" * 40,
    }
    command = [sys.executable, "-m", "services.ingest", *arguments(path)]
    process = Process(command, log=tmp_path / "backfill.log", environment=environment, folder=ROOT)
    process.start()
    async with asyncio.timeout(DEADLINE):
        while await count(admin, RECEIVED_BACKFILL.name) < 500:
            await asyncio.sleep(0.001)
    os.kill(process.pid, signal.SIGKILL)
    assert await asyncio.to_thread(process.wait, 10) not in (None, 0)
    process.start()
    assert await asyncio.to_thread(process.wait, 60) == 0, process.tail()
    assert f"{mails:,} read: " in process.tail()
    captures = Counter(await waiting_captures(admin))
    assert len(captures) == mails
    process.kill()


async def test_while_the_broker_is_away_it_waits_and_says_so(
    private_broker: PrivateRabbitMQ,
    admin: AbstractChannel,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = mbox(tmp_path, *(raw(number) for number in range(3000)))
    backfill = Backfill(settings_for(private_broker.url, tmp_path), arguments(path))
    running = asyncio.create_task(backfill.run(asyncio.Event()))
    while backfill.state.tally["sent"] < 50:
        await asyncio.sleep(0.001)
    private_broker.freeze()
    try:
        told = ""
        async with asyncio.timeout(DEADLINE):
            while "waiting: mail is not accepted right now (" not in told:
                await asyncio.sleep(0.1)
                told += capsys.readouterr().err
    finally:
        private_broker.thaw()
    await asyncio.wait_for(running, DEADLINE)
    assert "\rcontinuing\x1b[K\n" in capsys.readouterr().err
    assert backfill.finished
    assert backfill.state.tally["sent"] == 3000


class TestMistakes:
    def test_each_is_told_in_one_line(
        self, settings: IngestSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = mbox(tmp_path, raw(1))
        with pytest.raises(Mistake, match="--recipient is not a capture address of in"):
            Backfill(settings, arguments(path, "anna@in.satchel.test"))
        with pytest.raises(Mistake, match="does not exist"):
            Backfill(settings, arguments(tmp_path / "nothing"))
        nowhere = str(tmp_path / "no" / "state")
        with pytest.raises(Mistake, match="choose another --state"):
            Backfill(settings, [*arguments(path)[:-1], nowhere])
        with pytest.raises(SystemExit, match="2"):
            Backfill(settings, arguments(path)[:2])
        assert "--recipient" in capsys.readouterr().err

    def test_the_state_of_another_backfill_is_left_alone(
        self, settings: IngestSettings, tmp_path: Path
    ) -> None:
        Backfill(settings, arguments(mbox(tmp_path, raw(1))))
        other = tmp_path / "other.mbox"
        other.write_bytes(b"")
        with pytest.raises(Mistake, match="is the state of another backfill"):
            Backfill(settings, arguments(other))
        (tmp_path / "state.json").write_text("{}")
        with pytest.raises(Mistake, match="is not a backfill state"):
            Backfill(settings, arguments(other))
