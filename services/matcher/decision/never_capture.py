"""Whose mail is never captured: addresses and domains on a list. Pure; no I/O.

A domain stands for itself and for all that is below it: `clinic.example` covers
`mail.clinic.example`, and not `myclinic.example`. Addresses compare as everywhere, plus tags and
dots kept; domains in their ASCII form.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from services.matcher.reading.addresses import normalise


@dataclass(frozen=True, slots=True)
class NeverCapture:
    """The addresses and domains of one list, or of several together."""

    addresses: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    """Both in the form in which they compare."""
    beside: "NeverCapture | None" = None
    """Another list, as it is: nothing is copied for a decision."""

    def names(self, address: str) -> bool:
        """Return whether an address, in that form, is on the list."""
        if address in self.addresses or (self.beside is not None and self.beside.names(address)):
            return True
        domain = address.rpartition("@")[2] if self.domains else ""
        while domain:
            if domain in self.domains:
                return True
            domain = domain.partition(".")[2]
        return False

    def __len__(self) -> int:
        return len(self.addresses) + len(self.domains) + len(self.beside or ())

    def __or__(self, other: "NeverCapture") -> "NeverCapture":
        """Return what is on one list or the other."""
        if not other:
            return self
        if not self:
            return other
        beside = self.beside | other if self.beside else other
        return NeverCapture(self.addresses, self.domains, beside)


NOTHING = NeverCapture()


def never_capture_of(addresses: Iterable[str], domains: Iterable[str]) -> NeverCapture:
    """Return the list of these entries, however they are written."""
    return NeverCapture(frozenset(map(normalise, addresses)), frozenset(map(ascii_domain, domains)))


def ascii_domain(domain: str) -> str:
    """Return the domain in the form in which domains compare. Never raises."""
    return normalise(f"x@{domain.strip()}").rpartition("@")[2]
