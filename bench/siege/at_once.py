"""All at once that a hostile sender can do to ingest, and one normal sender.

* 300 MB without a line end, in a mail and as a command; 5,000 recipients; 3,000 commands.
* 1,000 connections that send a byte a second, from 1,000 addresses, in the middle of a command or
  of a mail; and as many more from one address.
* Meanwhile a sender delivers a mail now and then, over a new connection each.

Told are the answers, the most memory that ingest had, and how long the sender waited for its 250.
"""

import asyncio
import smtplib
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from dev.siege.attacker import PATIENCE, Attacker

_PIECE = b"x" * 1024 * 1024


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
    with smtplib.SMTP("127.0.0.1", port, "sender.test", timeout=PATIENCE) as session:
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
