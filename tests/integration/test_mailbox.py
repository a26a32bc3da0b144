"""The benchmark's mailbox is what the timeline itself would have written."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.filling import Documents, Target, fill, tallies
from bench.mailbox import ACCOUNT, Conversation, Writers, conversations
from services.timeline.write.projection import project
from services.timeline.write.requests import Attach
from shared.storage.database import Document
from tests.timeline_parts import Timeline, a_timeline

UNTIL = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


@pytest.fixture
async def timeline(mongodb_url: str, tmp_path: Path) -> AsyncIterator[Timeline]:
    async with a_timeline(mongodb_url, tmp_path) as timeline:
        yield timeline


def _some() -> Iterator[Conversation]:
    """A long conversation, and all kinds of others: hidden profiles, two captures."""
    yield Conversation(0, 20)
    for number in range(50, 120, 2):
        yield Conversation(number, 1 + number % 4)


async def test_the_documents_are_those_that_the_writer_writes(timeline: Timeline) -> None:
    writers, documents = Writers(UNTIL), Documents()
    for conversation in _some():
        letters = list(writers.letters(conversation))
        documents.add_conversation(letters)
        for letter in letters:
            for event in letter.captures:
                projection = project(event, letter.mail, letter.raw)
                request = Attach(event=event, projection=projection, raw=letter.raw)
                await timeline.writer.submit(request)
    made = documents.by_collection
    assert len(made["mails"]) > 80
    assert {row["viewer"] for row in made["conversations"]} == {"*", "u1", "u2", "!u1", "!u2"}
    kept = await timeline.database.list_collection_names()
    assert {*made, "tallies", "changes", "mail_changes"} == {
        name for name in kept if await timeline.database[name].count_documents({})
    }
    for name, expected in made.items():
        stored = await timeline.database[name].find({"account": ACCOUNT}).to_list()
        assert _by_id(stored) == _by_id(expected), name
    stored = await timeline.database["tallies"].find().to_list()
    assert _sums(stored) == _sums(list(tallies(documents.attached)))


async def test_processes_fill_a_database_with_as_many_mails_as_asked_for(
    timeline: Timeline, mongodb_url: str, share: float
) -> None:
    mails = int(3000 * share)
    fill(Target(mongodb_url, timeline.database.name, UNTIL), mails, processes=2)
    assert await timeline.database["mails"].count_documents({}) == mails
    stored = await timeline.database["threads"].count_documents({})
    assert stored == len(conversations(mails))


def _by_id(documents: list[Document]) -> dict[str, object]:
    """Return the documents as they compare: a moment has milliseconds, and two are a clock's."""
    return {d["_id"]: _comparable({**d, "read_at": None}) for d in documents}


_WHEN = ("arrived", "arrived_before", "slot", "change")
"""When a row was news, and which change of a mail it was. The bench writes none."""


def _comparable(value: object) -> object:
    if isinstance(value, datetime):
        return value.replace(microsecond=value.microsecond // 1000 * 1000)
    if isinstance(value, dict):
        return {k: _comparable(entry) for k, entry in value.items() if k not in _WHEN}
    if isinstance(value, list | tuple):
        return [_comparable(entry) for entry in value]
    return value


def _sums(found: list[Document]) -> dict[tuple[str, str], int]:
    sums: dict[tuple[str, str], int] = {}
    for tally in found:
        key = tally["day"], tally["owner"]
        sums[key] = sums.get(key, 0) + tally["attached"]
    return sums
