"""Fills a timeline's database with a mailbox, as fast as this machine writes.

* The documents are those that the `Store` writes, made by the same pure functions; a test compares
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

from bench.mailbox import ACCOUNT, MAIL_WORDS, Conversation, Letter, Writers, conversations
from dev.terminal import say
from services.timeline.write import summary
from services.timeline.write.audiences import add_capture, profiles_by_audience, seen_by_audience
from services.timeline.write.projection import Projection, project
from services.timeline.write.rows import mail_row
from shared.database import Document
from shared.events import MailAttached

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
        tokens: dict[str, None] = {}
        mails: list[tuple[Document, Document]] = []
        captures = 0
        for letter in letters:
            projections = [project(event, letter.mail, letter.raw) for event in letter.captures]
            first = projections[0]
            tokens |= dict.fromkeys((first.token, *first.references))
            mails.append((_mail(projections), first.content))
            captures += len(projections)
            for event in letter.captures:
                self._add_outcome(event)
        conversation = next(iter(tokens))
        self.by_collection["tokens"] += [
            {"_id": f"{ACCOUNT}/{token}", "account": ACCOUNT, "thread": conversation}
            for token in tokens
        ]
        self.by_collection["threads"].append(
            {
                "_id": f"{ACCOUNT}/{conversation}",
                "account": ACCOUNT,
                "mails": len(mails),
                "joined": captures,
            }
        )
        self._add_rows(conversation, mails)

    def _add_rows(self, conversation: str, mails: Sequence[tuple[Document, Document]]) -> None:
        summaries: dict[str, Document] = {}
        arrived: dict[str, int] = {}
        for mail, content in mails:
            self.by_collection["mails"].append(mail)
            self.by_collection["contents"].append(content)
            made: Document = {}
            seen = seen_by_audience(mail["captures"])
            for audience, view in seen.items():
                row = _row(mail, audience, conversation, view, content, made)
                self.by_collection["mail_rows"].append(row)
                new = summary.summary_of(row)
                old = summaries.get(audience)
                summaries[audience] = summary.joined(old, new) if old else new
                at = int(mail["captures"][0]["at"].timestamp() * 1000)
                arrived[audience] = max(arrived.get(audience, 0) + 1, at)
            for audience, persons in profiles_by_audience(mail["captures"]).items():
                view = seen.get(audience) or seen[audience.removeprefix("!")]
                self.by_collection["profile_mails"] += [
                    {
                        "_id": f"{ACCOUNT}/{audience}/{person_id}/{mail['_id']}",
                        "account": ACCOUNT,
                        "viewer": audience,
                        "person_id": person_id,
                        "mail_id": mail["_id"],
                        "date": view.date,
                    }
                    for person_id in persons
                ]
        self.by_collection["conversations"] += [
            {
                "_id": f"{ACCOUNT}/{audience}/{conversation}",
                "account": ACCOUNT,
                "viewer": audience,
                "thread": conversation,
                "arrived": arrived[audience],
                **about,
            }
            for audience, about in summaries.items()
        ]

    def _add_outcome(self, event: MailAttached) -> None:
        day = event.received_at.date().isoformat()
        self.by_collection["outcomes"].append(
            {
                "_id": str(event.capture_id),
                "account": ACCOUNT,
                "decision": "attached",
                "parts": [f"{event.place}/{event.part}"],
                "day": day,
                "at": event.decided_at,
            }
        )
        self.attached[day, event.owner] += 1


def _mail(projections: Sequence[Projection]) -> Document:
    captures: list[Document] = []
    for projection in projections:
        captures = add_capture(captures, projection.capture)
    first = projections[0]
    return {
        "_id": first.mail_id,
        "account": ACCOUNT,
        "message_id": first.message_id,
        "token": first.token,
        "captures": captures,
    }


def _row(
    mail: Document, audience: str, conversation: str, view: Any, content: Document, made: Document
) -> Document:
    """Return a mail's row; the terms, which take longest, are made once for all audiences."""
    if not made:
        made |= mail_row(mail, audience, conversation, view, content)
        return dict(made)
    return {
        **made,
        "_id": f"{ACCOUNT}/{audience}/{mail['_id']}",
        "viewer": audience,
        "date": view.date,
        "persons": [{"person_id": id_, "kind": kind} for id_, kind in view.persons],
    }


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
    chunks = list(_chunks(conversations(mails)))
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
