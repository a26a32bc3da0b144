"""The DNS queries for one mail: each name once, and likely ones in advance."""

import asyncio
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from services.matcher.authentication.signature import AskText

AT_ONCE = 4
"""Questions of one mail that are under way together."""


class Questions:
    """The DNS queries for one mail. Open ones are cancelled when its check ends."""

    def __init__(self, ask: AskText) -> None:
        self._ask, self._at_once = ask, asyncio.Semaphore(AT_ONCE)
        self._asked: dict[str, asyncio.Task[list[str]]] = {}

    async def text(self, name: str) -> list[str]:
        """Return the TXT records of a name. Raises resolver.NoAnswer."""
        return await asyncio.shield(self._question(name))

    def ahead(self, names: Iterable[str]) -> None:
        """Start a query that will probably be needed."""
        for name in names:
            self._question(name)

    def _question(self, name: str) -> asyncio.Task[list[str]]:
        if name not in self._asked:
            self._asked[name] = asyncio.create_task(self._answer(name))
        return self._asked[name]

    async def _answer(self, name: str) -> list[str]:
        async with self._at_once:
            return await self._ask(name)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._asked.values():
            task.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)
