"""Taking turns: what writes the same documents does not race within one process.

MongoDB aborts one of two transactions that write the same document, and the loser begins again at
once. Among two replicas that is cheap; among dozens of captures of one mail, or of one thread, in
one process it would be a stampede. So those go one by one here.
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
