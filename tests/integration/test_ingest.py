"""ingest against a real broker and a real SMTP client: what it answers, and when."""

import asyncio
import contextlib
import smtplib
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aio_pika
import pytest

from dev.rabbitmq import PrivateRabbitMQ
from services.ingest.receive import NotAccepted, Receiver
from shared.broker import Publisher
from shared.contracts.capture_address import KeyRing
from shared.contracts.events import MAX_EVENT_BYTES, MailReceived
from shared.contracts.topology import MAIL_EXCHANGE, RECEIVED, uses
from shared.runtime.in_flight import InFlight
from shared.storage.blobs import Blobs
from tests.deadline import DEADLINE
from tests.marks import in_full
from tests.smtp_server import ADDRESS, DOMAIN, RING, serving

MAIL = b"From: a@x.example\r\nTo: b@y.example\r\nSubject: Hello\r\n\r\n.Hello.\r\n"


@pytest.fixture
async def ingest(amqp_url: str, tmp_path: Path) -> AsyncIterator[int]:
    """The SMTP door on a port of its own; the queue is empty."""
    publisher = Publisher(amqp_url, "test", uses(publishes=[MailReceived]), deadline=2.0)
    running = asyncio.create_task(publisher.run())
    in_flight = InFlight(3_000_000, 3_000_000)
    async with serving(tmp_path, publisher=publisher, in_flight=in_flight) as served:
        async with asyncio.timeout(DEADLINE):
            while not publisher.ready:
                await asyncio.sleep(0.02)
        async with await aio_pika.connect(amqp_url) as connection, connection.channel() as channel:
            await (await channel.get_queue(RECEIVED.name, ensure=False)).purge()
        yield served.port
    publisher.stop()
    await running


async def send(port: int, *recipients: str, mail: bytes = MAIL) -> tuple[int, bytes]:
    """Send as a mail server does; return the answer to DATA, or the first refusal."""

    def transact() -> tuple[int, bytes]:
        with smtplib.SMTP("127.0.0.1", port, timeout=DEADLINE, local_hostname="x.test") as session:
            session.command_encoding = "utf-8"
            session.ehlo()
            session.docmd("MAIL FROM:<a@x.example>")
            for recipient in recipients:
                code, answer = session.docmd(f"RCPT TO:<{recipient}>")
                if code != 250:
                    return code, answer
            return session.data(mail)

    return await asyncio.to_thread(transact)


@contextlib.asynccontextmanager
async def queue(amqp_url: str) -> AsyncIterator[aio_pika.abc.AbstractQueue]:
    async with await aio_pika.connect(amqp_url) as connection, connection.channel() as channel:
        yield await channel.get_queue(RECEIVED.name, ensure=False)


async def next_event(amqp_url: str) -> tuple[MailReceived, bytes]:
    async with queue(amqp_url) as received, asyncio.timeout(DEADLINE):
        while (message := await received.get(fail=False)) is None:
            await asyncio.sleep(0.02)
        await message.ack()
        return MailReceived.decode(str(message.headers["event"])), message.body


async def test_a_mail_is_ours_once_it_is_answered(ingest: int, amqp_url: str) -> None:
    code, answer = await send(ingest, ADDRESS.upper())
    assert code == 250
    event, body = await next_event(amqp_url)
    assert body == MAIL
    assert answer.decode().endswith(str(event.capture_id))
    assert event.capture_id.version == 7
    assert (event.capture_address, event.door, event.size) == (ADDRESS, "smtp", len(MAIL))
    assert event.mail_from == "a@x.example"


async def test_one_event_per_capture_address(ingest: int, amqp_url: str) -> None:
    other = RING.mint("globex", "otto", DOMAIN).address
    assert (await send(ingest, ADDRESS, other, ADDRESS))[0] == 250
    events = [(await next_event(amqp_url))[0] for _ in range(2)]
    assert {event.capture_address for event in events} == {ADDRESS, other}
    assert len({event.capture_id for event in events}) == 2
    async with queue(amqp_url) as received:
        assert await received.get(fail=False) is None


async def test_a_large_mail_travels_by_claim_check(
    ingest: int, amqp_url: str, tmp_path: Path
) -> None:
    mail = MAIL + b"x" * 70 + b"\r\n" + b"y" * 1_000_000 + b"\r\n"
    assert (await send(ingest, ADDRESS, mail=mail))[0] == 250
    event, body = await next_event(amqp_url)
    assert body == b""
    assert event.blob_key == f"claims/{event.capture_id}"
    assert (tmp_path / "blobs" / event.blob_key).read_bytes() == mail


@pytest.mark.parametrize(
    "recipient",
    [
        "nobody@in.satchel.test",
        ADDRESS.replace("@", "x@"),
        ADDRESS.replace(DOMAIN, "elsewhere.test"),
        KeyRing.parse("k1:" + "t" * 20).mint("acme", "anna", DOMAIN).address,
        "ünïcode@in.satchel.test",
    ],
    ids=["no key", "changed key", "other domain", "key of another ring", "no ASCII"],
)
async def test_a_made_up_address_is_refused_for_good(ingest: int, recipient: str) -> None:
    code, _ = await send(ingest, recipient)
    assert 500 <= code < 600


async def test_too_many_recipients_are_asked_to_come_again(ingest: int) -> None:
    addresses = [RING.mint("acme", "anna", DOMAIN).address for _ in range(101)]
    code, _ = await send(ingest, *addresses)
    assert code == 452


async def test_a_mail_over_the_limit_is_refused_for_good(ingest: int) -> None:
    code, _ = await send(ingest, ADDRESS, mail=b"x" * 3_000_000)
    assert code == 552


async def test_too_much_mail_at_a_time_is_asked_to_come_again(ingest: int) -> None:
    mail = MAIL + b"x" * 1_900_000

    def half_a_mail() -> smtplib.SMTP:
        session = smtplib.SMTP("127.0.0.1", ingest, timeout=DEADLINE, local_hostname="x.test")
        session.ehlo()
        for command in ("MAIL FROM:<>", f"RCPT TO:<{ADDRESS}>", "DATA"):
            session.docmd(command)
        session.send(mail)
        return session

    held = await asyncio.to_thread(half_a_mail)
    await asyncio.sleep(0.2)
    assert (await send(ingest, ADDRESS, mail=mail))[0] == 451
    assert (await send(ingest, ADDRESS))[0] == 250, "there is room for a small one"
    held.send(b"\r\n.\r\n")
    assert (await asyncio.to_thread(held.getreply))[0] == 250
    assert (await send(ingest, ADDRESS, mail=mail))[0] == 250
    held.close()


async def test_a_bounce_has_no_sender(ingest: int, amqp_url: str) -> None:
    def bounce() -> None:
        with smtplib.SMTP(
            "127.0.0.1", ingest, timeout=DEADLINE, local_hostname="x.test"
        ) as session:
            session.sendmail("", [ADDRESS], MAIL)

    await asyncio.to_thread(bounce)
    assert (await next_event(amqp_url))[0].mail_from is None


async def test_commands_can_follow_a_mail_in_one_packet(ingest: int, amqp_url: str) -> None:
    def pipeline() -> bytes:
        with socket.create_connection(("127.0.0.1", ingest), timeout=DEADLINE) as connection:
            commands = f"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<{ADDRESS}>\r\nDATA\r\n".encode()
            connection.sendall(commands + MAIL.replace(b"\r\n.", b"\r\n..") + b".\r\nQUIT\r\n")
            answers = b""
            while piece := connection.recv(4096):
                answers += piece
            return answers

    answers = await asyncio.to_thread(pipeline)
    assert b"\r\n221 " in answers
    assert (await next_event(amqp_url))[1] == MAIL


@pytest.mark.parametrize(
    "command",
    [
        "MAIL FROM:<",
        "MAIL FROM:<a@[1>",
        "MAIL FROM:<a@x.example> SIZE=²",
        "MAIL FROM:<a@x.example> SIZE=x",
        "RCPT TO:<",
        "RCPT TO:<a@[1>",
    ],
)
async def test_broken_syntax_is_refused_for_good(ingest: int, command: str) -> None:
    def transact() -> int:
        with smtplib.SMTP(
            "127.0.0.1", ingest, timeout=DEADLINE, local_hostname="x.test"
        ) as session:
            session.command_encoding = "utf-8"
            session.ehlo()
            if command.startswith("RCPT"):
                session.docmd("MAIL FROM:<>")
            return session.docmd(command)[0]

    assert 500 <= await asyncio.to_thread(transact) < 600


Break = Callable[[PrivateRabbitMQ, aio_pika.abc.AbstractChannel], Any]


async def _unbind(_: PrivateRabbitMQ, channel: aio_pika.abc.AbstractChannel) -> None:
    received = await channel.get_queue(RECEIVED.name, ensure=False)
    await received.unbind(MAIL_EXCHANGE, MailReceived.tag)


async def _freeze(broker: PrivateRabbitMQ, _: aio_pika.abc.AbstractChannel) -> None:
    broker.freeze()


async def _alarm(broker: PrivateRabbitMQ, _: aio_pika.abc.AbstractChannel) -> None:
    await asyncio.to_thread(broker.ctl, "set_vm_memory_high_watermark", "0.00001")


@pytest.mark.parametrize("break_it", [_unbind, _freeze, *in_full(_alarm)])
async def test_what_the_broker_does_not_confirm_is_answered_with_451_and_taken_later(
    ingest: int, private_broker: PrivateRabbitMQ, break_it: Break
) -> None:
    async with (
        await aio_pika.connect(private_broker.url) as connection,
        connection.channel() as channel,
    ):
        try:
            await break_it(private_broker, channel)
            code, _ = await send(ingest, ADDRESS)
            async with asyncio.timeout(DEADLINE):
                # The broker looks at its memory now and then, and blocks at the next publish.
                while break_it is _alarm and code == 250:
                    code, _ = await send(ingest, ADDRESS)
        finally:
            private_broker.thaw()
            await asyncio.to_thread(private_broker.ctl, "set_vm_memory_high_watermark", "0.4")
    assert code == 451
    async with asyncio.timeout(DEADLINE):
        while (await send(ingest, ADDRESS))[0] != 250:
            await asyncio.sleep(0.2)


async def test_an_event_too_large_for_a_frame_is_answered_with_451(
    amqp_url: str, tmp_path: Path
) -> None:
    publisher = Publisher(amqp_url, "test", uses(publishes=[MailReceived]))
    receiver = Receiver(publisher, Blobs(f"file://{tmp_path}/blobs"))
    recipient = RING.verify(ADDRESS, DOMAIN)
    assert recipient is not None
    with pytest.raises(NotAccepted):
        await receiver.receive(MAIL, [recipient], mail_from="a" * MAX_EVENT_BYTES, door="smtp")


async def test_a_claim_goes_when_its_publish_definitely_failed(tmp_path: Path) -> None:
    publisher = Publisher("amqp://127.0.0.1:1/", "test", uses(publishes=[MailReceived]))
    receiver = Receiver(publisher, Blobs(f"file://{tmp_path}/blobs"))
    recipient = RING.verify(ADDRESS, DOMAIN)
    assert recipient is not None
    with pytest.raises(NotAccepted):
        await receiver.receive(b"x" * 300_000, [recipient], mail_from=None, door="smtp")
    assert list((tmp_path / "blobs" / "claims").iterdir()) == []


async def test_a_full_blob_folder_is_answered_with_451(ingest: int, tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir(exist_ok=True)
    (tmp_path / "blobs" / "claims").write_text("in the way of the folder")
    assert (await send(ingest, ADDRESS, mail=MAIL + b"x" * 300_000))[0] == 451
    assert (await send(ingest, ADDRESS))[0] == 250
