"""Work that is repeated until it is stopped, in the middle of it too."""

import asyncio

import pytest

from shared.runtime.periodic import Periodic
from tests.deadline import DEADLINE


class Work(Periodic):
    """Counts, and stays at the turn that is named."""

    def __init__(self, *, stays_at: int = 0, fails_at: int = 0) -> None:
        super().__init__(every_seconds=0)
        self.turns = 0
        self.stays = asyncio.Event()
        self._stays_at, self._fails_at = stays_at, fails_at

    async def once(self) -> None:
        self.turns += 1
        if self.turns == self._fails_at:
            raise ValueError("a bug")
        if self.turns == self._stays_at:
            self.stays.set()
            await asyncio.sleep(3600)


async def test_it_works_again_and_again_and_is_cut_in_the_middle() -> None:
    work = Work(stays_at=3)
    running = asyncio.create_task(work.run())
    async with asyncio.timeout(DEADLINE):
        await work.stays.wait()
        work.stop()
        await running
    assert work.turns == 3


async def test_what_it_does_not_deal_with_ends_the_service() -> None:
    work = Work(fails_at=2)
    async with asyncio.timeout(DEADLINE):
        with pytest.raises(ValueError, match="a bug"):
            await work.run()
    assert work.turns == 2


async def test_stopped_before_it_begins_it_does_nothing() -> None:
    work = Work()
    work.stop()
    await work.run()
    assert work.turns == 0
