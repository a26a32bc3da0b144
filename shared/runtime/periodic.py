"""Background work that is repeated while a service runs."""

import asyncio
import contextlib
from abc import ABC, abstractmethod

from shared.runtime.process import unless


class Periodic(ABC):
    """A part that works, waits and works again, until it is stopped.

    `once` handles unavailable dependencies itself: an error that it raises ends the service.
    """

    def __init__(self, every_seconds: float) -> None:
        """Work every so many seconds, from the start of `run` on."""
        self._every = every_seconds
        self._stopping = asyncio.Event()

    @abstractmethod
    async def once(self) -> None:
        """Do the work once."""

    async def run(self) -> None:
        """Work until `stop`."""
        while not self._stopping.is_set():
            await unless(self._stopping, self.once())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._every)

    def stop(self) -> None:
        """Let `run` end, even in the middle of its work."""
        self._stopping.set()
