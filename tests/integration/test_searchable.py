"""What a list shows is found by a search at once, also before a majority of the database has it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pymongo import MongoClient

from dev.mongodb import PrivateMongoDB
from services.timeline.query.search_query import parse_query
from services.timeline.query.viewer import Viewer
from services.timeline.write.listed_records import MailRow
from shared.storage.database import Document
from tests.deadline import DEADLINE
from tests.timeline_parts import ACCOUNT, Timeline, a_timeline, attached, mail, match


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PrivateMongoDB]:
    """A database whose journal can be stopped."""
    with PrivateMongoDB(tmp_path, options=("--setParameter", "enableTestCommands=1")) as server:
        yield server


@pytest.fixture
async def timeline(server: PrivateMongoDB, tmp_path: Path) -> AsyncIterator[Timeline]:
    async with a_timeline(server.url, tmp_path) as timeline:
        yield timeline


@contextmanager
def no_journal(server: PrivateMongoDB) -> Iterator[None]:
    """Let nothing that is written become durable: reads see it, a majority does not have it."""
    with MongoClient[Document](server.url) as client:
        point = "pauseJournalFlusherBeforeFlush"
        client.admin.command("configureFailPoint", point, mode="alwaysOn")
        try:
            yield
        finally:
            client.admin.command("configureFailPoint", point, mode="off")


async def test_a_mail_that_lists_show_is_found_though_no_majority_has_it_yet(
    timeline: Timeline, server: PrivateMongoDB
) -> None:
    viewer, query = Viewer(ACCOUNT, "u1"), parse_query("lighthouse")
    async with asyncio.timeout(DEADLINE):
        with no_journal(server):
            writing = asyncio.create_task(
                timeline.handle(attached(match()), mail("The lighthouse", message_id="l@x"))
            )
            while not await timeline.database[MailRow.collection].count_documents({}):
                await asyncio.sleep(0.01)
            searching = asyncio.create_task(timeline.search.hits(viewer, query, 10, None))
            # A search may wait for the majority. One that does not is done by then.
            await asyncio.wait([searching], timeout=1)
        await writing
        assert len((await searching).conversations) == 1
