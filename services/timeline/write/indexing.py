"""Puts the search terms of new rows into blocks (`term_blocks`), while others write.

    Writer: rows are committed -> `wrote` -> once an audience has enough of them: its fresh rows
    -> blocks, in a transaction that reads the rows and writes into them which block they are in

* A row that another transaction changes meanwhile is a conflict: one of the two begins again. So
  nothing is in a block that it does not belong to, and replicas need not know of each other.
* Nothing depends on when this happens, or whether: fresh rows are found all the same, at the price
  of looking through them. Counts of what was written are in memory. What a process that ended had
  counted is found by the next one that writes for the same audience, and by every one that starts:
  it looks at each audience once, slowly.
* The terms of what this process wrote lately are remembered, since most of a row is its terms. They
  are used for a row whose digest is theirs: another process may have written it anew.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Sequence
from itertools import count

import structlog
from msgspec.structs import replace
from pymongo import ASCENDING, AsyncMongoClient, IndexModel, InsertOne, UpdateMany
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import OperationFailure, PyMongoError

from services.timeline.metrics import TERM_BLOCKS, TERM_BLOCKS_FAILED
from services.timeline.write.listed_records import MailRow, TermBlock
from services.timeline.write.stored import from_document, to_document
from services.timeline.write.term_blocks import MAX_ROWS, FreshRow, Packed, block_id, pack
from shared.runtime.process import unless
from shared.storage.database import Database, Document, Index, is_duplicate, of_id, of_ids

_LOOK_AFTER = 32
"""Rows of an audience that this process has written, after which it looks for a full block."""
_MAX_COUNTED = 100_000
"""Audiences whose rows are counted. Beyond, those with the fewest are forgotten."""
_MAX_READ_ROWS, _MAX_READ_TERMS = 256, 400_000
"""Of one transaction."""
_MAX_REMEMBERED = 300_000
"""Terms: those of two hundred long mails."""
_PAUSE_SECONDS, _BETWEEN_LOOKS_SECONDS = 1.0, 0.02
_TRIES = 5
INDEXES = (
    # TermIndexer: the fresh rows of an audience by date; query/blocks.py: the rows of a block
    Index(
        MailRow.collection,
        IndexModel(
            [
                ("account", ASCENDING),
                ("viewer", ASCENDING),
                ("block", ASCENDING),
                ("date", ASCENDING),
            ],
            name="by_block",
        ),
    ),
)
log = structlog.get_logger()

Audience = tuple[str, str]
"""An account and one of its audiences."""


class _Remembered:
    """The terms of contents, as they were lately written; the oldest are forgotten first."""

    def __init__(self) -> None:
        self._of: dict[str, tuple[bytes, tuple[str, ...]]] = {}
        self._size = 0

    def add(self, content: str, digest: bytes, terms: tuple[str, ...]) -> None:
        """Remember a content's terms."""
        self._size += len(terms) - len(self._of.pop(content, (b"", ()))[1])
        self._of[content] = digest, terms
        while self._size > _MAX_REMEMBERED:
            self._size -= len(self._of.pop(next(iter(self._of)))[1])

    def of(self, content: str, digest: bytes) -> tuple[str, ...] | None:
        """Return the terms with this digest; None when others, or none, are remembered."""
        known, terms = self._of.get(content, (b"", ()))
        return terms if digest and known == digest else None


class TermIndexer:
    """Makes blocks of fresh rows."""

    def __init__(self, client: AsyncMongoClient[Document], database: Database) -> None:
        self._client, self._database = client, database
        self._rows, self._blocks = database[MailRow.collection], database[TermBlock.collection]
        self._written: Counter[Audience] = Counter()
        self._remembered = _Remembered()
        self._due: dict[Audience, None] = {}
        self._is_due, self._stopping = asyncio.Event(), asyncio.Event()

    def wrote(self, row: MailRow) -> None:
        """Count a written row, and remember its terms."""
        self._remembered.add(row.content, row.terms_digest, row.terms)
        account, audience = row.account, row.audience
        if len(self._written) >= _MAX_COUNTED:
            self._written = Counter(dict(self._written.most_common(_MAX_COUNTED // 2)))
        self._written[account, audience] += 1
        if self._written[account, audience] >= _LOOK_AFTER:
            del self._written[account, audience]
            self._due[account, audience] = None
            self._is_due.set()

    def stop(self) -> None:
        """Let `run` end."""
        self._stopping.set()
        self._is_due.set()

    async def run(self) -> None:
        """Build blocks wherever there are enough rows, until `stop`."""
        looking = asyncio.create_task(self._look_at_all())
        try:
            await self._run()
        finally:
            looking.cancel()

    async def _look_at_all(self) -> None:
        """Find the audiences with enough fresh rows, also those of ended processes."""
        audience: Audience | None = None
        while True:
            try:
                audience = await self.audiences(after=audience)
                if audience is None:
                    return
                if await self._has_enough(*audience):
                    self._due[audience] = None
                    self._is_due.set()
            except PyMongoError:  # database unavailable: retry from the same audience
                await asyncio.sleep(_PAUSE_SECONDS)
            await asyncio.sleep(_BETWEEN_LOOKS_SECONDS)

    async def _has_enough(self, account: str, audience: str) -> bool:
        fresh: Document = {"account": account, "viewer": audience, "block": None}
        count = await self._rows.count_documents(fresh, limit=MAX_ROWS, hint="by_block")
        return count >= MAX_ROWS

    async def _run(self) -> None:
        while not self._stopping.is_set():
            await self._is_due.wait()
            if not self._due:
                self._is_due.clear()
                continue
            audience = next(iter(self._due))
            del self._due[audience]
            try:
                await unless(self._stopping, self._index(*audience))
            except PyMongoError as error:
                TERM_BLOCKS_FAILED.inc()
                log.warning("search terms not indexed", error=type(error).__name__)
                self._due[audience] = None  # after the others
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), _PAUSE_SECONDS)

    async def _index(self, account: str, audience: str) -> None:
        await self.index(account, audience)

    async def index(self, account: str, audience: str) -> int:
        """Build blocks of an audience's rows until too few are left; return how many."""
        made = 0
        while new := await self._index_some(account, audience):
            TERM_BLOCKS.inc(new)
            made += new
        return made

    async def audiences(self, after: Audience | None = None) -> Audience | None:
        """Return the next audience after this one; None if it was the last."""
        which: Document = {}
        if after is not None:
            account, audience = after
            later = {"account": account, "viewer": {"$gt": audience}}
            which = {"$or": [later, {"account": {"$gt": account}}]}
        order = [("account", ASCENDING), ("viewer", ASCENDING)]
        fields = {"_id": 0, "account": 1, "viewer": 1}
        found = await self._rows.find_one(which, fields, sort=order, hint="by_block")
        return (found["account"], found["viewer"]) if found is not None else None

    async def release(self, account: str, audience: str) -> None:
        """Mark rows without their block as fresh: a backup may have one without the other."""
        mine: Document = {"account": account, "viewer": audience}
        stages: list[Document] = [
            {"$match": {**mine, "block": {"$gt": b""}}},
            {"$group": {"_id": "$block"}},
        ]
        async with await self._rows.aggregate(stages, hint="by_block") as named:
            async for document in named:
                place: bytes = document["_id"]
                of = of_id(account, block_id(account, audience, place))
                if await self._blocks.find_one(of, {"_id": 1}) is None:
                    gone = {**mine, "block": place}
                    await self._rows.update_many(gone, {"$unset": {"block": 1}})

    async def _index_some(self, account: str, audience: str) -> int:
        for number in count(1):
            try:
                async with (
                    self._client.start_session() as session,
                    await session.start_transaction(),
                ):
                    return await self._in_transaction(account, audience, session)
            except OperationFailure as error:
                is_conflict = error.has_error_label("TransientTransactionError")
                if number == _TRIES or not (is_conflict or is_duplicate(error)):
                    raise
        raise AssertionError  # pragma: no cover - `count` does not end

    async def _in_transaction(
        self, account: str, audience: str, session: AsyncClientSession
    ) -> int:
        packed = list(pack(account, audience, await self._fresh(account, audience, session)))
        if packed:
            await self._write(account, packed, session)
        return len(packed)

    async def _fresh(
        self, account: str, audience: str, session: AsyncClientSession
    ) -> list[FreshRow]:
        which = {"account": account, "viewer": audience, "block": None}
        fields = {"date": 1, "content": 1, "terms_digest": 1}
        found = self._rows.find(which, fields, session=session).hint("by_block")
        found = found.sort("date", ASCENDING).limit(_MAX_READ_ROWS).batch_size(_MAX_READ_ROWS)
        listed = [from_document(FreshRow, document) async for document in found]
        terms = {row.id: self._remembered.of(row.content, row.terms_digest) for row in listed}
        missing = [row.id for row in listed if terms[row.id] is None]
        terms |= await self._read_terms(account, missing, session)
        rows: list[FreshRow] = []
        for row in listed:
            of_row = terms[row.id]
            if of_row is None:
                break
            rows.append(replace(row, terms=of_row))
        return rows

    async def _read_terms(
        self, account: str, rows: Sequence[str], session: AsyncClientSession
    ) -> dict[str, tuple[str, ...]]:
        """Return the terms of these rows, of the oldest at least, by their ids."""
        terms: dict[str, tuple[str, ...]] = {}
        read = 0
        for at in range(0, len(rows), MAX_ROWS):
            which = of_ids(account, rows[at : at + MAX_ROWS])
            found = self._rows.find(which, {"date": 1, "terms": 1}, session=session)
            async for document in found.batch_size(MAX_ROWS):
                row = from_document(FreshRow, document)
                terms[row.id] = row.terms
                read += len(row.terms)
            if read > _MAX_READ_TERMS:
                break
        return terms

    async def _write(self, account: str, packed: list[Packed], session: AsyncClientSession) -> None:
        blocks = [InsertOne(to_document(one.block)) for one in packed]
        await self._blocks.bulk_write(blocks, ordered=False, session=session)
        named = [
            UpdateMany(of_ids(account, one.rows), {"$set": {"block": one.block.place}})
            for one in packed
        ]
        await self._rows.bulk_write(named, ordered=False, session=session)
