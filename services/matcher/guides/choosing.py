"""Which guide is a mailbox's, by the hosts that take the mail of its domain."""

import asyncio
from dataclasses import dataclass

from services.matcher.guides.catalogue import Catalogue
from services.matcher.guides.shape import Guide
from services.matcher.reading.addresses import normalise
from services.matcher.resolver import NoAnswer, Resolver

LOOKUP_SECONDS = 2.0
"""For one look-up, whatever it waits for."""
DNS_SECONDS = 1.5
"""For DNS. Less, so that the resolver remembers a name that is not answered."""


@dataclass(frozen=True, slots=True)
class Choosing:
    """Finds the guide of a mailbox."""

    resolver: Resolver
    catalogue: Catalogue

    async def guide_of(self, address: str) -> Guide | None:
        """Return the guide of the address's provider; None when it is not known, or not in time.

        A host that is in no table, such as a filter in front, leaves the choice to those after it.
        """
        _, at, domain = normalise(address).rpartition("@")
        if not (at and domain):
            return None
        try:
            async with asyncio.timeout(LOOKUP_SECONDS):
                hosts = await self.resolver.mail_hosts(domain, DNS_SECONDS)
        except (NoAnswer, TimeoutError):
            return None
        return next((guide for host in hosts if (guide := self.catalogue.of_host(host))), None)
