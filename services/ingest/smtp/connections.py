"""Limits the number of SMTP sessions, and decides which one is closed when all places are taken.

The first to be closed is the oldest session without a recipient, then the session with a recipient
that has gone longest without a mail. So senders with mail are served while thousands of idle
sessions stay connected. The next is a session of the network with the most sessions, if it has at
least two more than the newcomer's. So somebody who fills all places with mails that never end
makes room too, but a session whose mail is being published does not. Each address, network and
account has a limit of its own. When an account reaches its limit, its own sessions make room in
the same way.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Protocol

from services.ingest.metrics import SMTP_SESSIONS

_IDLE_SECONDS = 10.0
"""A session with a recipient may be idle so long before it can lose its place."""


class Connection(Protocol):
    """A session, as far as its place is concerned."""

    @property
    def is_busy(self) -> bool:
        """Whether a mail is being received."""

    @property
    def is_filing(self) -> bool:
        """Whether a complete mail is being published."""

    def make_room(self) -> None:
        """Close the session to make room for another one."""

    def dismiss(self, answer: str) -> None:
        """Close the session with this answer."""

    def hang_up(self) -> None:
        """Close the connection at once."""


class ConnectionLimiter:
    """The connected sessions. An IPv6 address counts as its /64, which is what one customer has."""

    def __init__(
        self,
        most: int,
        per_address: int,
        per_network: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`per_network` counts a /24 of IPv4, a /48 of IPv6."""
        self._most, self._per_address, self._per_network = most, per_address, per_network
        self._per_account = max(1, most // 4)
        self._clock = clock
        self._addresses: dict[Connection, tuple[str, str] | None] = {}
        self._accounts: dict[Connection, str] = {}
        self._named_at: dict[Connection, float] = {}  # longest without a mail first
        self._strangers: dict[Connection, None] = {}  # in the order in which they came
        self._taken: Counter[str] = Counter()
        self._sessions: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._addresses)

    def clients(self) -> list[Connection]:
        """Return the connected sessions."""
        return list(self._addresses)

    def enter(self, client: Connection, address: str = "") -> bool:
        """Return whether there is a place for a new session; another one may be closed for it.

        Behind a proxy `address` is not known yet.
        """
        if len(self._addresses) >= self._most:
            leaving = next(iter(self._strangers), None) or self._leaving(_network(address))
            if leaving is None:
                return False
            self.leave(leaving)
            leaving.make_room()
        self._addresses[client] = None
        self._strangers[client] = None
        SMTP_SESSIONS.set(len(self._addresses))
        return True

    def comes_from(self, client: Connection, address: str) -> bool:
        """Return whether its address and its network may have one more session."""
        customer, network = customer_of(address), _network(address)
        if self._taken[customer] >= self._per_address or self._taken[network] >= self._per_network:
            return False
        if client in self._addresses:
            self._addresses[client] = customer, network
            self._taken.update((customer, network))
        return True

    def names(self, client: Connection, account: str) -> bool:
        """Return whether a session that names an account may stay. From then on it is no stranger.

        The sessions of one account take at most a quarter of all places. Another of them may be
        closed for this one.
        """
        if client not in self._strangers:
            return True
        if self._sessions[account] >= self._per_account:
            leaving = self._leaving(self._network_of(client), account)
            if leaving is None:
                return False
            self.leave(leaving)
            leaving.make_room()
        del self._strangers[client]
        self._accounts[client] = account
        self._sessions[account] += 1
        self._named_at[client] = self._clock()
        return True

    def brought_mail(self, client: Connection) -> None:
        """Note that a mail was accepted, which makes the session count as new."""
        if self._named_at.pop(client, None) is not None:
            self._named_at[client] = self._clock()

    def _leaving(self, network: str, account: str | None = None) -> Connection | None:
        """Return the session that makes room for a newcomer, of this account or of all."""
        named = [g for g in self._named_at if account in (None, self._accounts[g])]
        return self._idle(named) or self._crowding(named, network)

    def _idle(self, named: Sequence[Connection]) -> Connection | None:
        """Return the session that has been idle longest with a recipient."""
        since = self._clock() - _IDLE_SECONDS
        for client in named:
            if self._named_at[client] > since:
                return None
            if not client.is_busy:
                return client
        return None

    def _crowding(self, named: Sequence[Connection], network: str) -> Connection | None:
        """Return a session of the network that has most, if it has two more than this one.

        An idle one, else one whose mail has not come to its end.
        """
        counts = Counter(filter(None, map(self._network_of, named)))
        crowding, most = max(counts.items(), key=lambda item: item[1], default=("", 0))
        if most < counts[network] + 2:
            return None
        theirs = [client for client in named if self._network_of(client) == crowding]
        idle = (client for client in theirs if not client.is_busy)
        return next(idle, None) or next((g for g in theirs if not g.is_filing), None)

    def _network_of(self, client: Connection) -> str:
        came_from = self._addresses[client]
        return came_from[1] if came_from else ""

    def leave(self, client: Connection) -> None:
        """Free the session's place."""
        came_from = self._addresses.pop(client, None)
        account = self._accounts.pop(client, None)
        self._strangers.pop(client, None)
        self._named_at.pop(client, None)
        SMTP_SESSIONS.set(len(self._addresses))
        for key in came_from or ():
            _subtract(self._taken, key)
        if account is not None:
            _subtract(self._sessions, account)


def _subtract(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]


def _network(address: str) -> str:
    return f"network {network_of(address)}"


def customer_of(address: str) -> str:
    """Return the IPv4 address, or the IPv6 /64."""
    return _within(address, 32, 64)


def network_of(address: str) -> str:
    """Return the IPv4 /24 or the IPv6 /48, about what one site has."""
    return _within(address, 24, 48)


def _within(address: str, bits: int, bits6: int) -> str:
    try:
        ip: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return str(ip_network((ip, bits6 if isinstance(ip, IPv6Address) else bits), strict=False))
