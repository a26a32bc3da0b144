"""Limits concurrent imports: each needs a file of up to 256 MiB, and work in the database.

There is a limit per account, and one in all. A slow upload is dropped for a new one: otherwise a
few endless uploads would keep every account from importing. An import whose body has arrived keeps
its place until it is stored.
"""

import time
from collections.abc import Callable

from shared.http.web import Code, Problem

_STEP = 1024 * 1024
_STEP_SECONDS = 16.0
"""An upload that takes longer for a MiB is slow: below 64 KiB a second."""
_RETRY_SECONDS = 30


class ImportPlaces:
    """The imports of this process."""

    def __init__(
        self, most: int, per_account: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._per_account, self.clock = most, per_account, clock
        self._taken: dict[ImportPlace, None] = {}  # in the order in which they came

    def __len__(self) -> int:
        return len(self._taken)

    def enter(self, account: str) -> "ImportPlace":
        """Return a place. Raises the problems 429 (the account has enough) and 503 (all taken)."""
        own = [place for place in self._taken if place.account == account]
        if len(own) >= self._per_account and not _make_room(own):
            detail = f"the account has {len(own)} imports under way: wait until one is done"
            raise Problem(Code.TOO_MANY_IMPORTS, detail, retry_after=_RETRY_SECONDS)
        if len(self._taken) >= self._most and not _make_room(list(self._taken)):
            detail = "too many imports at a time, try again"
            raise Problem(Code.BUSY, detail, retry_after=_RETRY_SECONDS)
        place = ImportPlace(self, account)
        self._taken[place] = None
        return place

    def leave(self, place: "ImportPlace") -> None:
        """Free the place, if it is still taken."""
        self._taken.pop(place, None)


class ImportPlace:
    """The place of one import."""

    def __init__(self, places: ImportPlaces, account: str) -> None:
        self._places, self.account = places, account
        self._size, self._reached_at = 0, places.clock()
        self._has_arrived = False
        self.end_upload: Callable[[], None] = lambda: None
        """What is called when the upload has to make room."""

    def grow(self, size: int) -> None:
        """Note how much has arrived."""
        if size // _STEP > self._size // _STEP:
            self._reached_at = self._places.clock()
        self._size = size

    def complete(self) -> None:
        """Note that all has arrived."""
        self._has_arrived = True

    @property
    def is_slow(self) -> bool:
        """Whether it arrives slowly."""
        waited = self._places.clock() - self._reached_at
        return not self._has_arrived and waited > _STEP_SECONDS

    def leave(self) -> None:
        """Free the place. A second call does nothing."""
        self._places.leave(self)


def _make_room(places: list[ImportPlace]) -> bool:
    slow = next((place for place in places if place.is_slow), None)
    if slow is not None:
        slow.leave()
        slow.end_upload()
    return slow is not None
