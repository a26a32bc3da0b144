"""Group commit: what is waiting is written together, in one transaction.

    submit -> a lane, always the same for an account
    -> drain: live before backfill, at most 64 requests or 8 MiB; no timer, so an idle writer
       writes a batch of one at once
    -> load -> apply -> blobs -> bulk writes -> commit -> every `submit` of the batch returns

* A request fails alone only for what it is: when `apply` raises on it, or when its documents are
  refused by the database. The batch is halved until that request is found; all others are written.
* What is transient (the database or the blob store is away, a conflict, an unknown commit) repeats
  the batch from its load, until one deadline. Then every `submit` of it raises DatabaseAway or
  BlobStoreAway. Repeating is safe: what was committed is found as recorded.
* After a few conflicts a batch is split: by account first, so that one account's conflicts do not
  delay its neighbours, then in halves.
* Blobs, the bytes of large mails, are durable before the commit that names them.
"""

import asyncio
import contextlib
import contextvars
import secrets
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import pymongo
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import PyMongoError

from services.timeline.metrics import BATCH_REQUESTS, CONFLICTS, HALVINGS
from services.timeline.write.apply import Applied, apply
from services.timeline.write.committing import commit, moved_mails
from services.timeline.write.lanes import (
    Lane,
    Pending,
    answer_all,
    by_account,
    drop_all,
    fail_all,
    halves,
)
from services.timeline.write.listed_records import MailRow
from services.timeline.write.loading import load
from services.timeline.write.needed import first_queries, second_queries
from services.timeline.write.recording import FORGOTTEN, is_final, part_of
from services.timeline.write.records import Outcome
from services.timeline.write.requests import Answer, Request
from services.timeline.write.state import NotLoaded, State
from services.timeline.write.stored import from_document
from shared.contracts.events import MailAttached
from shared.storage.blobs import Blobs, BlobStoreAway
from shared.storage.database import (
    Database,
    DatabaseAway,
    Document,
    database_errors,
    is_duplicate,
    is_too_large,
    of_id,
)

LANES = 4
MAX_MOVED = 500
"""Mails that a batch may rename by merges; a larger merge goes alone."""
DEADLINE_SECONDS = 10
"""For all tries of a batch together."""
_CONFLICTS = 3
"""Conflicts in a row after which a batch is split."""
SLOTS = 64
_PAUSE_SECONDS = 0.02
_CLOSE_SECONDS, _LEAVE_SECONDS = 2.0, 0.3
_TRANSIENT, _UNKNOWN_COMMIT = "TransientTransactionError", "UnknownTransactionCommitResult"


class _Conflict(Exception):
    """The batch met others too often: it has to be split."""


class _TooMuch(Exception):
    """The batch merges too much to go together."""


class Writer:
    """Writes requests in groups."""

    def __init__(
        self,
        client: AsyncMongoClient[Document],
        database: Database,
        blobs: Blobs,
        wrote_row: Callable[[MailRow], None] = lambda _: None,
    ) -> None:
        """`wrote_row` is told each row whose terms are in no block."""
        self._client, self._database, self._blobs = client, database, blobs
        self._wrote_row = wrote_row
        self._lanes = [Lane() for _ in range(LANES)]
        first = secrets.randbelow(SLOTS)  # replicas begin at different ones
        self._slots = {id(lane): (first + n) % SLOTS for n, lane in enumerate(self._lanes)}
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self._is_mongos: bool | None = None
        self._awaited = 0

    async def submit(self, request: Request) -> Answer:
        """Write a request; return once it is committed.

        Raises DatabaseAway or BlobStoreAway if it failed but may work later. If it never will,
        raises what `apply` or the database raised.
        """
        self._start()
        pending = Pending(request, asyncio.get_running_loop().create_future())
        self._lanes[zlib.crc32(pending.account.encode()) % LANES].put(pending)
        self._awaited += 1
        try:
            return await pending.answer
        finally:
            self._awaited -= 1

    async def has_seen(self, event: MailAttached) -> bool:
        """Return whether this event has been recorded."""
        which = of_id(event.account, str(event.capture_id))
        found = await self._database[Outcome.collection].find_one(which)
        if found is None:
            return False
        outcome = from_document(Outcome, found)
        is_kept = outcome.decision in ("attached", "quarantined") or outcome.reason == FORGOTTEN
        return is_final(outcome) or (is_kept and part_of(event) in outcome.parts)

    def _start(self) -> None:
        if not self._tasks:
            # A context each, not that of the request that comes first. In a common one, the
            # deadline of a lane's batch (`pymongo.timeout`) would be left behind to the others.
            self._tasks = [
                asyncio.create_task(self._run(lane), context=contextvars.Context())
                for lane in self._lanes
            ]

    async def run(self) -> None:
        """Write until `stop`, then what still waits."""
        await self._stopping.wait()
        await self.close()

    def stop(self) -> None:
        """Let `run` end. First stop everything that submits."""
        self._stopping.set()

    async def close(self) -> None:
        """Finish the batches in flight that have callers.

        Batches that wait for a silent server are abandoned: they were not acknowledged, and come
        again.
        """
        self._stopping.set()
        for lane in self._lanes:
            lane.filled.set()
        if not self._tasks:
            return
        patience = _CLOSE_SECONDS if self._awaited else _LEAVE_SECONDS
        _, hanging = await asyncio.wait(self._tasks, timeout=patience)
        for task in hanging:
            task.cancel()
        if hanging:  # each tries to abort its transaction, on a server that may be silent
            await asyncio.wait(hanging, timeout=_LEAVE_SECONDS)

    async def _run(self, lane: Lane) -> None:
        slot = self._slots[id(lane)]
        while True:
            await lane.filled.wait()
            batch = lane.drain(one_account=await self._spans_shards())
            if batch:
                BATCH_REQUESTS.observe(len(batch))
                await self._write(batch, slot)
            elif self._stopping.is_set():
                return

    async def _spans_shards(self) -> bool:
        """Return whether a transaction of several accounts may span shards."""
        if self._is_mongos is None:
            with contextlib.suppress(PyMongoError):
                self._is_mongos = await self._client.is_mongos
        return bool(self._is_mongos)

    async def _write(self, batch: Sequence[Pending], slot: int) -> None:
        """Write a batch, and answer everybody who waits for it. Raises only what cancels it."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        try:
            with pymongo.timeout(DEADLINE_SECONDS):
                await self._write_or_split(batch, slot, deadline)
        finally:
            drop_all(batch)

    async def _write_or_split(self, batch: Sequence[Pending], slot: int, deadline: float) -> None:
        try:
            answers = await self._repeat(batch, slot, deadline)
        except (DatabaseAway, BlobStoreAway) as away:
            fail_all(batch, away)
        except (_Conflict, _TooMuch):
            for part in by_account(batch) or halves(batch):
                await self._write_or_split(part, slot, deadline)
        except Exception as error:
            if len(batch) == 1:
                fail_all(batch, error)
                return
            HALVINGS.inc()
            for part in halves(batch):
                await self._write_or_split(part, slot, deadline)
        else:
            answer_all(batch, answers)

    async def _repeat(
        self, batch: Sequence[Pending], slot: int, deadline: float
    ) -> Sequence[Answer]:
        """Write a batch in a transaction, again and again while that may help."""
        requests, stored = [pending.request for pending in batch], set[str]()
        upsert, apart, conflicts = False, await self._spans_shards(), 0
        while True:
            try:
                return await self._try(requests, slot, stored, deadline, upsert=upsert, apart=apart)
            except PyMongoError as error:
                if is_duplicate(error) and not upsert:
                    upsert = True
                    continue
                if is_too_large(error) and not apart:
                    apart = True
                    continue
                if not _is_transient(error):
                    with database_errors():
                        raise
                CONFLICTS.inc()
                conflicts += 1
                if conflicts >= _CONFLICTS and len(batch) > 1:
                    raise _Conflict from error
                seconds = _PAUSE_SECONDS * 2 ** min(conflicts, 5) * secrets.randbelow(100) / 100
                if time.monotonic() + seconds > deadline:
                    with database_errors():
                        raise
                await asyncio.sleep(seconds)

    async def _try(
        self,
        requests: Sequence[Request],
        slot: int,
        stored: set[str],
        deadline: float,
        *,
        upsert: bool,
        apart: bool,
    ) -> Sequence[Answer]:
        async with (
            self._client.start_session() as session,
            await session.start_transaction(),
        ):
            applied = await self._apply(requests, None if apart else slot, session)
            if len(requests) > 1 and moved_mails(applied.draft) > MAX_MOVED:
                raise _TooMuch
            await self._store(applied.draft.blobs, stored)
            await commit(self._database, applied.draft, slot, session, upsert=upsert)
            await _commit(session, deadline)
        for record in applied.draft.written.values():
            if isinstance(record, MailRow) and record.block is None:
                self._wrote_row(record)
        return applied.answers

    async def _apply(
        self, requests: Sequence[Request], slot: int | None, session: AsyncClientSession
    ) -> Applied:
        state, now = State(), datetime.now(UTC)
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)
        await load(self._database, state, first_queries(requests), session, slot=slot)
        await load(self._database, state, second_queries(state, requests), session, slot=slot)
        while True:
            try:
                return apply(state, requests, now)
            except NotLoaded as missing:
                await load(self._database, state, missing.queries, session, slot=slot)

    async def _store(self, blobs: Mapping[str, bytes], stored: set[str]) -> None:
        """Make the bytes durable that the batch is about to name."""
        new = {key: raw for key, raw in blobs.items() if key not in stored}
        await asyncio.gather(*(self._blobs.put(key, raw) for key, raw in new.items()))
        stored |= new.keys()


async def _commit(session: AsyncClientSession, deadline: float) -> None:
    """Commit; again while it is unknown whether that worked.

    A transaction whose commit was lost is still open on the server: to begin another one instead
    would conflict with it until it expires.
    """
    while True:
        try:
            return await session.commit_transaction()
        except PyMongoError as error:
            is_over = time.monotonic() + _PAUSE_SECONDS > deadline
            if is_over or not error.has_error_label(_UNKNOWN_COMMIT):
                raise
            await asyncio.sleep(_PAUSE_SECONDS)


def _is_transient(error: PyMongoError) -> bool:
    return error.has_error_label(_TRANSIENT) or error.has_error_label(_UNKNOWN_COMMIT)
