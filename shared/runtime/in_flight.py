"""The bytes of mail in flight: being received, made durable or explained by this process.

There is a limit for all of them, and a share of it for one account. A reservation that does not fit
evicts the slowest mail that is still arriving: a sender who stops in the middle of a large mail
must not keep others out.
"""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Callable, Collection

_SLOW = 64 * 1024
"""Bytes a second; a mail that arrives more slowly may be evicted."""
_WINDOW_SECONDS = 5.0
"""Of the moving average of a mail's rate. A younger mail is not evicted."""


class InFlight:
    """The mails in flight, until they are answered."""

    def __init__(
        self,
        most: int,
        share: int,
        clock: Callable[[], float] = time.monotonic,
        report: Callable[[int], object] = lambda _: None,
    ) -> None:
        """Allow `most` bytes in all, `share` of them to one account; `report` gets each total."""
        self._most, self._share, self.clock, self._report = most, share, clock, report
        self._by_account: Counter[str] = Counter()
        self._total = 0
        self._reservations: set[Reservation] = set()
        self.idle = asyncio.Event()
        self.idle.set()

    def reserve(
        self, accounts: Collection[str], end_session: Callable[[], None] | None = None
    ) -> "Reservation":
        """Return an empty reservation for a mail to these accounts.

        `end_session` is called when the mail is evicted; without it the mail never is.
        """
        made = Reservation(self, frozenset(accounts), end_session)
        self._reservations.add(made)
        self.idle.clear()
        return made

    def release(self, reservation: "Reservation") -> None:
        """Free what was reserved."""
        self.resize(reservation, 0)
        self._reservations.discard(reservation)
        if not self._reservations:
            self.idle.set()

    def make_room(self, reservation: "Reservation", size: int) -> bool:
        """Return whether a mail of `size` bytes fits, after evicting slower mails if necessary."""
        while not self._fits(reservation, size):
            slowest = self._slowest(reservation, self._full(reservation, size))
            if slowest is None:
                return False
            slowest.evict()
        return True

    def resize(self, reservation: "Reservation", size: int) -> None:
        """Count a mail with `size` bytes."""
        more = size - reservation.size
        self._total += more
        for account in reservation.accounts:
            self._by_account[account] += more
            if not self._by_account[account]:
                del self._by_account[account]
        reservation.size = size
        self._report(self._total)

    def _fits(self, reservation: "Reservation", size: int) -> bool:
        more = size - reservation.size
        of_one = max((self._by_account[account] for account in reservation.accounts), default=0)
        return self._total + more <= self._most and of_one + more <= self._share

    def _full(self, reservation: "Reservation", size: int) -> frozenset[str] | None:
        """Return the accounts that are over their share; None when the whole limit is reached."""
        more = size - reservation.size
        if self._total + more > self._most:
            return None
        accounts = reservation.accounts
        return frozenset(a for a in accounts if self._by_account[a] + more > self._share)

    def _slowest(
        self, needing: "Reservation", accounts: frozenset[str] | None
    ) -> "Reservation | None":
        """Return the slowest mail, of these accounts or of all, that may be evicted."""
        evictable = [
            other
            for other in self._reservations
            if other is not needing and other.size and other.is_evictable()
            if accounts is None or not accounts.isdisjoint(other.accounts)
        ]
        slowest = min(evictable, key=Reservation.rate, default=None)
        return slowest if slowest is not None and slowest.rate() < _SLOW else None


class Reservation:
    """The bytes of one mail in flight."""

    def __init__(
        self,
        in_flight: InFlight,
        accounts: frozenset[str],
        end_session: Callable[[], None] | None = None,
    ) -> None:
        self._in_flight, self.accounts, self._end_session = in_flight, accounts, end_session
        self.size = self._arrived = 0
        self._refused = False
        self._begun_at = self._grown_at = in_flight.clock()
        self._rate = 0.0

    def grow(self, size: int, arrived: int | None = None) -> bool:
        """Reserve `size` bytes in all; return whether they fit. Once they did not, none ever do.

        So many have `arrived`, where room is reserved ahead.
        """
        arrived = size if arrived is None else arrived
        self._rate = self.rate() + max(0, arrived - self._arrived) / _WINDOW_SECONDS
        self._arrived = arrived
        self._grown_at = self._in_flight.clock()
        self._refused = self._refused or not self._in_flight.make_room(self, size)
        self._in_flight.resize(self, 0 if self._refused else size)
        return not self._refused

    def rate(self) -> float:
        """Return the bytes a second that arrived lately, as an exponential moving average."""
        idle = self._in_flight.clock() - self._grown_at
        return self._rate * math.exp(-idle / _WINDOW_SECONDS)

    def is_evictable(self) -> bool:
        """Return whether the mail is still arriving, and has been for a while."""
        age = self._in_flight.clock() - self._begun_at
        return self._end_session is not None and age >= _WINDOW_SECONDS

    @property
    def is_complete(self) -> bool:
        """Whether the whole mail has arrived, or may never be evicted."""
        return self._end_session is None

    def complete(self) -> None:
        """Note that the whole mail has arrived: it is not evicted any more."""
        self._end_session = None

    def evict(self) -> None:
        """Free the bytes and end the session."""
        end, self._end_session, self._refused = self._end_session, None, True
        self._in_flight.resize(self, 0)
        if end is not None:
            end()

    def release(self) -> None:
        """Free the bytes. A second call does nothing."""
        self._in_flight.release(self)
