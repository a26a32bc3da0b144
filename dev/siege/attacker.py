"""One SMTP connection of an attacker."""

import asyncio
import contextlib

PATIENCE = 120
"""Seconds until an answer is given up: a safety net."""


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
        self._writer.transport.abort()

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
            async with asyncio.timeout(PATIENCE):
                while line := await self._reader.readline():
                    if line[3:4] != b"-":
                        codes.append(line[:3].decode())
                        if until and line.startswith(until):
                            return codes
        return codes

    async def ask(self, line: str) -> str:
        """Send a command; return the code of its answer, `none` when the connection ends."""
        await self.say(f"{line}\r\n".encode())
        return await self.answer()

    async def answer(self) -> str:
        """Return the code of the next answer, `none` when the connection ends."""
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while line := await self._reader.readline():
                    if line[3:4] != b"-":
                        return line[:3].decode()
        return "none"

    async def begin_mail(self, capture: str) -> str:
        """Return `354` when a mail may be sent, else the first answer that says no."""
        code = await self.answer()
        for line in ("EHLO x", "MAIL FROM:<>", f"RCPT TO:<{capture}>", "DATA"):
            if code[:1] != "2":
                return code
            code = await self.ask(line)
        return code
