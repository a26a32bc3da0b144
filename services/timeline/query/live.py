"""Live updates: every open inbox learns what changed in it, whichever replica wrote the change.

One change stream per process follows `changes` (`changes.py`) and passes each hint to the
listeners that may see it, by the account's visibility at that moment. A hint says what to fetch
and has no content. A client that falls behind, or reconnects too late, is told to fetch everything
again.
"""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog
from bson import ObjectId
from bson.errors import InvalidId
from pymongo.errors import OperationFailure, PyMongoError

from services.timeline.metrics import LIVE_STREAMS
from services.timeline.query.changes import Change, Changes, audiences_of
from services.timeline.query.viewer import Viewer, viewer_of
from services.timeline.write.account_settings import AccountSettings
from services.timeline.write.indexes import HINTS_KEPT
from services.timeline.write.side_records import EVERYBODY
from services.timeline.write.stored import from_document
from shared.http.auth import Caller
from shared.runtime.process import unless
from shared.storage.database import Document

_MAX_WAITING = 1000
_OVERLAP = timedelta(seconds=15)
"""More than a transaction takes: one that began before an id was made may be seen after it."""
_WAIT_MILLISECONDS = 500
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Hint:
    """A hint for a client."""

    kind: str
    """`ready` once; `changed`, with a conversation's id; `setup`: one's own set-up; `refetch`:
    everything."""
    id: str
    conversation_id: str | None = None


@dataclass(eq=False, slots=True)
class _Listener:
    caller: Caller
    hints: asyncio.Queue[Hint] = field(default_factory=lambda: asyncio.Queue(_MAX_WAITING))

    def tell(self, hint: Hint) -> None:
        if self.hints.full():
            while not self.hints.empty():
                self.hints.get_nowait()
            hint = _refetch()
        self.hints.put_nowait(hint)


class Live:
    """Follows the changes; any number of listeners."""

    def __init__(self, changes: Changes, settings: AccountSettings) -> None:
        self._changes, self._settings = changes, settings
        self._listeners: dict[str, set[_Listener]] = defaultdict(set)
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Follow until `stop`."""
        await unless(self._stopping, self._follow())

    async def _follow(self) -> None:
        resume: Document | None = None
        while True:
            try:
                async with await self._changes.collection.watch(
                    [{"$match": {"operationType": "insert"}}],
                    resume_after=resume,
                    max_await_time_ms=_WAIT_MILLISECONDS,
                ) as stream:
                    if resume is None:
                        self._tell_all(_refetch())  # what was missed meanwhile is unknown
                    while True:
                        change = await stream.try_next()
                        resume = dict(stream.resume_token) if stream.resume_token else resume
                        if change is not None:
                            await self._hand_on(from_document(Change, change["fullDocument"]))
            except PyMongoError as error:
                if isinstance(error, OperationFailure):  # the place to go on from is lost
                    resume = None
                log.warning("changes cannot be followed", why=type(error).__name__)
                await asyncio.sleep(1)

    def stop(self) -> None:
        """Let `run` and every listener end."""
        self._stopping.set()

    async def listen(self, caller: Caller, last_id: str | None) -> AsyncIterator[Hint]:
        """Yield what changes for the caller, first what changed since a hint's id.

        Ends when the service stops or the caller's token expires.
        """
        with self._listening(caller) as listener:
            yield Hint("ready", str(ObjectId()))
            for hint in await self._since(caller, last_id) if last_id else []:
                yield hint
            while not self._stopping.is_set():
                left = caller.expires_at - time.time()
                if left <= 0:
                    return
                with contextlib.suppress(TimeoutError):
                    yield await asyncio.wait_for(listener.hints.get(), min(left, 1.0))

    @contextlib.contextmanager
    def _listening(self, caller: Caller) -> Iterator[_Listener]:
        listener = _Listener(caller)
        self._listeners[caller.account].add(listener)
        LIVE_STREAMS.inc()
        try:
            yield listener
        finally:
            LIVE_STREAMS.dec()
            self._listeners[caller.account].discard(listener)
            if not self._listeners[caller.account]:
                del self._listeners[caller.account]

    async def _since(self, caller: Caller, last_id: str) -> list[Hint]:
        try:
            since = ObjectId(last_id).generation_time - _OVERLAP
        except InvalidId:
            return [_refetch()]
        if datetime.now(UTC) - since > HINTS_KEPT:
            return [_refetch()]
        viewer = await viewer_of(self._settings, caller)
        found = await self._changes.since(viewer, ObjectId.from_datetime(since), _MAX_WAITING)
        if len(found) == _MAX_WAITING:
            return [_refetch()]
        return [_changed(change) for change in found]

    async def _hand_on(self, change: Change) -> None:
        listeners = list(self._listeners.get(change.account, ()))
        if not listeners:
            return
        own_only = await self._settings.visibility(change.account) == "owner"
        for listener in listeners:
            viewer = Viewer(change.account, listener.caller.person_id, own_only)
            if change.audience in audiences_of(viewer):
                listener.tell(_changed(change))

    def _tell_all(self, hint: Hint) -> None:
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.tell(hint)


def _changed(change: Change) -> Hint:
    if change.audience == EVERYBODY:
        return Hint("refetch", str(change.id))
    if not change.conversation_id:
        return Hint("setup", str(change.id))
    return Hint("changed", str(change.id), change.conversation_id)


def _refetch() -> Hint:
    return Hint("refetch", str(ObjectId()))
