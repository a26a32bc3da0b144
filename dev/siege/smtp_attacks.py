"""Attacks by SMTP. Each goes on until it is cancelled, and counts the answers."""

import asyncio
import contextlib
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable

from dev.siege.attacker import Attacker
from dev.siege.crafted_mails import of_boundaries, slow_to_authenticate, with_enclosed
from dev.siege.ground import MIB, Ground

Told = Counter[str]
"""Codes of answers; `none` where a connection ended without one."""
_SPARE = 16 * 1024
"""Left free by each unfinished mail, so that together they leave no room for a mail of 100 KB."""
_NETWORKS = 16


async def rcpt_and_rset(ground: Ground, told: Told) -> None:
    """Name a recipient and take it back, in eight sessions of one network, without any mail."""

    async def visit(number: int) -> None:
        async with Attacker(ground.replica.smtp_port, f"127.20.0.{number + 1}") as attacker:
            code = await attacker.answer()
            await attacker.ask("EHLO x")
            while code not in ("421", "none"):
                for line in ("MAIL FROM:<>", f"RCPT TO:<{ground.targets[0].capture}>", "RSET"):
                    code = await attacker.ask(line)
                    told[code] += 1

    await forever(ground, visit, 8)


async def unfinished_data(ground: Ground, told: Told) -> None:
    """Fill the memory for mail from four sessions, each with a line a second from then on."""

    async def visit(number: int) -> None:
        target = ground.targets[number % len(ground.targets)]
        async with Attacker(ground.replica.smtp_port, f"127.21.{number}.1") as attacker:
            code = await attacker.begin_mail(target.capture)
            if code == "354":
                told["begun"] += 1
                for size in [MIB] * 23 + [MIB - _SPARE]:
                    await attacker.say(b"x" * (size - 2) + b"\r\n")
                answering = asyncio.ensure_future(attacker.answer())
                try:
                    while not answering.done():
                        await attacker.say(b"x\r\n")
                        await asyncio.wait([answering], timeout=1)
                    code = answering.result()
                finally:
                    answering.cancel()
            told[code] += 1

    await forever(ground, visit, 4)


async def idle_sessions(ground: Ground, told: Told) -> None:
    """Take all places from sixteen networks, each in the name of an account; then say nothing.

    Every other one has begun a mail before.
    """

    async def visit(number: int) -> None:
        source = f"127.22.{number % _NETWORKS}.{number // _NETWORKS % 250 + 1}"
        target = ground.targets[number % len(ground.targets)]
        async with Attacker(ground.replica.smtp_port, source) as attacker:
            code = await attacker.answer()
            for line in ("EHLO x", "MAIL FROM:<>", f"RCPT TO:<{target.capture}>"):
                code = await attacker.ask(line) if code[:1] == "2" else code
            told[code] += 1
            if code == "250":
                if number % 2:
                    await attacker.ask("DATA")
                told[await attacker.answer()] += 1

    await forever(ground, visit, ground.scale.sessions)


async def slow_dns(ground: Ground, told: Told) -> None:
    """Send mail of domains whose DNS never answers, each of its own."""
    await _send(ground, told, slow_to_authenticate, sessions=8)


async def enclosed_mails(ground: Ground, told: Told) -> None:
    """Send mail that encloses many others, all of which are shown."""
    scale = ground.scale
    await _send(ground, told, lambda n: with_enclosed(n, scale.mail_bytes, scale.enclosed))


async def boundaries(ground: Ground, told: Told) -> None:
    """Send mail that is full of boundaries."""
    await _send(ground, told, lambda number: of_boundaries(number, ground.scale.mail_bytes))


async def _send(
    ground: Ground, told: Told, crafted: Callable[[str], bytes], sessions: int = 2
) -> None:
    """Send for two accounts as much as is taken, from one network."""

    async def visit(number: int) -> None:
        target = ground.targets[number % 2]
        async with Attacker(ground.replica.smtp_port, f"127.23.0.{number + 1}") as attacker:
            code = await attacker.begin_mail(target.capture)
            if code == "354":
                raw = crafted(f"{ground.turn}-{secrets.token_hex(4)}")
                await attacker.say(raw.replace(b"\r\n.", b"\r\n..") + b"\r\n.\r\n")
                code = await attacker.answer()
            told[code] += 1

    await forever(ground, visit, sessions)


async def forever(ground: Ground, visit: Callable[[int], Awaitable[None]], count: int) -> None:
    """Let so many visitors come again and again; who could not connect comes again as well."""

    async def come(number: int) -> None:
        while True:
            with contextlib.suppress(OSError):
                await visit(number)
            await asyncio.sleep(ground.scale.pause)

    try:
        async with asyncio.TaskGroup() as group:
            for number in range(count):
                group.create_task(come(number))
    finally:
        await asyncio.sleep(0)  # what was closed is gone before the loop is
