"""Locks by name: transactions that write the same documents do not race within one process.

MongoDB aborts one of two transactions that write the same document, and the loser retries at once.
Between two replicas that is cheap. In one process dozens of captures of one mail or conversation
would keep aborting each other, so they run one at a time.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

_STRIPES = 1024


class Turns:
    """Locks by name. Different names may share one, which only makes somebody wait."""

    def __init__(self) -> None:
        self._locks = [asyncio.Lock() for _ in range(_STRIPES)]

    @asynccontextmanager
    async def of(self, names: Iterable[str]) -> AsyncIterator[None]:
        """Hold the turn of all these names."""
        async with AsyncExitStack() as held:
            for number in sorted({hash(name) % _STRIPES for name in names}):  # no deadlock
                await held.enter_async_context(self._locks[number])
            yield
