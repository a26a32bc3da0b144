"""The lanes of the writer, which write at the same time and must not meet in their deadlines."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import cast

from pymongo import AsyncMongoClient
from pymongo._csot import DEADLINE

from services.timeline.write.lanes import Pending
from services.timeline.write.requests import Answer
from services.timeline.write.writer import Writer
from shared.storage.blobs import Blobs
from shared.storage.database import Database, Document
from tests.write_parts import dismiss


class Held(Writer):
    """Writes nothing; a batch ends when the test says so, and its deadline is noted."""

    def __init__(self) -> None:
        client = SimpleNamespace(is_mongos=asyncio.sleep(0, False))
        super().__init__(
            cast(AsyncMongoClient[Document], client), cast(Database, None), cast(Blobs, None)
        )
        self.deadlines: dict[str, float] = {}
        self.ends: dict[str, asyncio.Event] = {}

    async def _repeat(
        self, batch: Sequence[Pending], slot: int, deadline: float
    ) -> Sequence[Answer]:
        account = batch[0].account
        self.deadlines[account] = DEADLINE.get()
        self.ends[account] = asyncio.Event()
        await self.ends[account].wait()
        return [Answer(outcome="dismissed") for _ in batch]


async def written(writer: Held, account: str) -> asyncio.Task[Answer]:
    """Let a batch of an account begin."""
    task = asyncio.create_task(writer.submit(dismiss(account=account)))
    while account not in writer.deadlines:
        await asyncio.sleep(0)
    return task


async def test_a_batch_that_began_beside_another_leaves_it_no_deadline() -> None:
    """Each of two lanes begins while the other writes, and the first one ends first.

    In one context the second would put back the first one's deadline when it ends. Once that had
    passed, every batch of every lane failed at once, and for ever.
    """
    writer = Held()
    first, second = await written(writer, "a"), await written(writer, "b")
    assert first.done() is second.done() is False  # they are in different lanes
    for account, task in (("a", first), ("b", second)):
        writer.ends[account].set()
        assert (await task).outcome == "dismissed"
    for account in ("aa", "bb", "cc", "dd"):
        task = await written(writer, account)
        assert writer.deadlines[account] > writer.deadlines["b"] > writer.deadlines["a"]
        writer.ends[account].set()
        await task
    await writer.close()
