"""What a batch needs comes in one request where that is possible, and is the same either way."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure
from pymongo.monitoring import CommandListener, CommandStartedEvent

from services.timeline.content.reader import read
from services.timeline.write.loading import load
from services.timeline.write.needed import first_queries, second_queries
from services.timeline.write.projection import project
from services.timeline.write.requests import Attach
from services.timeline.write.state import State
from shared.storage.database import Document, is_too_large
from tests.timeline_parts import ACCOUNT, Timeline, a_timeline, attached, mail, match

SLOT = 7
OTHER = "account-b"


class Commands(CommandListener):
    """Counts the commands of a client."""

    def __init__(self) -> None:
        self.names: Counter[str] = Counter()

    def started(self, event: CommandStartedEvent) -> None:
        self.names[event.command_name] += 1

    def succeeded(self, event: Any) -> None:
        pass

    def failed(self, event: Any) -> None:
        pass


@pytest.fixture
async def timeline(mongodb_url: str, tmp_path: Path) -> AsyncIterator[Timeline]:
    async with a_timeline(mongodb_url, tmp_path) as timeline:
        timeline.writer._slots = dict.fromkeys(timeline.writer._slots, SLOT)
        yield timeline


def letter(name: str, *, answers: str = "", account: str = ACCOUNT, owner: str = "u1") -> Attach:
    """Return a capture of a mail with this id."""
    references = f"<{answers}@x>" if answers else ""
    raw = mail(f"Subject {name}", message_id=f"{name}@x", references=references, text="A text.")
    event = attached(match(), account=account, owner=owner)
    return Attach(event=event, projection=project(event, read(raw), raw), raw=raw)


async def url_of(timeline: Timeline) -> str:
    address = await timeline.client.address
    assert address is not None
    return f"mongodb://{address[0]}:{address[1]}/?directConnection=true"


async def loaded(timeline: Timeline, requests: Sequence[Attach], slot: int | None) -> Any:
    """Return what is loaded for a batch, and by which commands."""
    state, commands = State(), Commands()
    async with (
        AsyncMongoClient[Document](
            await url_of(timeline),
            tz_aware=True,
            uuidRepresentation="standard",
            event_listeners=[commands],
        ) as client,
        client.start_session() as session,
        await session.start_transaction(),
    ):
        database = client[timeline.database.name]
        await load(database, state, first_queries(requests), session, slot=slot)
        await load(database, state, second_queries(state, requests), session, slot=slot)
    counted = {name: n for name, n in commands.names.items() if name in ("find", "aggregate")}
    return state._found, counted


@pytest.mark.parametrize("accounts", [(ACCOUNT,), (ACCOUNT, OTHER)])
async def test_a_small_batch_is_loaded_in_two_requests(
    timeline: Timeline, accounts: Sequence[str]
) -> None:
    for account in accounts:
        await timeline.writer.submit(letter("first", account=account))
    batch = [
        letter(name, answers="first", account=account)
        for account in accounts
        for name in ("first", "second")
    ]
    together, asked = await loaded(timeline, batch, SLOT)
    apart, asked_apart = await loaded(timeline, batch, None)
    assert together == apart
    assert len([found for found in together.values() if found]) >= 5 * len(accounts)
    of_contents = 1
    assert asked == {"aggregate": 2, "find": of_contents}
    assert asked_apart == {"find": 7}


async def test_an_account_without_a_counter_is_asked_for_once(timeline: Timeline) -> None:
    await timeline.writer.submit(letter("first", account=OTHER))
    batch = [letter("second", answers="first")]
    together, asked = await loaded(timeline, batch, SLOT)
    apart, asked_apart = await loaded(timeline, batch, None)
    assert together == apart
    assert asked == {"aggregate": 1, **asked_apart}


async def test_a_large_batch_asks_each_collection(timeline: Timeline) -> None:
    await timeline.writer.submit(letter("first"))
    batch = [letter(f"answer{n}", answers="first") for n in range(64)]
    _, asked = await loaded(timeline, batch, SLOT)
    assert asked == {"find": 4, "aggregate": 1}  # few conversations


async def test_documents_too_large_for_one_answer_are_asked_apart(timeline: Timeline) -> None:
    names = ("first", "second")
    for name in names:
        await timeline.writer.submit(letter(name))
    many = ["x" * 9_000_000]
    assert (
        await timeline.database.mails.update_many({}, {"$set": {"private": many}})
    ).modified_count == 2
    batch = [letter(name, owner="u2") for name in names]
    with pytest.raises(OperationFailure) as failed:
        await loaded(timeline, batch, SLOT)
    assert is_too_large(failed.value)
    answers = await asyncio.gather(*(timeline.writer.submit(request) for request in batch))
    assert [answer.outcome for answer in answers] == ["attached", "attached"]
    owners = [len(one["captures"]) async for one in timeline.database.mails.find()]
    assert owners == [2, 2]


async def test_only_what_is_asked_for_is_looked_at(timeline: Timeline) -> None:
    letters = [letter(f"m{n}", answers=f"m{n % 5}") for n in range(200)]
    await asyncio.gather(*(timeline.writer.submit(one) for one in letters))
    database = timeline.database
    await database.command("profile", 2)
    for n in range(20):
        await loaded(timeline, [letter(f"new{n}", answers=f"m{n}")], SLOT)
    await database.command("profile", 0)
    ran = await database["system.profile"].find({"op": "command"}).to_list()
    looked_at = [one["docsExamined"] for one in ran if "aggregate" in one["command"]]
    await database["system.profile"].drop()
    assert len(looked_at) == 40
    assert 1 <= min(looked_at) <= max(looked_at) <= 12
