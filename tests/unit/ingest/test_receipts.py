"""Receipts: written soon, once, and never in the way of mail."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.ingest import receipts as room
from services.ingest.metrics import RECEIPTS
from services.ingest.receipts import Receipts
from shared.contracts.capture_id import capture_id
from shared.contracts.events import MailReceived
from shared.contracts.receipts import RECEIPT_PREFIX, decode
from shared.storage.blobs import Blobs
from tests.deadline import DEADLINE


def received() -> MailReceived:
    return MailReceived(
        capture_id=capture_id("t"),
        capture_address="a@in.satchel.test",
        account_tag="tag",
        received_at=datetime.now(UTC),
        door="smtp",
        size=5,
    )


async def written(blobs: Blobs) -> set[str]:
    keys = [blob.key async for batch in blobs.listed(RECEIPT_PREFIX) for blob in batch]
    found = [str(r.capture_id) for key in keys for r in decode(await blobs.get(key))]
    assert len(found) == len(set(found)), "written once"
    return set(found)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    (tmp_path / "blobs").mkdir()
    return Blobs(f"file://{tmp_path}/blobs")


async def test_they_are_written_soon(blobs: Blobs, tmp_path: Path) -> None:
    receipts = Receipts(blobs, every=0.05)
    running = asyncio.create_task(receipts.run())
    event = received()
    receipts.note(event)
    await until(lambda: any((tmp_path / "blobs").rglob("*.ndjson")))
    assert await written(blobs) == {str(event.capture_id)}
    receipts.stop()
    await running


async def test_what_waits_is_written_at_the_end(blobs: Blobs) -> None:
    receipts = Receipts(blobs, every=3600)
    running = asyncio.create_task(receipts.run())
    events = [received() for _ in range(3)]
    for event in events:
        receipts.note(event)
    receipts.stop()
    await running
    assert await written(blobs) == {str(event.capture_id) for event in events}


async def test_many_do_not_wait_for_the_time(blobs: Blobs, tmp_path: Path) -> None:
    receipts = Receipts(blobs, every=3600)
    running = asyncio.create_task(receipts.run())
    await asyncio.sleep(0)
    for _ in range(room._AT_ONCE + 1):
        receipts.note(received())
    await until(lambda: any((tmp_path / "blobs").rglob("*.ndjson")))
    receipts.stop()
    await running
    assert len(await written(blobs)) == room._AT_ONCE + 1


async def test_they_wait_while_the_blob_store_is_away(
    blobs: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MOST_WAITING", 3)
    in_the_way = tmp_path / "blobs" / "receipts"
    in_the_way.write_text("in the way of the folder")
    receipts = Receipts(blobs, every=0.01, retry=0.01)
    running = asyncio.create_task(receipts.run())
    dropped, tried = (RECEIPTS.labels(word)._value for word in ("dropped", "retried"))
    before, tried_before = dropped.get(), tried.get()
    events = [received() for _ in range(4)]
    for event in events:
        receipts.note(event)
    await until(lambda: tried.get() > tried_before)
    assert dropped.get() == before + 1
    in_the_way.unlink()
    await until(lambda: any((tmp_path / "blobs").rglob("*.ndjson")))
    receipts.stop()
    await running
    assert await written(blobs) == {str(event.capture_id) for event in events[:3]}


async def test_a_blob_store_that_is_away_does_not_delay_the_end(
    blobs: Blobs, tmp_path: Path
) -> None:
    (tmp_path / "blobs" / "receipts").write_text("in the way of the folder")
    receipts = Receipts(blobs, every=3600)
    receipts.note(received())
    receipts.stop()
    async with asyncio.timeout(DEADLINE):
        await receipts.run()
