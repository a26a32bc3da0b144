"""Addresses, brought to the one form in which they compare.

Trimmed, quotes that change nothing removed, both sides in lower case, the domain in its ASCII form
(IDNA 2008 with the UTS 46 mapping), Unicode NFC. Plus tags and dots are kept: whose they are is for
the mail provider to know.
"""

import unicodedata

import idna

from shared.mail.address_list import unquoted


def normalise(address: str) -> str:
    """Return the form in which addresses compare. Never raises; what is odd stays odd."""
    address = address.strip()
    if address.isascii() and '"' not in address:
        return address.lower().rstrip(".")
    local, at, domain = address.rpartition("@")
    if '"' in local:
        local = unquoted(local)
    return f"{unicodedata.normalize('NFC', local.lower())}{at}{_ascii_domain(domain)}"


def _ascii_domain(domain: str) -> str:
    lower = unicodedata.normalize("NFC", domain.lower()).rstrip(".")
    if lower.isascii():
        return lower
    try:
        return idna.encode(lower, uts46=True).decode("ascii").lower()
    except UnicodeError:  # idna.IDNAError is one
        return lower
