"""Fills a timeline's database with a mailbox, as fast as this machine writes.

* The documents are those that the writer writes, made by the same pure functions; a test compares
  them. `changes` is left out: it is gone after an hour. The raw bytes are no part of it.
* Each conversation is made as a whole, so nothing is ever updated: bulk inserts, no transactions,
  by as many processes as there are cores. Indexes are built when all is there.
"""

import multiprocessing
import os
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import MongoClient

from bench.applying import Applied
from bench.mailbox import ACCOUNT, MAIL_WORDS, Conversation, Letter, Writers, conversations
from dev.terminal import say
from services.timeline.write.projection import project
from services.timeline.write.requests import Attach
from services.timeline.write.stored import to_document
from shared.storage.database import Document

_CHUNK = 2000
"""Mails that are made and written at a time."""
_SLOTS = 8
"""Tallies of one day and owner: as many as captures were written at once."""

Tally = Counter[tuple[str, str]]


class Documents:
    """What is written, by collection."""

    def __init__(self) -> None:
        self.by_collection: dict[str, list[Document]] = defaultdict(list)
        self.attached: Tally = Counter()

    def add_conversation(self, letters: Iterable[Letter]) -> None:
        """Add all documents of a conversation, its mails given oldest first."""
        applied = Applied()
        for letter in letters:
            for event in letter.captures:
                projection = project(event, letter.mail, letter.raw)
                request = Attach(event=event, projection=projection, raw=letter.raw)
                applied.add(request, event.received_at)  # each is news when it arrived
        for record in applied.records():
            self.by_collection[record.collection].append(to_document(record))
        for key, count in applied.draft.counted.items():
            self.attached[key.day, key.owner] += count


def tallies(attached: Tally) -> Iterator[Document]:
    """Yield the tallies of so many attached captures, by day and owner."""
    for (day, owner), count in attached.items():
        for slot in range(min(_SLOTS, count)):
            yield {
                "_id": f"{ACCOUNT}/{day}/{slot}/{owner}",
                "account": ACCOUNT,
                "day": day,
                "owner": owner,
                "attached": count // _SLOTS + (slot < count % _SLOTS),
            }


@dataclass(frozen=True, slots=True)
class Target:
    """Where the mails go, the moment before which they were written, and how long they are."""

    url: str
    database: str
    until: datetime
    mail_words: int = MAIL_WORDS


def fill(target: Target, mails: int, processes: int | None = None) -> None:
    """Write a mailbox of so many mails into a database that is empty."""
    fill_conversations(target, conversations(mails), processes)


def fill_conversations(
    target: Target, planned: Sequence[Conversation], processes: int | None = None
) -> None:
    """Write these conversations into a database that has none of their account."""
    chunks, mails = list(_chunks(planned)), sum(one.mails for one in planned)
    started, written, attached = time.monotonic(), 0, Tally()
    with ProcessPoolExecutor(
        processes or os.cpu_count(),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(target,),
    ) as pool:
        for done in as_completed(pool.submit(_write, chunk) for chunk in chunks):
            count, counted = done.result()
            before, written = written, written + count
            attached += counted
            if written == mails or written * 50 // mails > before * 50 // mails:
                say(_progress(written, mails, time.monotonic() - started))
    with MongoClient[Document](target.url) as client:
        client[target.database]["tallies"].insert_many(tallies(attached))


def _chunks(all_: Iterable[Conversation]) -> Iterator[list[Conversation]]:
    chunk: list[Conversation] = []
    for conversation in all_:
        chunk.append(conversation)
        if sum(c.mails for c in chunk) >= _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _progress(written: int, mails: int, seconds: float) -> str:
    rate = written / seconds
    left = (mails - written) / rate
    return f"{written:>9,} of {mails:,} mails, {rate:,.0f} a second, {left:,.0f} seconds left"


_writers: Writers
_database: Any


def _begin(target: Target) -> None:
    global _writers, _database
    _writers = Writers(target.until, target.mail_words)
    _database = MongoClient[Document](target.url, w=1, journal=False)[target.database]


def _write(chunk: Sequence[Conversation]) -> tuple[int, Tally]:
    documents = Documents()
    for conversation in chunk:
        documents.add_conversation(_writers.letters(conversation))
    for name, batch in documents.by_collection.items():
        _database[name].insert_many(batch, ordered=False)
    return len(documents.by_collection["mails"]), documents.attached
