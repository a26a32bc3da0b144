"""SMTP over a real connection: what is one mail, what is too much, and what is answered."""

import asyncio
import contextlib
import time
from pathlib import Path

import pytest

from services.ingest.limits import SmtpLimits
from services.ingest.rates import Rates
from services.ingest.receive import Receiver
from shared.runtime.in_flight import InFlight
from tests.deadline import DEADLINE
from tests.smtp_server import ADDRESS, ENVELOPE, RING, Dialogue, Served, serving

MAIL = b"Subject: Hello\r\n\r\nText.\r\n"
INNER = b"MAIL FROM:<evil@x.example>\r\nRCPT TO:<%s>\r\nDATA\r\nforged\r\n" % ADDRESS.encode()
LIMITS = SmtpLimits(mail_bytes=100_000)


async def pipelined(served: Served, octets: bytes) -> list[str]:
    """Send all at once; return what was answered up to the end."""
    async with served.connect() as client:
        await client.say(octets)
        client.half_close()
        return await client.answers()


@pytest.mark.parametrize(
    "end",
    [
        *(b"\n.\n", b"\r.\r", b"\n.\r", b"\r.\n", b"\n.\r\n", b"\r.\r\n", b"\r\n.\n", b"\r\n.\r"),
        *(b"\r\n\0.\r\n", b"\r\n.\0\r\n", b"\0\r\n.\n", b"\r\n. \r\n", b"\r\n .\r\n", b"\r\r\n.\r"),
        *(b"\n\r\n.\n\r", b"\r\n.\r\r\n", b"\r\n..\r\n", b"\x85.\x85", b"\n\n.\n\n", b"\x0b.\x0b"),
        b"\xe2\x80\xa8.\xe2\x80\xa8",
    ],
)
async def test_no_mail_can_be_smuggled_within_another(end: bytes, tmp_path: Path) -> None:
    sent = MAIL + b"x" + end + INNER
    async with serving(tmp_path) as served:
        answers = await pipelined(served, ENVELOPE + b"DATA\r\n" + sent + b"\r\n.\r\nQUIT\r\n")
        assert [answer[:3] for answer in answers] == [
            "220",
            "250",
            "250",
            "250",
            "354",
            "250",
            "221",
        ]
        assert served.mails == [sent.replace(b"\r\n.", b"\r\n") + b"\r\n"]
        assert served.recorder.published[0][0].model_dump()["mail_from"] == "a@x.example"


async def test_mails_can_be_sent_ahead_with_all_that_follows(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        one = ENVELOPE + b"DATA\r\n" + MAIL + b".\r\n"
        chunks = b"BDAT 5\r\n\0\r\n.\nBDAT 4 LAST\r\n\r\n.\r"
        answers = await pipelined(served, one * 3 + ENVELOPE + chunks + b"QUIT\r\n")
        assert answers[-1].startswith("221 ")
        assert served.mails == [MAIL, MAIL, MAIL, b"\0\r\n.\n\r\n.\r"]


async def test_extensions_are_told(tmp_path: Path) -> None:
    async with serving(tmp_path, limits=LIMITS) as served, served.connect() as client:
        assert await client.answer() == "220 in.satchel.test ESMTP Satchel"
        told = (await client.ask("EHLO x")).replace("250-", "").replace("250 ", "").split("\r\n")
        assert told == [
            "in.satchel.test",
            *("SIZE 100000", "8BITMIME", "SMTPUTF8", "PIPELINING", "CHUNKING"),
            "ENHANCEDSTATUSCODES",
        ]
        mail = "MAIL FROM:<jürgen@x.example>"
        assert (await client.ask(f"{mail} SIZE=100001")).startswith("552 5.3.4 ")
        assert (await client.ask(f"{mail} SIZE=100000 BODY=8BITMIME SMTPUTF8"))[:10] == "250 2.0.0 "


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        *(("FOO", "500 5.5.2"), ("\xff\0", "500 5.5.2"), ("", "500 5.5.2")),
        *(("AUTH X", "500 5.5.2"), ("VRFY a\n", "500 5.5.2"), ("VRFY " + "x" * 1020, "500 5.5.2")),
        *(("EHLO", "501 5.5.4"), ("MAIL FROM:<", "553 5.1.3"), ("BDAT -1", "501 5.5.4")),
        *(("MAIL FROM:<a> SIZE=²", "501 5.5.4"), ("MAIL FROM:<a> BODY=X", "501 5.5.4")),
        ("MAIL FROM:<a> A=B", "555 5.5.4"),
        *(("RCPT TO:<a@b>", "503 5.5.1"), ("DATA", "503 5.5.1"), ("BDAT 0 LAST", "503 5.5.1")),
        *(("STARTTLS", "503 5.5.1"), ("VRFY a", "252 2.5.0")),
    ],
)
async def test_what_is_wrong_has_its_answer_and_quotes_nothing(
    command: str, answer: str, tmp_path: Path
) -> None:
    async with serving(tmp_path) as served, served.connect() as client:
        assert (await client.answer())[:3] == "220"
        assert (await client.ask("EHLO x"))[:3] == "250"
        told = await client.ask(command)
        assert told.startswith(f"{answer} ")
        assert "²" not in told
        assert "FOO" not in told


async def test_a_line_that_does_not_end_is_not_kept(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, served.connect() as client:
        await client.answer()
        await client.say(b"x" * 100_000)
        assert await client.answers() == ["421 4.7.0 line too long, goodbye"]


async def test_chunks_are_limited_and_what_was_sent_ahead_hears_the_same(tmp_path: Path) -> None:
    async with serving(tmp_path, limits=LIMITS, in_flight=InFlight(150_000, 150_000)) as served:
        large = b"BDAT 60000\r\n" + b"x" * 60_000
        answers = await pipelined(served, ENVELOPE + large * 3 + b"BDAT 0 LAST\r\nNOOP\r\n")
        assert [a[:9] for a in answers[-5:]] == [
            *("250 2.0.0", "552 5.3.4", "552 5.3.4", "552 5.3.4", "250 2.0.0"),
        ]
        async with served.connect() as other:
            await other.say(ENVELOPE + large)
            await asyncio.sleep(0.1)
            half = b"BDAT 50000\r\n" + b"x" * 50_000
            answers = await pipelined(served, ENVELOPE + half * 2)
            assert answers[5].startswith("451 4.3.1 ")
        answers = await pipelined(served, ENVELOPE + b"BDAT 3\r\nabcDATA\r\nBDAT 0 LAST\r\n")
        assert [a[:3] for a in answers[-3:]] == ["250", "503", "250"]
        assert served.mails == [b"abc"]


async def test_recipients_without_a_mail_use_up_no_rate(tmp_path: Path) -> None:
    async with serving(tmp_path, rates=Rates(0.001, 2)) as served:
        answers = await pipelined(served, (ENVELOPE + b"RSET\r\n") * 30)
        assert {answer[:3] for answer in answers[1:]} == {"250"}
        one = ENVELOPE + b"DATA\r\n" + MAIL + b".\r\n"
        answers = await pipelined(served, one * 3)
        assert len(served.mails) == 2
        assert [a[:9] for a in answers if a.startswith("450")] == ["450 4.7.1"]


async def test_a_mail_that_stops_makes_room_for_one_that_comes(tmp_path: Path) -> None:
    hasty = InFlight(150_000, 150_000, lambda: time.monotonic() * 1000)
    async with (
        serving(tmp_path, limits=LIMITS, in_flight=hasty) as served,
        served.connect() as stalled,
        asyncio.timeout(DEADLINE),
    ):
        await stalled.say(ENVELOPE + b"BDAT 100000\r\n" + b"x" * 90_000)
        while hasty._total < 90_000:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)  # a hundred seconds of its clock
        chunk = b"BDAT 80000 LAST\r\n" + b"x" * 80_000
        answers = await pipelined(served, ENVELOPE + chunk)
        assert answers[-1].startswith("250 2.6.0")
        assert (await stalled.answers())[-1].startswith("421 4.3.1")


async def test_too_many_commands_recipients_or_errors_are_answered_with_4xx(tmp_path: Path) -> None:
    limits = SmtpLimits(mail_bytes=1000, commands=50, errors=3, recipients=5)
    async with serving(tmp_path, limits=limits) as served:
        answers = await pipelined(served, b"NOOP\r\n" * 100)
        assert len(answers) == 52
        assert answers[-1] == "421 4.7.0 too many commands, goodbye"
        answers = await pipelined(served, b"FOO\r\n" * 100)
        assert answers[4:] == ["500 5.5.2 no such command", "421 4.7.0 too many errors, goodbye"]
        rcpt = f"RCPT TO:<{ADDRESS}>\r\n".encode()
        answers = await pipelined(served, ENVELOPE + rcpt * 8 + b"DATA\r\n" + MAIL + b".\r\n")
        assert [answer[:9] for answer in answers[-6:]] == ["452 4.5.3"] * 4 + [
            "354 End d",
            "250 2.6.0",
        ]
        one = ENVELOPE + b"DATA\r\n" + MAIL + b".\r\n"
        assert (await pipelined(served, one * 30 + b"QUIT\r\n"))[-1].startswith("221 ")


async def test_who_is_slow_is_told_so_and_hung_up_on(tmp_path: Path) -> None:
    limits = SmtpLimits(mail_bytes=1000, idle_seconds=0.3, slow_seconds=0.5, min_rate=100)
    async with serving(tmp_path, limits=limits) as served, asyncio.timeout(DEADLINE):
        answers = await asyncio.gather(
            trickle(served, b"", b"x"),  # a command of which a byte comes now and then
            trickle(served, ENVELOPE + b"DATA\r\n", b"x"),
            trickle(served, ENVELOPE + b"BDAT 1000\r\n", b"x"),
            trickle(served, b"", b""),
        )
        assert [a[-1][:9] for a in answers] == ["421 4.4.2"] * 4


async def test_who_is_fast_enough_is_left_alone(tmp_path: Path) -> None:
    limits = SmtpLimits(mail_bytes=1_000_000, idle_seconds=60, slow_seconds=0.5, min_rate=100)
    async with serving(tmp_path, limits=limits) as served:
        with pytest.raises(TimeoutError):  # at forty times the rate that is asked for
            async with asyncio.timeout(1.5):
                await trickle(served, ENVELOPE + b"DATA\r\n", b"x" * 200)


async def trickle(served: Served, begin: bytes, octets: bytes) -> list[str]:
    """Say octets again and again until the connection ends; return the answers."""
    async with served.connect() as client:
        await client.say(begin)
        listening = asyncio.create_task(client.answers())
        try:
            while not listening.done():
                await client.say(octets)
                await asyncio.sleep(0.05)
            return await listening
        finally:
            listening.cancel()


async def test_a_session_ends_some_time(tmp_path: Path) -> None:
    limits = SmtpLimits(mail_bytes=1000, session_seconds=0.3)
    async with serving(tmp_path, limits=limits) as served, served.connect() as client:
        await client.answer()
        while (answer := await client.ask("NOOP")).startswith("250"):
            await asyncio.sleep(0.01)
        assert answer.startswith("421 4.4.2 ")


async def test_one_address_has_so_many_connections_and_strangers_make_room(tmp_path: Path) -> None:
    limits = SmtpLimits(mail_bytes=1000, connections=5, connections_per_address=2)
    async with serving(tmp_path, limits=limits) as served, contextlib.AsyncExitStack() as clients:

        async def arrive(source: str) -> tuple[Dialogue, str]:
            client = await clients.enter_async_context(served.connect(source))
            return client, await client.answer()

        first, _ = await arrive("127.0.0.2")
        await first.ask("EHLO x")
        await first.ask("MAIL FROM:<>")
        assert (await first.ask(f"RCPT TO:<{ADDRESS}>"))[:3] == "250"
        second, greeting = await arrive("127.0.0.2")
        assert greeting.startswith("220 ")
        _, greeting = await arrive("127.0.0.2")
        assert greeting == "421 4.7.0 too many connections from your address"
        for n in range(3, 6):
            assert (await arrive(f"127.0.0.{n}"))[1].startswith("220 ")
        last, greeting = await arrive("127.0.0.6")
        assert greeting.startswith("220 ")
        assert (await second.answer()).startswith("421 4.3.2 "), "it named nobody, and came first"
        assert (await first.ask("NOOP")).startswith("250 "), "it has mail for us"
        for client in (first, last):
            assert (await client.ask("QUIT")).startswith("221 ")
        await asyncio.sleep(0.05)
        assert len(served.admission.limiter) == 3


async def test_a_newcomer_names_its_recipient_while_idle_sessions_have_all_places(
    tmp_path: Path,
) -> None:
    accounts = [RING.mint(name, "u", "in.satchel.test").address for name in "abcdefg"]
    limits = SmtpLimits(mail_bytes=1000, connections=4)
    async with serving(tmp_path, limits=limits) as served, contextlib.AsyncExitStack() as clients:

        async def arrive(source: str) -> Dialogue:
            client = await clients.enter_async_context(served.connect(source))
            assert (await client.answer())[:3] == "220"
            return client

        async def name(client: Dialogue, account: str) -> str:
            await client.ask("EHLO x")
            await client.ask("MAIL FROM:<>")
            return (await client.ask(f"RCPT TO:<{account}>"))[:3]

        idle = [await arrive(f"127.0.{n}.1") for n in range(1, 5)]
        for client, account in zip(idle, accounts[:4], strict=True):
            assert await name(client, account) == "250"
        served.admission.limiter._clock = lambda: time.monotonic() + 11
        newcomers = [await arrive(f"127.0.{n}.1") for n in (5, 6, 7)]
        for client, account in zip(newcomers, accounts[4:], strict=True):
            assert await name(client, account) == "250"
        evicted = [await client.answer() for client in idle[:3]]
        assert [answer[:9] for answer in evicted] == ["421 4.3.2"] * 3
        assert (await idle[3].ask("NOOP"))[:3] == "250"


async def test_a_flood_for_one_account_is_deferred_and_others_are_taken(tmp_path: Path) -> None:
    other = RING.mint("globex", "otto", "in.satchel.test").address
    rates = Rates(0.1, 3)
    async with serving(tmp_path, rates=rates) as served:
        one = ENVELOPE + f"RCPT TO:<{other}>\r\nDATA\r\n".encode() + MAIL + b".\r\n"
        answers = await pipelined(served, one * 3 + ENVELOPE + f"RCPT TO:<{other}>\r\n".encode())
        assert [a[:3] for a in answers].count("250") == 3 * 5 + 2
        assert [a[:9] for a in answers[-2:]] == ["450 4.7.1"] * 2
        third = RING.mint("initech", "ida", "in.satchel.test").address
        mixed = ENVELOPE + f"RCPT TO:<{third}>\r\nDATA\r\n".encode() + MAIL + b".\r\n"
        answers = await pipelined(served, mixed)
        assert [a[:3] for a in answers[-4:]] == ["450", "250", "354", "250"]
        assert len(served.mails) == 7


async def test_our_own_fault_is_451_or_421_and_tells_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise ValueError("secret")

    async with serving(tmp_path) as served:
        with monkeypatch.context() as broken:
            broken.setattr(Receiver, "receive", fail)
            one = ENVELOPE + b"DATA\r\n" + MAIL + b".\r\n"
            answers = await pipelined(served, one + b"QUIT\r\n")
            assert [answer[:3] for answer in answers[-2:]] == ["451", "221"]
            assert "secret" not in str(answers)
        with monkeypatch.context() as broken:
            broken.setattr(served.admission.limiter, "names", lambda *_: [][0])
            answers = await pipelined(served, ENVELOPE)
            assert answers[-1] == "421 4.3.0 internal error, try again later"
        assert (await pipelined(served, one + b"QUIT\r\n"))[-1][:3] == "221"


async def test_who_never_reads_cannot_keep_the_service_from_stopping(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, served.connect() as client:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                while True:
                    await client.say(b"EHLO x\r\n" * 100)
        served.server.stop()
        async with asyncio.timeout(DEADLINE):
            while served.server.listening or len(served.admission.limiter):
                await asyncio.sleep(0.01)
