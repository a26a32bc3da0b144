"""Rate limits per account, and per network within an account.

Attackers cannot make memory grow, because only an address with a valid MAC names an account. The
larger the backlog, the more a mail costs, so a flood slows down to the rate at which mail is
processed.
"""

import math
import time
from collections.abc import Callable

from services.ingest.limits import MIB

DEAREST = 10.0
"""So much slower an account may become, at most: while nothing is filed, mail is taken still."""


class Rates:
    """Token buckets per account: `rate` per second, `burst` at once. A rate of 0 means no limit.

    A bucket is stored as the time at which it is full again (GCRA), so a full one needs no memory.
    """

    def __init__(
        self,
        rate: float,
        burst: int,
        pressure: Callable[[], float] = lambda: 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """A mail costs `pressure` tokens, at least 1, at most DEAREST; a full bucket is enough."""
        self._rate, self._burst = rate, burst
        self._seconds = 1 / rate if rate else 0.0
        self._deepest = burst * self._seconds
        self._pressure, self._clock = pressure, clock
        self._full_at: dict[str, float] = {}
        self._forget_at = 1024

    def part(self, share: float) -> "Rates":
        """Return full buckets of this share of the size."""
        burst = max(1, round(self._burst * share))
        return Rates(self._rate * share, burst, self._pressure, self._clock)

    def wait(self, account: str, ahead: int = 0) -> int:
        """Return the seconds until a mail may be taken, 0 for now; charge nothing.

        `ahead` recipients of the account were accepted for this mail already. Only mail costs, so
        commands alone never use up an account's rate.
        """
        cost = self._cost() * self._seconds
        filling = self._full_at.get(account, 0.0) - self._clock()  # of a full bucket, below 0
        missing = max(filling, 0.0) + ahead * cost + min(cost, self._deepest) - self._deepest
        return math.ceil(missing) if missing > 1e-9 else 0

    def took(self, account: str, size: int, *, is_counted: bool = False) -> None:
        """Charge a mail of `size` bytes that was taken: once, and once more for each MiB.

        Not the once of one that `is_counted` already.
        """
        self.charge(account, (0 if is_counted else self._cost()) + size // MIB)

    def _cost(self) -> float:
        return min(max(self._pressure(), 1.0), DEAREST)

    def charge(self, account: str, tokens: float) -> None:
        """Take tokens, even below zero."""
        if not (self._seconds and tokens):
            return
        now = self._clock()
        self._full_at[account] = max(self._full_at.get(account, now), now) + tokens * self._seconds
        if len(self._full_at) > self._forget_at:
            self._full_at = {name: at for name, at in self._full_at.items() if at > now}
            self._forget_at = max(1024, 2 * len(self._full_at))


class SharedRates:
    """The rate of an account, and the share of it that one network may use.

    An attacker who knows one address gets a share of the account's rate, never all of it.
    """

    def __init__(self, accounts: Rates, share: float = 1.0) -> None:
        """`share`, of each account's rate, is what one network may use up."""
        self._accounts, self._networks = accounts, accounts.part(share)

    def wait(self, account: str, network: str, ahead: int = 0) -> int:
        """Return the seconds until a mail from the network may be taken, as `Rates.wait`."""
        of_network = self._networks.wait(f"{account} {network}", ahead)
        return max(self._accounts.wait(account, ahead), of_network)

    def took(self, account: str, network: str, size: int) -> None:
        """Charge a mail that was taken, as `Rates.took`."""
        self._accounts.took(account, size)
        self._networks.took(f"{account} {network}", size)
