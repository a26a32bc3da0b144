"""Logs what a service waits for: a line per attempt while it is unavailable, one when it is back.

A monitor delays nothing: the code that needs the dependency retries by itself. The lines are for
operators, so they name the host, without credentials.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from shared.runtime.process import unless

_EVERY_SECONDS = 5.0
_LOOK_SECONDS = 6.0
_LONGEST_PAUSE_SECONDS = 5.0
log = structlog.get_logger()


def place(url: str) -> str:
    """Return host, port and path of a URL, without scheme, credentials and options."""
    return url.partition("://")[2].rpartition("@")[2].partition("?")[0]


class DependencyMonitor:
    """Checks repeatedly whether a dependency is available."""

    def __init__(self, what: str, url: str, why_not: Callable[[], Awaitable[str | None]]) -> None:
        """`why_not` returns what keeps us from using it, in words; None when nothing does."""
        self._what, self._url, self._why_not = what, url, why_not
        self._stopping = asyncio.Event()
        self._tries = 0
        self.found = False
        """Whether the part was there at the last look."""

    async def run(self) -> None:
        """Check until `stop`."""
        await unless(self._stopping, self._look_on())

    def stop(self) -> None:
        """Let `run` end."""
        self._stopping.set()

    async def there(self) -> None:
        """Return when the dependency is available."""
        pause = await self._look()
        while pause:
            await asyncio.sleep(pause)
            pause = await self._look()

    async def _look_on(self) -> None:
        while True:
            await self.there()
            await asyncio.sleep(_EVERY_SECONDS)

    async def _look(self) -> float:
        """Return the seconds until it is worth another look; 0 when the part is there."""
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                why = await self._why_not()
        except TimeoutError:
            why = f"no answer within {_LOOK_SECONDS:.0f} seconds"
        self.found = why is None
        if why is None:
            if self._tries:
                log.info(f"the {self._what} is available", at=place(self._url))
            self._tries = 0
            return 0.0
        pause = min(0.25 * 2.0 ** min(self._tries, 8), _LONGEST_PAUSE_SECONDS)
        self._tries += 1
        log.warning(
            f"waiting for the {self._what}",
            at=place(self._url),
            why=why,
            attempt=self._tries,
            next_try_in=pause,
        )
        return pause
