"""`make bench ARGS="pages --mails 10000,100000,1000000"`: how fast a page is, how much it looks at.

Fills one account with so many mails (`bench/mailbox.py`), for each size a database of its own, and
asks the timeline's process for each view, one request after the other: p50 and p99 of 200 requests
after 20 that are not counted, and the documents and index keys that one request examines, by
MongoDB's profiler, in a pass of their own.

`--data FOLDER` keeps the mailboxes there, and takes those that are there. `--words 400` makes
longer mails, `--only phrase` asks for the views with this in their names alone.
"""

import argparse
import asyncio
import itertools
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx
import structlog
from pymongo import MongoClient
from rich import box
from rich.console import Console
from rich.table import Table

from bench.costs import cost_of
from bench.filling import Target, fill
from bench.mailbox import ACCOUNT, MAIL_WORDS
from bench.requests import Requests, all_requests, prepare
from dev.install import find_mongod
from dev.local_http import NO_TLS
from dev.mongodb import PrivateMongoDB
from dev.stack import Stack, own_databases
from dev.terminal import say
from services.timeline.admin.index_terms import index_terms
from services.timeline.indexes import INDEXES
from services.timeline.write.indexing import TermIndexer
from shared.http.auth import sign
from shared.storage.database import Document, connect, migrate

_WARM, _COUNTED, _PROFILED = 20, 200, 3


@dataclass(frozen=True, slots=True)
class Result:
    """Milliseconds; what is examined is the most of a few requests."""

    mails: int
    name: str
    p50: float
    p99: float
    documents: int
    keys: int
    operations: int


class Bench:
    """A timeline's process on one mailbox."""

    def __init__(self, stack: Stack, url: str, database: str, mails: int, only: str = "") -> None:
        [self._replica] = stack.of("timeline")
        self._stack, self._url, self._database, self._mails = stack, url, database, mails
        self._only = only
        self._clients: dict[str, httpx.Client] = {}

    def measure(self) -> Iterator[Result]:
        """Yield what each kind of request takes."""
        self._stack.restart(self._replica, {"TIMELINE_DATABASE": self._database})
        with MongoClient[Document](self._url, tz_aware=True) as client:
            database = client[self._database]
            prepare(database)
            for requests in all_requests(database):
                if self._only not in requests.name:
                    continue
                settings = {"account": ACCOUNT, "visibility": requests.visibility}
                database["settings"].replace_one({"_id": ACCOUNT}, settings, upsert=True)
                result = self._of(requests)
                say(f"{result.name:45} {result.p50:7.1f} {result.p99:7.1f} ms {result.documents}")
                yield result

    def _of(self, requests: Requests) -> Result:
        paths = itertools.cycle(requests.paths)
        for _ in range(_WARM):
            self._send(requests, next(paths))
        taken = sorted(self._timed(requests, next(paths)) for _ in range(_COUNTED))
        costs = asyncio.run(self._costs(requests, list(itertools.islice(paths, _PROFILED))))
        documents, keys, operations = (max(numbers) for numbers in zip(*costs, strict=True))
        return Result(
            mails=self._mails,
            name=requests.name,
            p50=taken[_COUNTED // 2],
            p99=taken[int(_COUNTED * 0.99)],
            documents=documents,
            keys=keys,
            operations=operations,
        )

    def _timed(self, requests: Requests, path: str) -> float:
        started = time.perf_counter()
        self._send(requests, path)
        return (time.perf_counter() - started) * 1000

    def _send(self, requests: Requests, path: str) -> None:
        person = requests.person
        if person not in self._clients:
            self._clients[person] = self._client(person)
        self._clients[person].request(requests.method, path).raise_for_status()

    def _client(self, person: str) -> httpx.Client:
        token = sign(
            self._stack.token_secret,
            issuer=self._stack.token_issuer,
            account=ACCOUNT,
            person_id=person,
            scope="timeline:read",
            expires_at=int(time.time()) + 24 * 3600,
        )
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self._replica.http_port}",
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
            trust_env=False,
            verify=NO_TLS,
        )

    async def _costs(self, requests: Requests, paths: Sequence[str]) -> list[tuple[int, int, int]]:
        found: list[tuple[int, int, int]] = []
        async with connect(self._url, "bench") as client:
            for path in paths:
                send = partial(asyncio.to_thread, self._send, requests, path)
                cost = await cost_of(client[self._database], send)
                found.append((cost.documents, cost.keys, cost.operations))
        return found


def fill_once(url: str, database: str, mails: int, words: int = MAIL_WORDS) -> None:
    """Fill the database, unless it is there."""
    with MongoClient[Document](url) as client:
        there = client[database]
        if there["mails"].estimated_document_count() != mails or not there["tallies"].find_one():
            client.drop_database(database)
            fill(Target(url, database, datetime.now(UTC), words), mails)
    asyncio.run(build_indexes(url, database))


async def build_indexes(url: str, database: str) -> None:
    """Build the indexes of a database that was filled, those of search terms as well."""
    started = time.monotonic()
    async with connect(url, "bench") as client:
        await migrate(client[database], INDEXES)
        indexer = TermIndexer(client, client[database])
        await index_terms(indexer, client[database], asyncio.Event())
        sizes = await client[database].command("dbStats")
    say(
        f"indexes built in {time.monotonic() - started:,.0f} seconds; on disk documents take "
        f"{sizes['storageSize'] / 1e9:.1f} GB, indexes {sizes['indexSize'] / 1e9:.1f} GB"
    )


def table(results: Sequence[Result]) -> Table:
    """Return the results as a table: kinds of requests by sizes."""
    sizes = sorted({result.mails for result in results})
    shown = Table(box=box.MARKDOWN)
    shown.add_column("")
    for size in sizes:
        shown.add_column(f"{size:,}: p50 / p99", justify="right")
        shown.add_column("examined", justify="right")
    for name in dict.fromkeys(result.name for result in results):
        cells: list[str] = []
        for size in sizes:
            [result] = [r for r in results if (r.mails, r.name) == (size, name)]
            cells += [f"{result.p50:,.1f} / {result.p99:,.1f}", f"{result.documents:,}"]
        shown.add_row(name, *cells)
    return shown


@contextmanager
def database_server(folder: Path, cache_gb: float) -> Iterator[str]:
    """Give the server of the environment, or a private one; the stack uses it too."""
    given = os.environ.get("MONGODB_URL")
    if given:
        yield given
        return
    find_mongod()
    with PrivateMongoDB(folder, cache_gb=cache_gb) as server:
        os.environ["MONGODB_URL"] = server.url
        yield server.url
        del os.environ["MONGODB_URL"]


def _name(mails: int, words: int) -> str:
    """Return the name of a mailbox's database."""
    return f"satchel_pages_{mails}" + (f"_{words}" if words != MAIL_WORDS else "")


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=pages", description=__doc__)
    parser.add_argument("--mails", default="10000,100000,1000000", help="sizes, with commas")
    parser.add_argument("--words", type=int, default=MAIL_WORDS, help="of a mail, on average")
    parser.add_argument("--only", default="", help="views with this in their names")
    parser.add_argument("--data", type=Path, help="keep the mailboxes in this folder")
    parser.add_argument("--cache-gb", type=float, default=2.0, help="of the private MongoDB")
    parser.add_argument("--json", type=Path, help="write the result there too")
    given = parser.parse_args(arguments)
    sizes = [int(size) for size in given.mails.split(",")]
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    results: list[Result] = []
    with (
        tempfile.TemporaryDirectory(prefix="satchel-bench-") as folder,
        database_server(given.data or Path(folder) / "mongodb", given.cache_gb) as url,
    ):
        for size in sizes:
            fill_once(url, _name(size, given.words), size, given.words)
        with Stack(Path(folder), environment=own_databases(), say=say) as stack:
            for size in sizes:
                name = _name(size, given.words)
                results += Bench(stack, url, name, size, given.only).measure()
    Console(width=None if sys.stdout.isatty() else 200).print(table(results))
    if given.json:
        given.json.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")
    return 0
