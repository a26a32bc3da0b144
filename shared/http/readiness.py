"""Whether a service can do its work, and what is missing: the answer of `/readyz`.

needed    without it no work can be done; the service is unready while it is unavailable
at start  needed until it was there once, and only reported from then on. So a new replica that
          is set up wrongly never becomes ready, which stops a roll-out, while an outage of the
          same part does not take away those that can do other work meanwhile
reported  without it most work can be done
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

Check = Callable[[], Awaitable[bool]]
Checks = Mapping[str, Check]
"""What readiness depends on, by name."""


class Readiness:
    """Runs the checks when asked, and remembers which have passed once."""

    def __init__(
        self, needed: Checks, *, at_start: Checks | None = None, reported: Checks | None = None
    ) -> None:
        self._checks = {**needed, **(at_start or {}), **(reported or {})}
        self._needed, self._awaited = set(needed), set(at_start or {})

    async def look(self) -> tuple[bool, dict[str, bool]]:
        """Return whether the service is ready, and whether each check passes."""
        results = {name: await check() for name, check in self._checks.items()}
        there = {name for name, passes in results.items() if passes}
        self._awaited -= there
        return not (self._needed | self._awaited) - there, results


def not_stopping(stopping: asyncio.Event) -> Check:
    """Return the check that fails once the service was told to stop."""

    async def check() -> bool:
        return not stopping.is_set()

    return check


def holds(condition: Callable[[], bool]) -> Check:
    """Return the check of a condition that can be read at once."""

    async def check() -> bool:
        return condition()

    return check
