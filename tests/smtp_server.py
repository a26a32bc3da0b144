"""ingest's SMTP server without a broker, and a client that says exactly what a test wants said."""

import asyncio
import contextlib
import ssl
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

from dev.ports import free_port
from services.ingest.limits import SmtpLimits
from services.ingest.rates import Rates, SharedRates
from services.ingest.receive import Receiver
from services.ingest.smtp.admission import Admission
from services.ingest.smtp.server import SmtpServer
from shared.broker import Publisher
from shared.contracts.capture_address import KeyRing
from shared.runtime.in_flight import InFlight
from shared.storage.blobs import Blobs
from tests.deadline import DEADLINE
from tests.fakes import Recorder, RecordingPublisher

RING, DOMAIN = KeyRing.parse("k1:" + "s" * 20), "in.satchel.test"
ADDRESS = RING.mint("acme", "anna", DOMAIN).address
ENVELOPE = f"EHLO x\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<{ADDRESS}>\r\n".encode()


@dataclass
class Served:
    """A server that listens."""

    port: int
    admission: Admission
    recorder: Recorder
    server: SmtpServer

    @property
    def mails(self) -> list[bytes]:
        """What was accepted."""
        return [body for _, body in self.recorder.published]

    def connect(self, source: str | None = None) -> "Dialogue":
        return Dialogue(self.port, source)


@contextlib.asynccontextmanager
async def serving(
    folder: Path,
    *,
    publisher: Publisher | None = None,
    in_flight: InFlight | None = None,
    rates: Rates | None = None,
    limits: SmtpLimits | None = None,
    port: int | None = None,
    **options: Any,
) -> AsyncIterator[Served]:
    """Serve on a port of its own; what is not given limits no test."""
    recorder = Recorder()
    limits = limits or SmtpLimits(mail_bytes=2_000_000)
    admission = Admission(
        Receiver(publisher or RecordingPublisher(recorder), Blobs(f"file://{folder}/blobs")),
        partial(RING.verify, domain=DOMAIN),
        limits,
        in_flight or InFlight(3 * limits.mail_bytes // 2, 3 * limits.mail_bytes // 2),
        SharedRates(rates or Rates(0, 1)),
        **options,
    )
    port = port or free_port()
    server = SmtpServer(admission, host="127.0.0.1", port=port, name=DOMAIN)
    running = asyncio.create_task(server.run())
    while not server.listening:
        await asyncio.sleep(0.005)
    try:
        yield Served(port, admission, recorder, server)
    finally:
        server.stop()
        await running


class Dialogue:
    """A connection to the server."""

    def __init__(self, port: int, source: str | None = None) -> None:
        self._port, self._source = port, source

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(
            "127.0.0.1",
            self._port,
            local_addr=(self._source, 0) if self._source else None,
            limit=2**24,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def say(self, octets: bytes) -> None:
        self._writer.write(octets)
        with contextlib.suppress(ConnectionError):
            await self._writer.drain()

    async def ask(self, command: str) -> str:
        """Send a command; return its answer."""
        await self.say(command.encode() + b"\r\n")
        return await self.answer()

    async def answer(self) -> str:
        """Return the next answer, all its lines; empty when the connection has ended."""
        lines = []
        async with asyncio.timeout(DEADLINE):
            while True:
                try:
                    line = (await self._reader.readline()).decode()
                except ConnectionError:
                    return ""
                lines.append(line)
                if line[3:4] != "-":
                    return "".join(lines).rstrip("\r\n")

    async def answers(self) -> list[str]:
        """Return all answers until the connection ends."""
        found = []
        while answer := await self.answer():
            found.append(answer)
        return found

    def half_close(self) -> None:
        self._writer.write_eof()

    async def secure(self) -> None:
        """Shake hands."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        await self._writer.start_tls(context)

    @property
    def certificate(self) -> bytes:
        """What the server showed, in DER."""
        shown = self._writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return bytes(shown)


def make_certificate(
    folder: Path, name: str = "in.satchel.test", days: int = 2
) -> tuple[Path, Path]:
    """Write a certificate and its key."""
    cert_file, key_file = folder / "tls.crt", folder / "tls.key"
    kind = [
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        str(days),
    ]
    told: list[str | Path] = ["-subj", f"/CN={name}", "-keyout", key_file, "-out", cert_file]
    subprocess.run(["openssl", "req", *kind, *told], check=True, capture_output=True)
    return cert_file, key_file
