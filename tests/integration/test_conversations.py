"""Conversations: whatever the order, however often, whoever races, the same components and rows.

The truth is one union over Message-ID, In-Reply-To and References, and the rows of a timeline that
saw every mail once, one after the other.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.timeline.query.viewer import Viewer
from shared.contracts.events import MailAttached, Role
from shared.contracts.outcomes import Done
from shared.storage.database import Document
from tests.marks import in_full
from tests.timeline_parts import ACCOUNT, HOW_WRITTEN, Timeline, a_timeline, attached, mail, match

IDS = 40


@dataclass(frozen=True)
class Letter:
    """One capture of a mail."""

    event: MailAttached
    raw: bytes
    message_id: str
    references: tuple[str, ...]


@pytest.fixture
async def timelines(
    mongodb_url: str, tmp_path: Path
) -> AsyncIterator[tuple[Timeline, Timeline, Timeline]]:
    """Two replicas of one timeline, and another timeline."""
    async with (
        a_timeline(mongodb_url, tmp_path / "a") as first,
        a_timeline(mongodb_url, tmp_path / "b") as other,
    ):
        yield first, Timeline(first.client, first.database, tmp_path / "a"), other


def letters(seed: int, count: int) -> list[Letter]:
    """Return captures of mails that name each other at random, some with variants and Bcc."""
    chance = random.Random(seed)
    made: list[Letter] = []
    for number in range(count):
        references = tuple(f"{chance.randrange(IDS)}@x" for _ in range(chance.choice([0, 0, 1, 3])))
        day = chance.randrange(1, 18)  # some are from later than they arrive
        raws = [
            mail(
                f"{tag}Subject {number}",
                message_id=f"{number}@x",
                day=day,
                references=" ".join(f"<{reference}>" for reference in references),
                to=f"p{chance.randrange(30)}@x.example",
                text=text,
            )
            for tag, text in (("", "The text."), ("[EXT] ", "The text, and a footer."))
        ]
        for _ in range(chance.choice([1, 1, 2, 3])):
            role = chance.choice([Role.TO, Role.TO, Role.BCC])
            person = chance.randrange(5)
            event = attached(
                match(f"c{person}", f"c{person}@x.example", role),
                owner=f"u{chance.randrange(3)}",
                minutes=chance.randrange(1000),
            )
            raw = chance.choice([raws[0], raws[0], raws[1]])
            made.append(Letter(event, raw, f"{number}@x", references))
    return made


def components(made: Iterable[Letter]) -> set[frozenset[str]]:
    """Return which mails belong together: the truth, by plain union."""
    parent: dict[str, str] = {}

    def root(id_: str) -> str:
        parent.setdefault(id_, id_)
        while parent[id_] != id_:
            id_ = parent[id_]
        return id_

    for letter in made:
        for reference in letter.references:
            parent[root(reference)] = root(letter.message_id)
    groups: dict[str, set[str]] = {}
    for letter in made:
        groups.setdefault(root(letter.message_id), set()).add(letter.message_id)
    return {frozenset(group) for group in groups.values()}


async def deliver(replica: Timeline, letter: Letter) -> None:
    """Handle the event until it is done, as the consumer does."""
    while await replica.handle(letter.event, letter.raw) != Done():
        await asyncio.sleep(0.01)


async def rows(timeline: Timeline) -> dict[str, list[Document]]:
    """Return all that is read, without what only says when it was written."""
    found: dict[str, list[Document]] = {}
    for name in ("mails", "contents", "mail_rows", "profile_mails", "conversations"):
        documents = await timeline.database[name].find().to_list()
        conversations = await conversation_ids(timeline)
        for document in documents:
            for field in HOW_WRITTEN:
                document.pop(field, None)
            if "thread" in document:  # a thread's name is any of its tokens
                document["thread"] = conversations[document["thread"]]
            if name == "conversations":
                document["_id"] = document["_id"].rpartition("/")[0]
        found[name] = sorted(documents, key=repr)
    return found


async def conversation_ids(timeline: Timeline) -> dict[str, str]:
    """Return for each conversation's name the least of its tokens: names depend on the order."""
    least: dict[str, str] = {}
    async for token in timeline.database["tokens"].find():
        id_ = token["_id"].partition("/")[2]
        least[token["thread"]] = min(id_, least.get(token["thread"], id_))
    return least


async def shown(timeline: Timeline) -> set[frozenset[str]]:
    """Return which mails the conversations hold that everybody or anybody may see."""
    groups: dict[str, set[str]] = {}
    by_token = {
        token["_id"].partition("/")[2]: token["thread"]
        for token in await timeline.database["tokens"].find().to_list()
    }
    async for stored in timeline.database["mails"].find():
        groups.setdefault(by_token[stored["token"]], set()).add(stored["message_id"])
    return {frozenset(group) for group in groups.values()}


@pytest.mark.parametrize("seed", [0, *in_full(*range(1, 6))])
async def test_any_order_and_any_race_gives_the_same_conversations_and_rows(
    timelines: tuple[Timeline, Timeline, Timeline], seed: int
) -> None:
    first, second, other = timelines
    made = letters(seed, IDS)
    chance = random.Random(seed + 1)
    often = [*made, *chance.sample(made, len(made) // 3)]
    chance.shuffle(often)
    gate = asyncio.Semaphore(12)

    async def racing(replica: Timeline, letter: Letter) -> None:
        async with gate:
            await deliver(replica, letter)

    await asyncio.gather(*(racing(chance.choice([first, second]), letter) for letter in often))
    for letter in made:
        await deliver(other, letter)
    assert await shown(first) == components(made)
    assert await shown(other) == components(made)
    raced, rebuilt = await rows(first), await rows(other)
    for name, documents in rebuilt.items():
        assert raced[name] == documents, name


async def test_a_merged_id_still_resolves_to_the_conversation(
    timelines: tuple[Timeline, Timeline, Timeline],
) -> None:
    timeline, *_ = timelines
    await timeline.handle(attached(), mail(message_id="a@x"))
    await timeline.handle(attached(), mail(message_id="b@x"))
    before = [item.row.conversation for item in await timeline.conversations()]
    assert len(before) == 2
    await timeline.handle(attached(), mail(message_id="c@x", references="<a@x> <b@x>"))
    [joined] = await timeline.conversations()
    assert joined.row.mail_count == 3
    assert joined.row.conversation in before
    for id_ in before:
        found = await timeline.inbox.one(Viewer(ACCOUNT, "u1"), id_)
        assert found is not None
        assert found.row.conversation == joined.row.conversation


async def test_subjects_never_join(timelines: tuple[Timeline, Timeline, Timeline]) -> None:
    timeline, *_ = timelines
    await timeline.handle(attached(), mail("Same", message_id="a@x"))
    await timeline.handle(attached(), mail("Re: Same", message_id="b@x"))
    assert len(await timeline.conversations()) == 2


async def test_one_hostile_header_cannot_fuse_an_inbox(
    timelines: tuple[Timeline, Timeline, Timeline],
) -> None:
    timeline, *_ = timelines
    for n in range(30):
        await timeline.handle(attached(), mail(message_id=f"{n}@x"))
    everyone = " ".join(f"<{n}@x>" for n in range(30))
    await timeline.handle(attached(), mail(message_id="hostile@x", references=everyone))
    counts = sorted(item.row.mail_count for item in await timeline.conversations())
    assert counts == [1] * 9 + [22]  # the first and the last 20 references, and itself


async def test_a_long_conversation_costs_no_more_per_mail_than_a_short_one(
    timelines: tuple[Timeline, Timeline, Timeline],
) -> None:
    """Counted in documents that the database looks at and writes, not in time."""
    timeline, *_ = timelines
    database = timeline.database

    async def cost_of(number: int) -> int:
        await database.command("profile", 2)
        references = f"<0@x> <{number - 1}@x>" if number else ""
        raw = mail(message_id=f"{number}@x", references=references)
        assert await timeline.handle(attached(), raw) == Done()
        await database.command("profile", 0)
        entries = await database["system.profile"].find({"op": {"$ne": "command"}}).to_list()
        await database["system.profile"].drop()
        return sum(entry.get("docsExamined", 0) + entry.get("keysInserted", 0) for entry in entries)

    costs = [await cost_of(number) for number in range(120)]
    assert max(costs[90:]) <= max(costs[5:20])
