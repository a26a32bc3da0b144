"""STARTTLS: what came in plaintext is forgotten, and certificates are renewed under way."""

import asyncio
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import uvloop
from cryptography import x509
from prometheus_client import REGISTRY

from services.ingest.smtp.certificate import Certificate
from tests.deadline import DEADLINE
from tests.smtp_server import ADDRESS, DOMAIN, ENVELOPE, make_certificate, serving

Loop = Callable[[], asyncio.AbstractEventLoop]


def on(loop: Loop, body: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await body()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(main())


@pytest.mark.parametrize("loop", [uvloop.new_event_loop, asyncio.new_event_loop])
@pytest.mark.parametrize("ahead", [b"", b"NOOP\r\n" * 2000])
def test_what_was_sent_in_plaintext_counts_no_more(
    loop: Loop, ahead: bytes, tmp_path: Path
) -> None:
    certificate = Certificate(*make_certificate(tmp_path))

    async def body() -> None:
        async with (
            serving(tmp_path, certificate=certificate) as served,
            served.connect() as client,
        ):
            await client.answer()
            assert "250-STARTTLS" in await client.ask("EHLO x")
            await client.ask("MAIL FROM:<a@x.example>")
            await client.say(b"STARTTLS\r\n" + ENVELOPE[:8] + b"MAIL FROM:<>\r\nFOO\r\n" + ahead)
            assert (await client.answer())[:4] == "220 "
            await client.secure()
            assert (await client.ask("MAIL FROM:<>")).startswith("503 "), "who is it?"
            assert "STARTTLS" not in await client.ask("EHLO x")
            assert (await client.ask("STARTTLS"))[:4] == "503 "
            assert (await client.ask(f"RCPT TO:<{ADDRESS}>"))[:4] == "503 "
            for command in ("MAIL FROM:<>", f"RCPT TO:<{ADDRESS}>"):
                assert (await client.ask(command))[:4] == "250 "
            assert (await client.ask("DATA"))[:4] == "354 "
            large = b"x" * 300_000 + b"\r\n"
            await client.say(large + b".\r\nQUIT\r\n")
            assert [answer[:4] for answer in await client.answers()] == ["250 ", "221 "]
            blobs = [file.read_bytes() for file in (tmp_path / "blobs" / "claims").iterdir()]
            assert blobs == [large]

    on(loop, body)


def test_what_was_sent_ahead_with_a_mail_counts_no_more(tmp_path: Path) -> None:
    certificate = Certificate(*make_certificate(tmp_path))

    async def body() -> None:
        async with (
            serving(tmp_path, certificate=certificate) as served,
            served.connect() as client,
        ):
            mail = ENVELOPE + b"DATA\r\nmail\r\n.\r\n"
            await client.say(mail + b"STARTTLS\r\n" + ENVELOPE)
            codes = " ".join([(await client.answer())[:3] for _ in range(7)])
            assert codes == "220 250 250 250 354 250 220"
            await client.secure()
            assert (await client.ask("RCPT TO:<a@x.example>")).startswith("503 ")
            assert (await client.ask("NOOP")).startswith("250 ")

    on(uvloop.new_event_loop, body)


def test_mail_can_be_taken_over_tls_alone(tmp_path: Path) -> None:
    certificate = Certificate(*make_certificate(tmp_path))

    async def body() -> None:
        async with (
            serving(tmp_path, certificate=certificate, require_tls=True) as served,
            served.connect() as client,
        ):
            await client.answer()
            await client.ask("EHLO x")
            assert (await client.ask("MAIL FROM:<>")).startswith("530 5.7.0 ")
            await client.ask("STARTTLS")
            await client.secure()
            await client.ask("EHLO x")
            assert (await client.ask("MAIL FROM:<>")).startswith("250 ")

    on(uvloop.new_event_loop, body)


@pytest.mark.parametrize("ahead", [b"", b"NOOP\r\n" * 20_000])
@pytest.mark.parametrize("plain", [b"", b"NOOP\r\n" * 20_000])
@pytest.mark.parametrize("loop", [uvloop.new_event_loop, asyncio.new_event_loop])
def test_who_speaks_no_tls_leaves_nothing_behind(
    loop: Loop, ahead: bytes, plain: bytes, tmp_path: Path
) -> None:
    certificate = Certificate(*make_certificate(tmp_path))

    async def body() -> None:
        async with serving(tmp_path, certificate=certificate) as served:
            async with served.connect() as client:
                await client.answer()
                await client.say(b"NOOP\r\nSTARTTLS\r\n" + ahead)
                assert (await client.answer(), (await client.answer())[:4]) == (
                    "250 2.0.0 OK",
                    "220 ",
                )
                await client.say(plain or b"EHLO x\r\n")
                assert not [answer for answer in await client.answers() if answer[:3] == "250"]
            async with asyncio.timeout(DEADLINE):
                while len(served.admission.limiter):
                    await asyncio.sleep(0.01)

    on(loop, body)


def test_a_renewed_certificate_is_shown_and_a_broken_one_is_not(tmp_path: Path) -> None:
    files = make_certificate(tmp_path)
    certificate = Certificate(*files)

    async def shown() -> bytes:
        async with serving(tmp_path, certificate=certificate) as served, served.connect() as client:
            await client.answer()
            await client.ask("STARTTLS")
            await client.secure()
            return client.certificate

    async def body() -> None:
        first = await shown()
        make_certificate(tmp_path)
        second = await shown()
        assert first != second
        files[0].write_text("no certificate")
        assert await shown() == second
        files[1].unlink()
        assert await shown() == second

    on(uvloop.new_event_loop, body)


def test_when_it_expires_is_told_without_any_handshake(tmp_path: Path) -> None:
    def told() -> float:
        value = REGISTRY.get_sample_value("satchel_certificate_expires_timestamp_seconds")
        assert value is not None
        return value

    def written() -> float:
        certificate = x509.load_pem_x509_certificate(files[0].read_bytes())
        return certificate.not_valid_after_utc.timestamp()

    files = make_certificate(tmp_path)
    certificate = Certificate(*files)
    first = written()
    assert told() == first
    make_certificate(tmp_path, days=9)
    renewed = written()
    assert told() == renewed > first
    files[0].write_text("no certificate")
    assert told() == certificate.expires == renewed


def test_old_tls_is_refused(tmp_path: Path) -> None:
    context = Certificate(*make_certificate(tmp_path)).context
    assert context.minimum_version.name == "TLSv1_2"


def test_an_unusable_certificate_is_one_line(tmp_path: Path) -> None:
    cert_file, key_file = make_certificate(tmp_path)
    with pytest.raises(ValueError, match=r"^.*missing: No such file or directory$"):
        Certificate(cert_file, tmp_path / "missing")
    with pytest.raises(ValueError, match=r"are not a certificate and its key"):
        Certificate(key_file, cert_file)
    subprocess.run(
        ["openssl", "ec", "-aes256", "-passout", "pass:x", "-in", key_file, "-out", key_file],
        check=True,
        capture_output=True,
    )
    with pytest.raises(ValueError, match=r"without a password"):
        Certificate(cert_file, key_file)
    assert DOMAIN in str(subprocess.check_output(["openssl", "x509", "-subject", "-in", cert_file]))
