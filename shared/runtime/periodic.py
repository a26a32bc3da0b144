"""Work that is done again and again beside what a service is for."""

import asyncio
import contextlib
from abc import ABC, abstractmethod

from shared.runtime.process import unless


class Periodic(ABC):
    """A part that works, waits, and works again until it is stopped, in the middle of it too.

    `once` deals itself with what may be away: an error that it lets out ends the service.
    """

    def __init__(self, every_seconds: float) -> None:
        """Work every so many seconds, from the start of `run` on."""
        self._every = every_seconds
        self._stopping = asyncio.Event()

    @abstractmethod
    async def once(self) -> None:
        """Do what there is to do now."""

    async def run(self) -> None:
        """Work until `stop`."""
        while not self._stopping.is_set():
            await unless(self._stopping, self.once())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._every)

    def stop(self) -> None:
        """Let `run` end, whatever it is at."""
        self._stopping.set()
