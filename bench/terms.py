"""`make bench ARGS="terms --mails 10000 --terms 1000"`: what ways to index search terms cost.

For each candidate a mongod of its own: so many mails, each a row for the team and one for its owner
with the same terms, in transactions of up to 64 bulk inserts as the writer commits them. Printed:
index keys and bytes of what a search reads, bytes of documents, mongod's processor time a mail, and
the keys and documents that MongoDB examines for a page of 50 of typical searches.

none     no index of terms: what all else costs
before   {account, viewer, terms, date, mail_id}, until decision 35
place    {account, viewer, terms, place}: date and id in twelve bytes
hashed   the same, led by eight bytes of hash in the place of account and viewer
once     one row for team and owner: half the keys, but `owner=me` has no range of its own
blocks   as it is: a document with the terms of 64 mails (`write/term_blocks.py`)
"""

import argparse
import base64
import hashlib
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bson import Binary, ObjectId
from pymongo import ASCENDING, DESCENDING, IndexModel, InsertOne, MongoClient

from bench.processes import processor_milliseconds
from bench.prose import some_words
from dev.mongodb import PrivateMongoDB
from dev.terminal import say
from services.timeline.write.listed_records import TermBlock
from services.timeline.write.stored import to_document
from services.timeline.write.term_blocks import MAX_ROWS, FreshRow, pack
from shared.storage.database import Document

_BATCH, _BATCH_TERMS = 64, 40_000
"""Mails and terms of a transaction, at most: as the writer's."""
_ACCOUNTS, _OWNERS = 4, 10
_UNIQUE = 0.02
"""Of a mail's terms, those that no other has: numbers, links, ids."""
_SPAN = timedelta(days=365)
_UNTIL = datetime(2026, 1, 15, tzinfo=UTC)
_MINE = [("account", ASCENDING), ("viewer", ASCENDING)]
_NEWEST = [("date", DESCENDING), ("mail_id", DESCENDING)]
_PAGE = 50

Query = Callable[[str, str], Document]


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail, as far as an index needs it."""

    number: int
    account: str
    owner: str
    id: str
    date: datetime
    terms: list[str]

    @property
    def place(self) -> ObjectId:
        """When it came, and the beginning of its id."""
        moment = int(self.date.timestamp() * 1000).to_bytes(6, "big")
        return ObjectId(moment + hashlib.sha256(self.id.encode()).digest()[:6])


def mails(count: int, terms: int) -> Iterator[Mail]:
    """Yield mails of about so many terms, in the order in which they arrive."""
    chance = random.Random(7)
    for number in range(count):
        drawn = some_words(chance, max(1, _drawn(terms)))
        unique = (f"{chance.getrandbits(40):x}" for _ in range(int(terms * _UNIQUE)))
        account = chance.randrange(_ACCOUNTS)
        digest = hashlib.sha256(str(number).encode()).digest()
        yield Mail(
            number,
            f"account-{account}",
            f"user-{account}-{chance.randrange(_OWNERS)}",
            _base32(digest[:20]),
            _UNTIL - _SPAN + _SPAN * number / count + timedelta(seconds=chance.randrange(60)),
            sorted({*drawn, *unique}),
        )


def _drawn(terms: int) -> int:
    """Return how many words a text has in which about so many are different (by trial)."""
    return int(terms * (1.25 if terms < 300 else 2.2))


def _base32(digest: bytes) -> str:
    return base64.b32encode(digest).decode().lower()


def _row(mail: Mail, viewer: str, **more: Any) -> Document:
    return {
        "_id": f"{mail.account}/{viewer}/{mail.id}",
        "account": mail.account,
        "viewer": viewer,
        "mail_id": mail.id,
        "thread": mail.id,
        "date": mail.date,
        "content": "0123456789abcdef",
        "subject": "What this mail is about",
        "snippet": " ".join(mail.terms[:25])[:200],
        "has_attachments": False,
        "participants": [{"name": "Anna Berg", "address": "anna.berg@agency.example"}] * 3,
        "persons": [{"person_id": "p1", "kind": "candidate"}],
        **more,
    }


class Candidate:
    """A way to index terms."""

    collection = "mail_rows"
    index: IndexModel | None = None
    of_rows: Sequence[IndexModel] = ()

    def documents(self, mail: Mail) -> Iterator[tuple[str, Document]]:
        """Yield what is written of a mail."""
        for viewer in ("*", mail.owner):
            yield "mail_rows", _row(mail, viewer, terms=mail.terms)

    def query(self, mail: Mail, viewer: str, terms: Document | str) -> Document:
        """Return the query for a viewer's rows with a term."""
        return {"account": mail.account, "viewer": viewer, "terms": terms}

    sort: Sequence[tuple[str, int]] = _NEWEST

    def afterwards(self, client: Any, database: Any) -> None:
        """Do what is done once a batch is committed."""


class Before(Candidate):
    """The index before decision 35."""

    index = IndexModel([*_MINE, ("terms", ASCENDING), *_NEWEST], name="by_term")


class Place(Candidate):
    """A date and the beginning of an id in the place of both."""

    index = IndexModel([*_MINE, ("terms", ASCENDING), ("place", DESCENDING)], name="by_term")
    sort = (("place", DESCENDING),)

    def documents(self, mail: Mail) -> Iterator[tuple[str, Document]]:
        """Yield what is written of a mail."""
        for viewer in ("*", mail.owner):
            yield "mail_rows", _row(mail, viewer, terms=mail.terms, place=mail.place)


class Hashed(Place):
    """Led by a hash."""

    index = IndexModel(
        [("scope", ASCENDING), ("terms", ASCENDING), ("place", DESCENDING)], name="by_term"
    )

    def documents(self, mail: Mail) -> Iterator[tuple[str, Document]]:
        """Yield what is written of a mail."""
        for name, row in super().documents(mail):
            yield name, {**row, "scope": _scope(row["account"], row["viewer"])}

    def query(self, mail: Mail, viewer: str, terms: Document | str) -> Document:
        """Return the query for a viewer's rows with a term."""
        return {"scope": _scope(mail.account, viewer), "terms": terms}


class Once(Place):
    """One row for all audiences."""

    index = IndexModel(
        [("account", ASCENDING), ("terms", ASCENDING), ("place", DESCENDING)], name="by_term"
    )

    def documents(self, mail: Mail) -> Iterator[tuple[str, Document]]:
        """Yield what is written of a mail."""
        yield "mail_rows", _row(mail, "*", terms=mail.terms, place=mail.place, owner=mail.owner)
        yield "mail_rows", _row(mail, mail.owner)

    def query(self, mail: Mail, viewer: str, terms: Document | str) -> Document:
        """Return the query for a viewer's rows with a term."""
        of = {} if viewer == "*" else {"owner": viewer}
        return {"account": mail.account, "terms": terms, **of}


class Blocks(Candidate):
    """A document for the terms of 64 mails of an audience, made once so many have come."""

    collection = TermBlock.collection
    index = IndexModel([*_MINE, ("terms", ASCENDING), ("place", DESCENDING)], name="by_term")
    of_rows = (IndexModel([*_MINE, ("block", ASCENDING), ("date", ASCENDING)], name="by_block"),)
    sort = (("place", DESCENDING),)

    def __init__(self) -> None:
        self._fresh: dict[tuple[str, str], list[FreshRow]] = defaultdict(list)

    def documents(self, mail: Mail) -> Iterator[tuple[str, Document]]:
        """Yield its rows, and note them for the blocks."""
        for name, row in super().documents(mail):
            fresh = FreshRow(id=row["_id"], date=mail.date, terms=tuple(mail.terms))
            self._fresh[mail.account, row["viewer"]].append(fresh)
            yield name, row

    def afterwards(self, client: Any, database: Any) -> None:
        """Make blocks where there are rows enough, as `TermIndexer` does."""
        for (account, viewer), fresh in self._fresh.items():
            if len(fresh) < MAX_ROWS:
                continue
            with client.start_session() as session, session.start_transaction():
                which = {"account": account, "viewer": viewer, "block": None}
                read = database["mail_rows"].find(which, {"date": 1, "terms": 1}, session=session)
                list(read.hint("by_block"))
                fresh.sort(key=lambda row: row.date)
                for packed in list(pack(account, viewer, fresh)):
                    block = packed.block
                    database[self.collection].insert_one(to_document(block), session=session)
                    rows = {"_id": {"$in": list(packed.rows)}, "account": account}
                    named = {"$set": {"block": block.place}}
                    database["mail_rows"].update_many(rows, named, session=session)
                    del fresh[: len(packed.rows)]


def _scope(account: str, viewer: str) -> Binary:
    return Binary(hashlib.sha256(f"{account}/{viewer}".encode()).digest()[:8], 0)


CANDIDATES: dict[str, Callable[[], Candidate]] = {
    "none": Candidate,
    "before": Before,
    "place": Place,
    "hashed": Hashed,
    "once": Once,
    "blocks": Blocks,
}


def measure(name: str, count: int, terms: int, cache_gb: float) -> None:
    """Fill a mongod by one candidate, and print what it costs."""
    candidate = CANDIDATES[name]()
    with tempfile.TemporaryDirectory() as folder:
        mongod = PrivateMongoDB(Path(folder), cache_gb=cache_gb)
        mongod.start()
        try:
            with MongoClient[Document](mongod.url, w="majority", journal=True) as client:
                _measure(name, candidate, client, mongod.pid, count, terms)
        finally:
            mongod.stop()


def _measure(
    name: str, candidate: Candidate, client: Any, pid: int, count: int, terms: int
) -> None:
    database = client["terms"]
    base = [
        IndexModel([*_MINE, ("thread", ASCENDING), *_NEWEST], name="of_thread"),
        IndexModel([*_MINE, *_NEWEST], name="by_date"),
    ]
    database["mail_rows"].create_indexes([*base, *candidate.of_rows])
    if candidate.index is not None:
        database[candidate.collection].create_indexes([candidate.index])
    milliseconds, started, last, keys = 0.0, time.monotonic(), [], 0
    batch: list[Mail] = []
    for mail in mails(count, terms):
        batch.append(mail)
        keys += len(mail.terms)
        full = len(batch) == _BATCH or sum(len(m.terms) for m in batch) * 2 > _BATCH_TERMS
        if full or mail.number == count - 1:
            before = _cpu(pid)
            _write(client, database, candidate, batch)
            milliseconds += _cpu(pid) - before
            last, batch = batch, []
    before = _cpu(pid)
    client.admin.command("fsync")
    milliseconds += _cpu(pid) - before
    stored, index, number = 0, 0, 0
    for collection in {"mail_rows", candidate.collection}:
        size = database.command("collStats", collection, indexDetails=True)
        stored += _used(size)
        if collection == candidate.collection and candidate.index is not None:
            index = _used(size["indexDetails"]["by_term"])
            number = database.command("validate", collection)["keysPerIndex"]["by_term"]
    say(
        f"{name:8} {count:,} mails of {keys / count:.0f} terms: "
        f"{milliseconds / count:.2f} ms a mail; "
        f"index: {number / count:,.0f} keys, {index / count:,.0f} bytes; "
        f"documents: {stored / count:,.0f} bytes ({time.monotonic() - started:.0f} s)"
    )
    if candidate.index is not None:
        _searches(database, candidate, last[0])


def _write(client: Any, database: Any, candidate: Candidate, batch: Sequence[Mail]) -> None:
    writes: dict[str, list[Any]] = defaultdict(list)
    for mail in batch:
        for collection, document in candidate.documents(mail):
            writes[collection].append(InsertOne(document))

    def write(session: Any) -> None:
        for collection, inserts in writes.items():
            database[collection].bulk_write(inserts, ordered=False, session=session)

    with client.start_session() as session:
        session.with_transaction(write)
    candidate.afterwards(client, database)


def _used(details: Document) -> int:
    """Return the bytes of a file that are in use: it also holds room of former checkpoints."""
    blocks = details.get("wiredTiger", details)["block-manager"]
    return int(blocks["file size in bytes"] - blocks["file bytes available for reuse"])


def _searches(database: Any, candidate: Candidate, mail: Mail) -> None:
    common, rare = some_words(random.Random(1), 1)[0], mail.terms[len(mail.terms) // 2]
    of_viewer = (("team", "*"), ("owner", mail.owner))
    parts = [
        f"{who} {what} {_examined(database, candidate, candidate.query(mail, viewer, term))}"
        for who, viewer in of_viewer
        for what, term in (("common", common), ("rare", rare))
    ]
    say("         keys, documents, found: " + "; ".join(parts))


def _examined(database: Any, candidate: Candidate, query: Document) -> str:
    """Return what MongoDB examines for the newest rows of a query."""
    if not isinstance(candidate, Blocks):
        found = database["mail_rows"].find(query).sort(list(candidate.sort))
        return _counts([found.hint("by_term").limit(_PAGE).explain()["executionStats"]])
    fresh = database["mail_rows"].find({**query, "block": None}).hint("by_block")
    stats = [fresh.explain()["executionStats"]]
    fields = {"_id": 0, "place": 1}
    chosen: list[bytes] = []
    for count in (1, 3, 7, 15, 31):
        if sum(one["nReturned"] for one in stats) >= _PAGE:
            break
        blocks = database[candidate.collection].find(query, fields).sort(list(candidate.sort))
        places = [found["place"] for found in blocks.hint("by_term").limit(count)]
        new = [place for place in places if place not in chosen]
        rows = database["mail_rows"].find({**query, "block": {"$in": new}}).hint("by_block")
        stats.append(rows.explain()["executionStats"])
        chosen = places
    return _counts(stats)


def _counts(stats: Sequence[Document]) -> str:
    fields = ("totalKeysExamined", "totalDocsExamined", "nReturned")
    return ", ".join(str(sum(one[field] for one in stats)) for field in fields)


def _cpu(pid: int) -> float:
    return processor_milliseconds(Path(f"/proc/{pid}/stat").read_text(), 100)


def main(words: Sequence[str]) -> int:
    """Measure what the words ask for."""
    parser = argparse.ArgumentParser(prog='make bench ARGS="terms"')
    parser.add_argument("--mails", type=int, default=10_000)
    parser.add_argument("--terms", type=int, default=1000)
    parser.add_argument("--cache-gb", type=float, default=1.0)
    parser.add_argument("--only", default=",".join(CANDIDATES))
    chosen = parser.parse_args(words)
    for name in chosen.only.split(","):
        measure(name, chosen.mails, chosen.terms, chosen.cache_gb)
    return 0
