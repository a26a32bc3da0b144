"""A rematch window as its tests use it: mail that is dismissed, who is added, what is left."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from services.matcher.directory.people import person_of
from services.matcher.rematch.ending import Ending
from shared.broker import Delivery
from shared.contracts.events import (
    Kind,
    MailAttached,
    MailReceived,
)
from shared.contracts.outcomes import Done
from tests.fakes import Recorder
from tests.matcher_parts import ACCOUNT, Replica, received

LATE = "zqlate@mail.example"
WORDS = ("zqlate", "zqsubject", "zqbody", "zqother")


def aged(delivery: Delivery, age: timedelta) -> Delivery:
    assert isinstance(delivery.event, MailReceived)
    event = delivery.event.model_copy(update={"received_at": datetime.now(UTC) - age})
    return Delivery(event, delivery.body, redelivered=False)


async def dismiss(
    matcher: Replica, to: str = LATE, *, age: timedelta = timedelta(), **how: Any
) -> Delivery:
    """Let a mail be dismissed."""
    delivery = aged(await received(matcher, to, **how), age)
    assert await matcher.match(delivery) == Done()
    return delivery


async def add(matcher: Replica, address: str = LATE, person_id: str = "c7") -> None:
    """Add a candidate, and let what that causes happen."""
    person = person_of(person_id, Kind.CANDIDATE, "Late", [address])
    await matcher.directory.put(ACCOUNT, person)
    await settle(matcher)


async def settle(matcher: Replica) -> None:
    await matcher.outbox.once()
    await matcher.opening.work()


def attached(recorder: Recorder) -> list[MailAttached]:
    return [event for event, _ in recorder.published if isinstance(event, MailAttached)]


def id_of(delivery: Delivery) -> UUID:
    assert isinstance(delivery.event, MailReceived)
    return delivery.event.capture_id


async def count(matcher: Replica) -> int:
    return await matcher.database["rematch_sealed"].count_documents({})


async def remains(matcher: Replica, folder: Path) -> str:
    """Return all that could hold something, as one text."""
    texts = [
        f"{name} {document}"
        for name in await matcher.database.list_collection_names()
        async for document in matcher.database[name].find()
    ]
    files = [path for path in (folder / "blobs").rglob("*") if path.is_file()]
    return "\n".join([*texts, *(path.read_text(errors="replace") for path in files)])


def ending(matcher: Replica, after: timedelta = timedelta()) -> Ending:
    """Return what destroys what has ended, with a clock that is so far ahead."""
    clock = lambda: datetime.now(UTC) + after  # noqa: E731 - a clock
    return Ending(matcher.rematch_keys, matcher.sealed, clock=clock)
