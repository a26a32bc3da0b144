"""The requests waiting in each lane, and how batches are taken and split. No I/O."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.timeline.write.records import RAW_IN_DATABASE_BYTES
from services.timeline.write.requests import (
    Answer,
    Attach,
    Replace,
    Request,
    account_of,
    is_backfill,
)

MAX_REQUESTS = 64
MAX_BYTES = 8 << 20
"""Of the documents of one batch, about. A MongoDB transaction with more costs its cache dearly."""
_ROWS = 8192
"""Bytes of a mail beside its text and its raw bytes: rows, summaries, tokens."""
_TEXT = 4
"""The text itself, and the terms of it that the rows of two audiences keep."""


@dataclass(slots=True, eq=False)
class Pending:
    """A waiting request and its caller."""

    request: Request
    answer: asyncio.Future[Answer]

    @property
    def account(self) -> str:
        """The account that it writes to."""
        return account_of(self.request)


@dataclass(slots=True)
class Lane:
    """The requests waiting for one writing task."""

    live: deque[Pending] = field(default_factory=deque)
    backfill: deque[Pending] = field(default_factory=deque)
    filled: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, pending: Pending) -> None:
        """Add a request."""
        (self.backfill if is_backfill(pending.request) else self.live).append(pending)
        self.filled.set()

    def drain(self, *, one_account: bool) -> list[Pending]:
        """Take the next batch."""
        batch: list[Pending] = []
        size = 0
        for waiting in (self.live, self.backfill):
            left: list[Pending] = []
            while waiting and len(batch) < MAX_REQUESTS and size < MAX_BYTES:
                pending = waiting.popleft()
                if one_account and batch and pending.account != batch[0].account:
                    left.append(pending)
                    continue
                batch.append(pending)
                size += size_of(pending.request)
            waiting.extendleft(reversed(left))
        if not self.live and not self.backfill:
            self.filled.clear()
        return batch


def answer_all(batch: Sequence[Pending], answers: Sequence[Answer]) -> None:
    """Answer each request. A caller may have been cancelled."""
    for pending, answer in zip(batch, answers, strict=True):
        if not pending.answer.done():
            pending.answer.set_result(answer)


def fail_all(batch: Sequence[Pending], error: Exception) -> None:
    """Raise the error in each caller."""
    for pending in batch:
        if not pending.answer.done():
            pending.answer.set_exception(error)


def drop_all(batch: Sequence[Pending]) -> None:
    """Cancel the unanswered requests."""
    for pending in batch:
        pending.answer.cancel()


def by_account(batch: Sequence[Pending]) -> list[list[Pending]]:
    """Return the batch split by account; nothing if it has only one."""
    parts: dict[str, list[Pending]] = {}
    for pending in batch:
        parts.setdefault(pending.account, []).append(pending)
    return list(parts.values()) if len(parts) > 1 else []


def halves(batch: Sequence[Pending]) -> tuple[Sequence[Pending], Sequence[Pending]]:
    """Return the first and the second half of a batch of two or more."""
    middle = (len(batch) + 1) // 2
    return batch[:middle], batch[middle:]


def size_of(request: Request) -> int:
    """Return about how many bytes of documents a request writes.

    A transaction's writes stay in the server's cache until it ends. If several lanes fill the
    cache, MongoDB rolls them back.
    """
    raw = 0
    if isinstance(request, Attach):
        contents = [request.projection.content]
        if len(request.raw) <= RAW_IN_DATABASE_BYTES:
            raw = len(request.raw)
    elif isinstance(request, Replace):
        contents = [projection.content for projection in request.projections]
    else:
        return 1024
    kept = sum(_ROWS + _TEXT * len(content.text) + len(content.html or "") for content in contents)
    return raw + kept
