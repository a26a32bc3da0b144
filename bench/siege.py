"""`make bench ARGS="siege"`: all at once that a hostile sender can do, and one normal sender.

* 300 MB without a line end, in a mail and as a command; 5,000 recipients; 3,000 commands.
* 1,000 connections that send a byte a second, from 1,000 addresses, in the middle of a command or
  of a mail; and as many more from one address.
* Meanwhile a sender delivers a mail now and then, over a new connection each.

Told are the answers, the most memory that ingest had, and how long the sender waited for its 250.
"""

import argparse
import asyncio
import contextlib
import resource
import smtplib
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from dev.client import Client
from dev.stack import Stack, own_databases
from dev.terminal import say

_PIECE = b"x" * 1024 * 1024
_PATIENCE = 120


@dataclass(frozen=True, slots=True)
class Size:
    """How much of each."""

    megabytes: int = 300
    recipients: int = 5000
    commands: int = 3000
    connections: int = 1000
    seconds: float = 30.0
    """For which the slow connections go on."""


@dataclass
class Findings:
    """What the attackers were told, and what became of the others."""

    answers: dict[str, Counter[str]] = field(default_factory=dict)
    """By attack: the codes of the answers, `none` where a connection ended without one."""
    waits: list[float] = field(default_factory=list)
    """Of the normal sender, from connecting to 250, in seconds."""
    unserved: list[str] = field(default_factory=list)
    """What it was told instead."""


class Attacker:
    """One connection that means ill."""

    def __init__(self, port: int, source: str = "127.0.0.9") -> None:
        self._port, self._source = port, source

    async def __aenter__(self) -> "Attacker":
        self._reader, self._writer = await asyncio.open_connection(
            "127.0.0.1", self._port, local_addr=(self._source, 0)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def say(self, octets: bytes) -> bool:
        """Return whether they could be sent."""
        with contextlib.suppress(ConnectionError):
            if not self._writer.is_closing():
                self._writer.write(octets)
                await self._writer.drain()
                return True
        return False

    async def codes(self, until: bytes = b"") -> list[str]:
        """Return the codes of the answers, until one begins so or the connection ends."""
        codes = []
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                while line := await self._reader.readline():
                    if line[3:4] != b"-":
                        codes.append(line[:3].decode())
                        if until and line.startswith(until):
                            return codes
        return codes


async def _long_mail(port: int, capture: str, size: Size) -> Counter[str]:
    async with Attacker(port) as attacker:
        envelope = f"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<{capture}>\r\nDATA\r\n"
        await attacker.say(envelope.encode())
        await attacker.codes(until=b"354")
        for _ in range(size.megabytes):
            if not await attacker.say(_PIECE):
                break
        await attacker.say(b"\r\n.\r\nQUIT\r\n")
        return Counter(await attacker.codes())


async def _long_command(port: int, _: str, size: Size) -> Counter[str]:
    async with Attacker(port) as attacker:
        listening = asyncio.create_task(attacker.codes())
        for __ in range(size.megabytes):
            if not await attacker.say(_PIECE):
                break
        return Counter(await listening)


async def _many_recipients(port: int, capture: str, size: Size) -> Counter[str]:
    async with Attacker(port) as attacker:
        listening = asyncio.create_task(attacker.codes())
        await attacker.say(b"EHLO x\r\nMAIL FROM:<>\r\n")
        for __ in range(size.recipients):
            if not await attacker.say(f"RCPT TO:<{capture}>\r\n".encode()):
                break
        return Counter(await listening)


async def _many_commands(port: int, _: str, size: Size) -> Counter[str]:
    async with Attacker(port) as attacker:
        listening = asyncio.create_task(attacker.codes())
        for __ in range(size.commands):
            if not await attacker.say(b"NOOP\r\n"):
                break
        return Counter(await listening)


async def _slow(port: int, begin: bytes, sources: Sequence[str], seconds: float) -> Counter[str]:
    told: Counter[str] = Counter()
    await asyncio.sleep(1)  # until the others are at it
    until = time.monotonic() + seconds

    async def trickle(source: str) -> None:
        try:
            async with Attacker(port, source) as attacker:
                listening = asyncio.create_task(attacker.codes())
                await attacker.say(begin)
                while time.monotonic() < until and not listening.done():
                    await attacker.say(b"x")
                    await asyncio.sleep(1)
                if listening.done():
                    told[(listening.result() or ["none"])[-1]] += 1
                else:
                    told["still there"] += 1
                    listening.cancel()
        except OSError:
            told["none"] += 1

    await asyncio.gather(*(trickle(source) for source in sources))
    return told


def _deliver(port: int, capture: str, number: int) -> tuple[int, bytes]:
    raw = (
        "From: recruiter@agency.example\r\nTo: candidate@mail.example\r\n"
        f"Message-ID: <siege-{time.time_ns()}-{number}@agency.example>\r\n\r\nText.\r\n"
    )
    with smtplib.SMTP("127.0.0.1", port, "sender.test", timeout=_PATIENCE) as session:
        session.ehlo()
        session.docmd("MAIL FROM:<recruiter@agency.example>")
        code, answer = session.docmd(f"RCPT TO:<{capture}>")
        return session.data(raw) if code == 250 else (code, answer)


async def besiege(port: int, capture: str, size: Size) -> Findings:
    """Attack, and deliver meanwhile; return when all is over."""
    findings, over = Findings(), asyncio.Event()

    async def deliver() -> None:
        number = 0
        while not over.is_set():
            number, started = number + 1, time.monotonic()
            try:
                code, answer = await asyncio.to_thread(_deliver, port, capture, number)
                told = f"{code} {answer.decode()}"
            except (OSError, smtplib.SMTPException) as error:
                told = repr(error)
            if told.startswith("250"):
                findings.waits.append(time.monotonic() - started)
            else:
                findings.unserved.append(told)
            await asyncio.sleep(0.1)

    many = [f"127.1.{n // 250}.{n % 250 + 1}" for n in range(size.connections)]
    one = ["127.2.0.1"] * size.connections
    envelope = f"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<{capture}>\r\nDATA\r\n".encode()
    in_mails = size.connections // 10
    attacks = {
        f"{size.megabytes} MB in a mail": _long_mail(port, capture, size),
        f"{size.megabytes} MB as a command": _long_command(port, capture, size),
        f"{size.recipients:,} recipients": _many_recipients(port, capture, size),
        f"{size.commands:,} commands": _many_commands(port, capture, size),
        "a byte a second, in a command": _slow(port, b"", many[in_mails:], size.seconds),
        "a byte a second, in a mail": _slow(port, envelope, many[:in_mails], size.seconds),
        "as many from one address": _slow(port, b"", one, size.seconds),
    }
    delivering = asyncio.create_task(deliver())
    told = await asyncio.gather(*attacks.values())
    findings.answers = dict(zip(attacks, told, strict=True))
    over.set()
    await delivering
    return findings


def peak(pid: int) -> float:
    """Return the most memory that a process has had, in MiB (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.split("\n") if "VmHWM" in line) / 1024


def table(findings: Findings, before: float, after: float) -> Table:
    """Return the findings as a table."""
    shown = Table(title="Besieged", title_justify="left", show_header=False)
    for attack, answers in findings.answers.items():
        told = ", ".join(f"{code} x {count:,}" for code, count in sorted(answers.items()))
        shown.add_row(attack, told)
    waits = sorted(findings.waits)
    shown.add_row("peak memory of ingest", f"{before:.0f} MiB before, {after:.0f} MiB")
    shown.add_row("normal sender", f"{len(waits)} mails taken, {len(findings.unserved)} not")
    if waits:
        half, most = waits[len(waits) // 2] * 1000, waits[-1] * 1000
        shown.add_row("connecting to 250, p50 and most", f"{half:,.0f} ms, {most:,.0f} ms")
    return shown


def main(arguments: Sequence[str]) -> int:
    """Measure and print; 1 when the promise is broken."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    for name, value in Size.__dataclass_fields__.items():
        parser.add_argument(f"--{name}", type=type(value.default), default=value.default)
    size = Size(**vars(parser.parse_args(arguments)))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with (
        tempfile.TemporaryDirectory(prefix="satchel-bench-") as folder,
        Stack(Path(folder), environment=own_databases(), say=say) as stack,
    ):
        client = Client(stack.endpoints, stack.token_secret, account="bench", person="u1")
        client.put_person("u1", "user", "Recruiter", ["recruiter@agency.example"])
        client.put_person("c1", "candidate", "Candidate", ["candidate@mail.example"])
        pid = stack.of("ingest")[0].process.pid
        before = peak(pid)
        findings = asyncio.run(besiege(stack.endpoints.smtp_port, client.mint("u1"), size))
        after = peak(pid)
    Console(width=None if sys.stdout.isatty() else 100).print(table(findings, before, after))
    return 0 if after < 200 and not findings.unserved else 1
