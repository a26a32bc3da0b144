"""A desk for dead letters, on a real broker, database and blob store."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from services.timeline.admin.dead_letters.content import Content
from services.timeline.admin.dead_letters.keeper import Keeper
from services.timeline.admin.dead_letters.letter import StoredLetter
from services.timeline.admin.dead_letters.records import Records, Which
from services.timeline.admin.dead_letters.replay import Replay
from services.timeline.admin.dead_letters.sweep import DeadLetterSweep
from services.timeline.write.erased_accounts import ErasedAccounts
from shared.broker import (
    DeadLetter,
    Publisher,
)
from shared.contracts.capture_address import account_tag
from shared.contracts.events import EVENTS, MailReceived
from shared.contracts.outcomes import Done
from shared.contracts.topology import DELIVERY_LIMIT, RECEIVED, uses
from shared.storage.blobs import Blobs
from shared.storage.database import Database
from tests.broker_parts import received
from tests.deadline import DEADLINE

ACCOUNT = "acme"
TOPOLOGY = uses(publishes=EVENTS.values())
KEPT = timedelta(days=14)
ALL = timedelta(0)
NOW = datetime(2099, 1, 1, tzinfo=UTC)


@dataclass
class Desk:
    """What a replica of the timeline does with dead letters, and what it stands on."""

    database: Database
    blobs: Blobs
    publisher: Publisher
    admin: AbstractChannel
    folder: Path

    def __post_init__(self) -> None:
        self.records, self.content = Records(self.database), Content(self.blobs)
        self.keeper = Keeper(self.records, self.content, KEPT, ErasedAccounts(self.database))
        self.replay = Replay(self.records, self.content, self.publisher)
        self.sweep = DeadLetterSweep(self.records, self.replay, self.blobs)

    async def stored(self, count: int = 1) -> list[StoredLetter]:
        """Return all dead letters, oldest first, once there are so many."""
        async with asyncio.timeout(DEADLINE):
            while await self.database.dead_letters.count_documents({}) < count:
                await asyncio.sleep(0.02)
        return (await self.records.every(Which(), 1000))[::-1]

    async def keep(self, letter: DeadLetter) -> StoredLetter:
        assert await self.keeper.handle(letter) == Done()
        return (await self.stored())[-1]

    async def now(self, letter: StoredLetter) -> StoredLetter:
        found = await self.records.one(letter.id)
        assert found is not None
        return found

    async def received(self) -> list[AbstractIncomingMessage]:
        """Return what waits for the matcher, taken."""
        queue = await self.admin.get_queue(RECEIVED.name, ensure=False)
        found = []
        while (message := await queue.get(fail=False)) is not None:
            await message.ack()
            found.append(message)
        return found

    def kept_bodies(self) -> list[str]:
        return [path.name for path in (self.folder / "blobs" / "dead").glob("*")]


def dead(about: MailReceived | None = None, **also: object) -> DeadLetter:
    event = about or received(account_tag=account_tag(ACCOUNT))
    fields: dict[str, object] = {
        "tag": event.tag,
        "event": event.encode(),
        "body": b"From: a@x\r\n\r\n",
        "key": event.tag,
        "queue": RECEIVED.name,
        "reason": "unknown_capture_address",
        "detail": "the detail",
        "replays": 0,
    }
    return DeadLetter(**fields | also)  # type: ignore[arg-type] # one field or another


async def die(desk: Desk) -> None:
    """Let the broker give up on what waits for the matcher."""
    queue = await desk.admin.get_queue(RECEIVED.name, ensure=False)
    for _ in range(DELIVERY_LIMIT + 1):
        async with asyncio.timeout(DEADLINE):
            while (message := await queue.get(fail=False)) is None:
                await asyncio.sleep(0.01)
        await message.nack(requeue=True)
