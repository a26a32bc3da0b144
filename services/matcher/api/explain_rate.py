"""Limits how many bytes of mail are explained per second: by one account, and by all.

Explaining a mail reads and decides it like real mail, and costs as much. `in_flight` limits how
much is explained at once, this module how much over time.
"""

import math
import time
from collections.abc import Callable

from shared.http.web import Code, Problem

_BURST_SECONDS = 32
"""What may come at once, in seconds of the rate."""
ACCOUNTS = 4
"""So many accounts may use up their rate at the same time."""
_FORGET_AT = 1024


class ExplainRate:
    """A token bucket of bytes for each account, and one for all. A rate of 0 limits nothing.

    A bucket is the moment at which it is full again (GCRA). A mail is charged once it was read, so
    one that is larger than what is left goes through, and the next waits.
    """

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = rate, clock
        self._full_at: dict[str, float] = {}
        self._all_full_at = 0.0

    def check(self, account: str) -> None:
        """Raise the problem 429 while the account's bucket is empty, 503 while that of all is."""
        now = self._clock()
        wait = self._full_at.get(account, now) - now - _BURST_SECONDS
        if wait > 0:
            detail = "the account has explained too many bytes, try again"
            raise Problem(Code.RATE_LIMITED, detail, retry_after=math.ceil(wait))
        wait = self._all_full_at - now - _BURST_SECONDS
        if wait > 0:
            detail = "too many bytes are explained, try again"
            raise Problem(Code.BUSY, detail, retry_after=math.ceil(wait))

    def charge(self, account: str, size: int) -> None:
        """Charge what was read."""
        if not self._rate:
            return
        now, seconds = self._clock(), size / self._rate
        self._full_at[account] = max(self._full_at.get(account, now), now) + seconds
        self._all_full_at = max(self._all_full_at, now) + seconds / ACCOUNTS
        if len(self._full_at) > _FORGET_AT:
            self._full_at = {name: at for name, at in self._full_at.items() if at > now}
