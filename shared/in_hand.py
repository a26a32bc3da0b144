"""The bytes of mail that a process has in hand: being read, made durable or explained.

So many in all, a share of them per account. When there is no room, mails that come slowest make
it: whoever sends a large beginning and then a line now and then holds up nobody.
"""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Callable, Collection

_SLOW = 64 * 1024
"""Bytes a second; a mail that comes slower than this makes room for others."""
_MEMORY_SECONDS = 5.0
"""Of a mail's pace: what came before counts ever less. So long a mail may just begin, too."""


class InHand:
    """The mails that are being read or made durable, until they are answered."""

    def __init__(
        self,
        most: int,
        share: int,
        clock: Callable[[], float] = time.monotonic,
        tell: Callable[[int], object] = lambda _: None,
    ) -> None:
        """`most` bytes in all, `share` of them for one account; `tell` hears how many there are."""
        self._tell = tell
        self._most, self._share, self.clock = most, share, clock
        self._by_account: Counter[str] = Counter()
        self._total = 0
        self._holds: set[Hold] = set()
        self.idle = asyncio.Event()
        self.idle.set()

    def hold(
        self, accounts: Collection[str], make_room: Callable[[], None] | None = None
    ) -> "Hold":
        """Begin to hold a mail for these accounts.

        `make_room` ends its session, when it comes too slowly and others need the room.
        """
        hold = Hold(self, frozenset(accounts), make_room)
        self._holds.add(hold)
        self.idle.clear()
        return hold

    def release(self, hold: "Hold") -> None:
        """Hold a mail no more."""
        self.resize(hold, 0)
        self._holds.discard(hold)
        if not self._holds:
            self.idle.set()

    def has_room(self, hold: "Hold", size: int) -> bool:
        """Whether a mail may have so many bytes now; slower ones may have to leave for it."""
        while not self._fits(hold, size):
            slowest = self._slowest(but=hold, accounts=self._full(hold, size))
            if slowest is None:
                return False
            slowest.evict()
        return True

    def _full(self, hold: "Hold", size: int) -> frozenset[str] | None:
        """Return the accounts whose share is used up; None when there is no room for anybody."""
        more = size - hold.size
        if self._total + more > self._most:
            return None
        return frozenset(a for a in hold.accounts if self._by_account[a] + more > self._share)

    def _slowest(self, but: "Hold", accounts: frozenset[str] | None) -> "Hold | None":
        """Return the slowest mail that is too slow while others need the room."""
        can_leave = [
            hold
            for hold in self._holds
            if hold is not but and hold.size and hold.can_leave()
            if accounts is None or not accounts.isdisjoint(hold.accounts)
        ]
        slowest = min(can_leave, key=Hold.pace, default=None)
        return slowest if slowest is not None and slowest.pace() < _SLOW else None

    def _fits(self, hold: "Hold", size: int) -> bool:
        more = size - hold.size
        most_of_one = max((self._by_account[account] for account in hold.accounts), default=0)
        return self._total + more <= self._most and most_of_one + more <= self._share

    def resize(self, hold: "Hold", size: int) -> None:
        """Count a mail with so many bytes."""
        more = size - hold.size
        self._total += more
        for account in hold.accounts:
            self._by_account[account] += more
            if not self._by_account[account]:
                del self._by_account[account]
        hold.size = size
        self._tell(self._total)


class Hold:
    """One mail in hand."""

    def __init__(
        self,
        in_hand: InHand,
        accounts: frozenset[str],
        make_room: Callable[[], None] | None = None,
    ) -> None:
        self._in_hand, self.accounts, self._make_room = in_hand, accounts, make_room
        self.size = 0
        self._refused = False
        self._begun_at = self._moved_at = in_hand.clock()
        self._pace = 0.0

    def can_leave(self) -> bool:
        """Whether it is still arriving, for a while, in a session that can be ended."""
        age = self._in_hand.clock() - self._begun_at
        return self._make_room is not None and age >= _MEMORY_SECONDS

    def pace(self) -> float:
        """Return how many bytes a second came lately."""
        return self._pace * math.exp((self._moved_at - self._in_hand.clock()) / _MEMORY_SECONDS)

    def may_hold(self, size: int) -> bool:
        """Count so many bytes; once they may not be held, they never may."""
        came = max(0, size - self.size)
        self._pace, self._moved_at = self.pace() + came / _MEMORY_SECONDS, self._in_hand.clock()
        self._refused = self._refused or not self._in_hand.has_room(self, size)
        self._in_hand.resize(self, 0 if self._refused else size)
        return not self._refused

    def arrived(self) -> None:
        """Note that all of it is here: what is being made durable makes no room."""
        self._make_room = None

    def evict(self) -> None:
        """Make room for others, and end the session."""
        leave, self._make_room, self._refused = self._make_room, None, True
        self._in_hand.resize(self, 0)
        if leave is not None:
            leave()

    def release(self) -> None:
        """Hold it no more; harmless the second time."""
        self._in_hand.release(self)
