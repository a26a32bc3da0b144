"""Every command on what grows with mail names the account: a sharded MongoDB asks one shard.

A command without it would go to all shards, and an upsert without it is refused before MongoDB 7.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from services.timeline.admin.reprocess import Reprocess
from services.timeline.indexes import INDEXES
from services.timeline.query.people import Directory
from services.timeline.query.search_query import parse_query
from services.timeline.query.viewer import Viewer
from services.timeline.write import projection
from services.timeline.write.people import People
from shared.broker import Delivery
from shared.contracts.events import AuthenticationVerdict, Kind, PersonChanged, PersonDeleted
from shared.contracts.outcomes import Done
from shared.storage.database import Document, migrate
from tests.timeline_parts import ACCOUNT, Timeline, attached, dismissed, mail, match

UNSHARDED = {"settings", "chores", "dead_letters", "erased_accounts"}
"""As docs/kubernetes.md says."""
TEAM = Viewer(ACCOUNT, "u1")


class Watched(CommandListener):
    """Keeps every command of the database, until it is told to stop."""

    def __init__(self) -> None:
        self.commands: list[tuple[str, Mapping[str, Any]]] = []

    def started(self, event: CommandStartedEvent) -> None:
        self.commands.append((event.command_name, event.command))

    def succeeded(self, event: CommandSucceededEvent) -> None:
        pass

    def failed(self, event: CommandFailedEvent) -> None:
        pass


def asked(name: str, command: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield what a command selects or inserts."""
    if name == "find" and command.get("sort") == {"_id": 1}:
        return  # a chore, which goes through all accounts
    if name == "find":
        yield command.get("filter", {})
    elif name in ("findAndModify", "distinct"):
        yield command["query"]
    elif name == "update":
        yield from (update["q"] for update in command["updates"])
    elif name == "delete":
        yield from (delete["q"] for delete in command["deletes"])
    elif name == "insert":
        yield from command["documents"]
    elif name == "aggregate":
        first = command["pipeline"][0]
        if "$changeStream" not in first:
            yield first.get("$match", {})


async def test_every_command_names_the_account(
    mongodb_url: str, database_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched()
    async with AsyncMongoClient[Document](
        mongodb_url, event_listeners=[watched], tz_aware=True, uuidRepresentation="standard"
    ) as client:
        database = client[database_name]
        await migrate(database, INDEXES)
        watched.commands.clear()
        timeline = Timeline(client, database, tmp_path)
        with monkeypatch.context() as patch:  # a mail that is another one for this reader
            patch.setattr(projection, "mail_id", lambda *_: "a" * 32)
            await timeline.handle(attached(), mail(message_id="moved@x"))
        chore = Reprocess(timeline.writer, database, timeline.blobs)
        _, _, tally = await chore.begin(include_current=True)
        await chore.run(asyncio.Event(), lambda _: None, tally)
        assert tally == Counter(moved=1)
        await play(timeline, People(database))
        await timeline.writer.close()
        commands = list(watched.commands)
        await client.drop_database(database_name)
    seen: dict[str, set[str]] = {}
    for name, command in commands:
        for selected in asked(name, command):
            seen.setdefault(name, set()).add(str(command[name]))
            if command[name] not in UNSHARDED:
                assert "account" in selected, (name, command)
    written = {"bounces", "changes", "confirmations", "contents", "conversations", "mail_rows"}
    written |= {"mails", "outcomes", "people", "profile_mails", "quarantine", "read_marks"}
    written |= {"readers", "tallies", "threads", "tokens"}
    assert seen["update"] | seen["insert"] >= written - {
        "bounces",
        "confirmations",
    }
    assert seen["delete"] >= {"conversations", "mail_rows", "quarantine", "threads", "read_marks"}


async def play(timeline: Timeline, people: People) -> None:
    """Let everything happen that happens to mail, and look at all of it."""
    for number in range(3):  # two conversations that meet, and the marks of both
        raw = mail(f"Hello {number}", message_id=f"{number}@x", text="Some words of it.")
        for owner in ("u1", "u2"):
            assert await timeline.handle(attached(match(), owner=owner), raw) == Done()
    for conversation in await timeline.conversations():
        for unread in (False, True):
            await timeline.inbox.mark(TEAM, conversation.row.conversation, unread=unread)
    joining = mail("Both", message_id="9@x", references="<0@x> <1@x>", bcc="hidden@x.example")
    await timeline.handle(attached(match(), match("c2", "hidden@x.example")), joining)
    variant = mail("Hello 0", message_id="0@x", text="Other words of it.")
    await timeline.handle(attached(match("c3", "x@y.example"), owner="u3"), variant)
    await timeline.handle(dismissed())
    await timeline.settings.set_quarantine(ACCOUNT, "failed")
    for number in range(2):
        failed = attached(match(), verdict=AuthenticationVerdict.FAILED)
        await timeline.handle(failed, mail("Forged", message_id=f"forged{number}@x"))
    page = await timeline.quarantine.page(TEAM, 200, None)
    held = [await timeline.quarantine.one(TEAM, one.id) for one in page.items]
    assert held[0] is not None
    assert held[1] is not None
    await timeline.release.release(held[0])
    await timeline.release.refuse(held[1])
    person = PersonChanged(
        account=ACCOUNT, person_id="c1", kind=Kind.CANDIDATE, name="C", addresses=["c@x"], version=1
    )
    gone = PersonDeleted(account=ACCOUNT, person_id="c1", version=2)
    assert await people.handle(Delivery(person, b"", redelivered=False)) == Done()
    await look(timeline)
    assert await people.handle(Delivery(gone, b"", redelivered=False)) == Done()
    for listed in (timeline.inbox.page, timeline.inbox.unread.page):
        assert not (await listed(TEAM, 1, None, "c1")).items


async def look(timeline: Timeline) -> None:
    """Look at everything, with either visibility, page after page."""
    directory = Directory(timeline.database)
    await directory.named(ACCOUNT, ["c1"])
    await directory.capture_addresses(ACCOUNT, "u1")
    for viewer in (TEAM, Viewer(ACCOUNT, "u1", own_only=True)):
        for person in (None, "c1"):
            for listed in (timeline.inbox.page, timeline.inbox.unread.page):
                page = await listed(viewer, 1, None, person)
                assert page.items
                await listed(viewer, 1, page.next_cursor, person)
        for query in ("words", "wor*", '"Some words"', "hello words", "before:2027-01-01"):
            hits = await timeline.search.hits(viewer, parse_query(query), 1, None)
            await timeline.search.hits(viewer, parse_query(query), 1, hits.next_cursor)
        await timeline.inbox.unread.count(viewer)
        [conversation, *_] = await timeline.conversations()
        assert await timeline.inbox.one(viewer, conversation.row.conversation)
        await timeline.mails.of_conversation(viewer, conversation.row.conversation, 10, None)
        await timeline.timeline()
    await timeline.tally()
    await timeline.inbox.mark_all(TEAM, datetime.now(UTC))
