"""What the timeline's writer makes of requests where nothing was before, without a database."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, TypeVar

from services.timeline.write.apply import apply_one
from services.timeline.write.records import Kept
from services.timeline.write.requests import Request
from services.timeline.write.state import ById, Draft, OfConversation, Query, State

K = TypeVar("K", bound=Kept)


class EmptyState(State):
    """A database that has nothing: whatever is asked for is absent."""

    def __contains__(self, query: Query) -> bool:
        return True

    def one(self, kind: type[K], account: str, id_: str) -> K | None:
        """Return None."""
        return None

    def known(self, query: ById) -> None:
        """Return None."""
        return

    def all(self, query: OfConversation) -> tuple[Any, ...]:
        """Return nothing."""
        return ()


class Applied:
    """Requests, applied one after the other."""

    def __init__(self) -> None:
        self.draft = Draft(EmptyState())

    def add(self, request: Request, now: datetime) -> None:
        """Apply one more, at this moment."""
        apply_one(self.draft, request, now)

    def records(self) -> Iterator[Kept]:
        """Yield all that is there then."""
        return (record for record in self.draft.written.values() if record is not None)
