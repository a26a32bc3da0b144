"""DNS: the TXT and MX records of a name, within a time limit.

* Answers are cached for their TTL, at most five minutes; so is the answer that there is no record.
  That a name was not answered is cached for half a minute.
* If a name is not answered in time, the servers are asked for the root, which every server has
  cached. If even that is not answered, they are not queried for a while. So no mail and no page is
  delayed because DNS is unavailable, and no sender can cause that with a slow name of their own.
"""

import asyncio
import contextlib
import contextvars
import time
from ipaddress import ip_address
from typing import Any

import dns.asyncresolver
import dns.exception
import dns.name
import dns.nameserver
import dns.resolver
import structlog

log = structlog.get_logger()
MAX_TTL = 300
_MAX_REMEMBERED = 10_000
_SLOW_SECONDS, _AWAY_SECONDS = 30, 10
_AT_ONCE = 256
"""Questions under way."""


class NoAnswer(Exception):
    """No server said in time whether the record exists."""


class _Cache(dns.resolver.LRUCache):
    """Remembers answers, none for longer than MAX_TTL."""

    def put(self, key: dns.resolver.CacheKey, value: dns.resolver.Answer) -> None:
        value.expiration = min(value.expiration, time.time() + MAX_TTL)
        super().put(key, value)


def name_servers(text: str) -> list[tuple[str, int]]:
    """Read `10.0.0.1, 127.0.0.1:5353, [::1]:53`. Raises ValueError."""
    found = []
    for word in text.replace(",", " ").split():
        host, bracket, port = word.lstrip("[").partition("]")
        if not bracket and host.count(":") == 1:
            host, _, port = host.partition(":")
        number = int(port.lstrip(":") or 53)
        if not 0 < number < 65536:
            raise ValueError("is not a port")
        found.append((str(ip_address(host)), number))
    return found


class Resolver:
    """Asks the given servers, or those of the system."""

    def __init__(self, servers: list[tuple[str, int]], seconds: float) -> None:
        """Wait at most `seconds` for the TXT records of a name."""
        self._resolver = _resolver_of(servers)
        self._resolver.cache = _Cache(_MAX_REMEMBERED)
        self._resolver.timeout = 1.0  # for one server; what is asked says how long in all
        self._seconds = seconds
        self._resolver.search = []
        self._slow: dict[tuple[str, str], float] = {}
        self._away_until = 0.0
        self._probing: asyncio.Task[None] | None = None
        self._at_once = asyncio.Semaphore(_AT_ONCE)

    async def text(self, name: str) -> list[str]:
        """Return the TXT records of a name, each in one piece. Raises NoAnswer."""
        records = await self._records(name, "TXT", self._seconds)
        return [b"".join(record.strings).decode("utf-8", "replace") for record in records]

    async def mail_hosts(self, domain: str, seconds: float) -> list[str]:
        """Return the hosts that take a domain's mail, the preferred first. Raises NoAnswer.

        In lower case and without the last dot. A domain that takes none (RFC 7505) has none.
        """
        records = await self._records(domain, "MX", seconds)
        ordered = sorted((r.preference, r.exchange.to_text().lower().strip(".")) for r in records)
        return [host for _, host in ordered if host]

    async def _records(self, name: str, kind: str, seconds: float) -> list[Any]:
        try:
            question = dns.name.from_text(f"{name}.")
        except dns.exception.DNSException:
            return []  # no such name can be
        now = time.monotonic()
        if now < self._away_until or now < self._slow.get((name, kind), 0):
            raise NoAnswer(name)
        try:
            async with self._at_once:
                answer = await self._resolver.resolve(
                    question, kind, raise_on_no_answer=False, lifetime=seconds
                )
        except dns.resolver.NXDOMAIN:
            return []
        except dns.exception.Timeout as error:
            self._not_answered(name, kind)
            raise NoAnswer(name) from error
        except (dns.exception.DNSException, OSError, ValueError) as error:
            raise NoAnswer(name) from error
        return list(answer.rrset or ())

    def _not_answered(self, name: str, kind: str) -> None:
        """Remember a question, and find out beside it whether the servers answer at all."""
        if len(self._slow) >= _MAX_REMEMBERED:
            self._slow.clear()
        self._slow[name, kind] = time.monotonic() + _SLOW_SECONDS
        if self._probing is None or self._probing.done():
            # In an empty context: its log lines must not have the ids of the capture that asked.
            self._probing = asyncio.create_task(self._probe(), context=contextvars.Context())

    async def _probe(self) -> None:
        try:
            await self._resolver.resolve(".", "NS", lifetime=1, raise_on_no_answer=False)
        except dns.exception.Timeout:
            self._away_until = time.monotonic() + _AWAY_SECONDS
            log.warning("dns unavailable", seconds=_AWAY_SECONDS)
        except (dns.exception.DNSException, OSError):
            return  # they answer, if only to refuse


def _resolver_of(servers: list[tuple[str, int]]) -> dns.asyncresolver.Resolver:
    if not servers:
        with contextlib.suppress(dns.resolver.NoResolverConfiguration):
            return dns.asyncresolver.Resolver()
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = [dns.nameserver.Do53Nameserver(*server) for server in servers]
    return resolver
