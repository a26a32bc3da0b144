"""What one sender, and one account, may take of ingest, so that the others get theirs.

* Connections: so many per address and in all. When all places are taken, whoever has been there
  longest without naming a capture address makes room: a sender with mail for us is served while
  thousands of others hold the line.
* Bytes of mail in hand, of SMTP and HTTP together: so many in all, a share of them per account.
* Mails per account and second: a token bucket each, in memory that does not grow with attackers,
  since only an address with a valid MAC names an account. The more mail waits to be filed, the more
  a mail costs: who floods slows down to what can be filed, who is quiet does not notice.
"""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Protocol

from services.ingest.metrics import BYTES_IN_HAND, SMTP_SESSIONS

MIB = 1024 * 1024
"""A mail counts once more for each, where mails are counted."""
DEAREST = 10.0
"""So much slower an account may become, at most: while nothing is filed, mail is taken still."""


@dataclass(frozen=True, slots=True)
class SmtpLimits:
    """What one SMTP session may do, in octets and seconds; and how many there may be."""

    mail_bytes: int
    idle_seconds: float = 300.0
    """Without a command, or a piece of a mail (RFC 5321 section 4.5.3.2)."""
    session_seconds: float = 3600.0
    slow_seconds: float = 60.0
    """After so long, a mail must have come at `min_rate` bytes a second."""
    min_rate: float = 1000.0
    commands: int = 1000
    """Without a mail that was taken."""
    errors: int = 20
    """Answers of 5xx."""
    recipients: int = 100
    """Per mail. RFC 5321 section 4.5.3.1.8: at least 100."""
    connections: int = 1000
    connections_per_address: int = 100


class Guest(Protocol):
    """A session, as far as its place is concerned."""

    def make_room(self) -> None:
        """Leave for somebody else."""

    def dismiss(self, answer: str) -> None:
        """Leave with this answer."""

    def hang_up(self) -> None:
        """Leave at once."""


class Places:
    """Who is connected. An address of IPv6 stands for its /64: a customer has as many as that."""

    def __init__(self, most: int, per_address: int) -> None:
        self._most, self._per_address = most, per_address
        self._per_account = max(1, most // 4)
        self._addresses: dict[Guest, str | None] = {}
        self._accounts: dict[Guest, str] = {}
        self._strangers: dict[Guest, None] = {}  # in the order in which they came
        self._taken: Counter[str] = Counter()
        self._sessions: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._addresses)

    def guests(self) -> list[Guest]:
        """Return who is here now."""
        return list(self._addresses)

    def enter(self, guest: Guest) -> bool:
        """Return whether there is a place; a stranger may have to leave for it."""
        if len(self._addresses) >= self._most:
            stranger = next(iter(self._strangers), None)
            if stranger is None:
                return False
            self.leave(stranger)
            stranger.make_room()
        self._addresses[guest] = None
        self._strangers[guest] = None
        SMTP_SESSIONS.set(len(self._addresses))
        return True

    def comes_from(self, guest: Guest, address: str) -> bool:
        """Return whether its address may have one more place."""
        network = _network(address)
        if self._taken[network] >= self._per_address:
            return False
        if guest in self._addresses:
            self._addresses[guest] = network
            self._taken[network] += 1
        return True

    def names(self, guest: Guest, account: str) -> bool:
        """Return whether a guest with mail for an account may stay, so that no stranger can be.

        One account's sessions take at most a quarter of all places.
        """
        if guest not in self._strangers:
            return True
        if self._sessions[account] >= self._per_account:
            return False
        del self._strangers[guest]
        self._accounts[guest] = account
        self._sessions[account] += 1
        return True

    def leave(self, guest: Guest) -> None:
        """Free the place, if the guest still has it."""
        network = self._addresses.pop(guest, None)
        account = self._accounts.pop(guest, None)
        self._strangers.pop(guest, None)
        SMTP_SESSIONS.set(len(self._addresses))
        for counter, key in ((self._taken, network), (self._sessions, account)):
            if key is not None:
                counter[key] -= 1
                if not counter[key]:
                    del counter[key]


def _network(address: str) -> str:
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, IPv6Address):
        return str(ip.ipv4_mapped or ip_network((ip, 64), strict=False))
    return str(ip)


class InHand:
    """The mails that are being read or made durable, until they are answered."""

    def __init__(self, most: int, share: int) -> None:
        """`most` bytes in all, `share` of them for the mails of one account."""
        self._most, self._share = most, share
        self._by_account: Counter[str] = Counter()
        self._total = 0
        self._holds: set[Hold] = set()
        self.idle = asyncio.Event()
        self.idle.set()

    def hold(self, accounts: Collection[str]) -> "Hold":
        """Begin to hold a mail for these accounts."""
        hold = Hold(self, frozenset(accounts))
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
        """Whether a mail may have so many bytes now."""
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
        BYTES_IN_HAND.set(self._total)


class Hold:
    """One mail in hand."""

    def __init__(self, in_hand: InHand, accounts: frozenset[str]) -> None:
        self._in_hand, self.accounts = in_hand, accounts
        self.size = 0
        self._refused = False

    def may_hold(self, size: int) -> bool:
        """Count so many bytes; once they may not be held, they never may."""
        self._refused = self._refused or not self._in_hand.has_room(self, size)
        self._in_hand.resize(self, 0 if self._refused else size)
        return not self._refused

    def release(self) -> None:
        """Hold it no more; harmless the second time."""
        self._in_hand.release(self)


class Rates:
    """A token bucket per account: `rate` a second, `burst` at once. A rate of 0 limits nothing.

    A bucket is the moment at which it is full again (GCRA), so a full one needs no memory.
    """

    def __init__(
        self,
        rate: float,
        burst: int,
        pressure: Callable[[], float] = lambda: 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """A mail costs `pressure` tokens, at least 1, at most DEAREST; a full bucket is enough."""
        self._seconds = 1 / rate if rate else 0.0
        self._deepest = burst * self._seconds
        self._pressure, self._clock = pressure, clock
        self._full_at: dict[str, float] = {}
        self._forget_at = 1024

    def take(self, account: str) -> int:
        """Take what a mail costs and return 0; or nothing, and return the seconds to wait."""
        cost = min(max(self._pressure(), 1.0), DEAREST)
        now = self._clock()
        filling = self._full_at.get(account, now) - now  # of a full bucket, not above 0
        missing = filling + min(cost * self._seconds, self._deepest) - self._deepest
        if missing > 1e-9:
            return math.ceil(missing)
        self.charge(account, cost)
        return 0

    def charge(self, account: str, tokens: float) -> None:
        """Take tokens, also those that are not there yet."""
        if not (self._seconds and tokens):
            return
        now = self._clock()
        self._full_at[account] = max(self._full_at.get(account, now), now) + tokens * self._seconds
        if len(self._full_at) > self._forget_at:
            self._full_at = {name: at for name, at in self._full_at.items() if at > now}
            self._forget_at = max(1024, 2 * len(self._full_at))
