"""An inbox of so many conversations, written straight into the timeline's database.

Each has one mail, and every tenth has three: a page of the inbox reads conversations, whatever
number of mails they have. `bench/mailbox.py` writes the mails, as `bench pages` has them.
"""

import asyncio
from datetime import UTC, datetime

from pymongo import MongoClient

from bench.filling import Target, fill_conversations
from bench.mailbox import Conversation
from bench.pages import build_indexes
from dev.terminal import say
from shared.storage.database import Document

_LONGER_EVERY, _MAILS_OF_LONGER = 10, 3


def plan(conversations: int) -> list[Conversation]:
    """Return so many conversations. The one with number 0 would be a long one."""
    return [
        Conversation(number, 1 if number % _LONGER_EVERY else _MAILS_OF_LONGER)
        for number in range(1, conversations + 1)
    ]


def fill_inbox(url: str, database: str, conversations: int) -> None:
    """Fill the database with so many conversations, unless they are there; and index them."""
    with MongoClient[Document](url) as client:
        there = client[database]
        if there["conversations"].estimated_document_count() < conversations:
            client.drop_database(database)
            say(f"filling an inbox of {conversations:,} conversations")
            target = Target(url, database, datetime.now(UTC))
            fill_conversations(target, plan(conversations))
    asyncio.run(build_indexes(url, database))
