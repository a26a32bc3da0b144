"""Limits the number of SMTP sessions, and decides which one is closed when all places are taken.

A session makes room for a newcomer in this order:

1. one that has been idle longest, and for ten seconds: first of those without a recipient;
2. one of the network with the most sessions, if it has at least two more than the newcomer's: first
   one without a recipient, then one without a mail, then one whose mail is behind the minimum rate,
   and, if the network has more than a sixteenth of all places, one whose mail is arriving;
3. the oldest one without a recipient, of a network with at least as many as the newcomer's.

So senders with mail are served while thousands of idle sessions stay connected, and a network takes
no place from another one that has fewer. A session whose mail is being published is never closed.
Each address, network and account has a limit of its own. When an account reaches its limit, its own
sessions make room in the same way. A newcomer over a limit takes no other session's place.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from itertools import chain
from typing import Protocol

from services.ingest.metrics import SMTP_SESSIONS

_IDLE_SECONDS = 10.0
"""A session may be idle so long before it can lose its place to anybody."""
_CROWD = 16
"""A network with more than this part of all places loses mails that come at a steady rate, too."""


class Connection(Protocol):
    """A session, as far as its place is concerned."""

    @property
    def is_busy(self) -> bool:
        """Whether a mail is being received."""

    @property
    def is_steady(self) -> bool:
        """Whether the mail arrives at the minimum rate."""

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
        self._came_from: dict[Connection, tuple[str, str]] = {}
        """The customer and the network of each session."""
        self._accounts: dict[Connection, str] = {}
        self._named_at: dict[Connection, float] = {}  # longest without a mail first
        self._strangers: dict[Connection, float] = {}  # since when, in that order
        self._taken: Counter[str] = Counter()
        self._sessions: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._came_from)

    def clients(self) -> list[Connection]:
        """Return the connected sessions."""
        return list(self._came_from)

    def allows(self, address: str) -> bool:
        """Return whether the address and its network may have one more session."""
        of_customer, of_network = self._taken[_customer(address)], self._taken[_network(address)]
        return of_customer < self._per_address and of_network < self._per_network

    def enter(self, client: Connection, address: str) -> bool:
        """Return whether there is a place for a new session; another one may be closed for it."""
        customer, network = _customer(address), _network(address)
        if len(self._came_from) >= self._most:
            leaving = self._leaving(self._strangers, self._named_at, self._taken, network)
            if leaving is None:
                return False
            self.leave(leaving)
            leaving.make_room()
        self._came_from[client] = customer, network
        self._taken.update((customer, network))
        self._strangers[client] = self._clock()
        SMTP_SESSIONS.set(len(self._came_from))
        return True

    def names(self, client: Connection, account: str) -> bool:
        """Return whether a session that names an account may stay. From then on it is no stranger.

        The sessions of one account take at most a quarter of all places. Another of them may be
        closed for this one.
        """
        if client not in self._strangers:
            return True
        if self._sessions[account] >= self._per_account:
            named = {c: at for c, at in self._named_at.items() if self._accounts[c] == account}
            counts = Counter(map(self._network_of, named))
            leaving = self._leaving({}, named, counts, self._network_of(client))
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

    def _leaving(
        self,
        strangers: dict[Connection, float],
        named: dict[Connection, float],
        counts: Counter[str],
        network: str,
    ) -> Connection | None:
        """Return which of these makes room for a newcomer, where networks have so many places."""
        has = counts[network]
        idle = (
            client
            for clients in (strangers, named)
            for client in self._idle(clients)
            if counts[self._network_of(client)] >= has
        )
        crowding = self._crowding(chain(strangers, named), counts, has + 2)
        others = (client for client in strangers if counts[self._network_of(client)] >= has)
        return next(idle, None) or next(crowding, None) or next(others, None)

    def _idle(self, clients: dict[Connection, float]) -> Iterator[Connection]:
        """Yield those that have been idle for long, longest first."""
        since = self._clock() - _IDLE_SECONDS
        for client, at in clients.items():
            if at > since:
                return
            if not self._has_mail(client):
                yield client

    def _crowding(
        self, clients: Iterable[Connection], counts: Counter[str], least: int
    ) -> Iterator[Connection]:
        """Yield sessions of networks that have at least so many, by network and what is lost."""
        if max(counts.values(), default=0) < least:  # a flood of newcomers costs no more than this
            return
        theirs: dict[str, list[Connection]] = {}
        for client in clients:
            network = self._network_of(client)
            if counts[network] >= least:
                theirs.setdefault(network, []).append(client)
        for network in sorted(theirs, key=counts.__getitem__, reverse=True):
            sessions = theirs[network]
            yield from (client for client in sessions if not self._has_mail(client))
            coming = [c for c in sessions if self._has_mail(c) and not c.is_filing]
            yield from (client for client in coming if not client.is_steady)
            if counts[network] > max(1, self._most // _CROWD):
                yield from (client for client in reversed(coming) if client.is_steady)

    def _has_mail(self, client: Connection) -> bool:
        return client in self._named_at and client.is_busy

    def _network_of(self, client: Connection) -> str:
        return self._came_from[client][1]

    def leave(self, client: Connection) -> None:
        """Free the session's place, if it still has one."""
        came_from = self._came_from.pop(client, ())
        account = self._accounts.pop(client, None)
        self._strangers.pop(client, None)
        self._named_at.pop(client, None)
        SMTP_SESSIONS.set(len(self._came_from))
        for key in came_from:
            _subtract(self._taken, key)
        if account is not None:
            _subtract(self._sessions, account)


def _subtract(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]


def _customer(address: str) -> str:
    return f"customer {customer_of(address)}"


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
