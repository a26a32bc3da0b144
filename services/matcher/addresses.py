"""Addresses, brought to the one form in which they compare.

Trimmed, both sides in lower case, the domain in its ASCII form (IDNA 2008 with the UTS 46 mapping),
Unicode NFC. Plus tags and dots are kept: whose they are is for the mail provider to know.
"""

import unicodedata

import email_validator
import idna

# Reserved and internal domains are fine here: `.test`, `.local`, `.internal`. This is the library's
# documented switch.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()


def normalise(address: str) -> str:
    """Return the form in which addresses compare. Never raises; what is odd stays odd."""
    address = address.strip()
    if address.isascii():
        return address.lower().rstrip(".")
    local, at, domain = address.rpartition("@")
    return f"{unicodedata.normalize('NFC', local.lower())}{at}{_ascii_domain(domain)}"


def check(address: str) -> str:
    """Return the address, trimmed, when its syntax is right. Raises ValueError with what is not."""
    trimmed = address.strip()
    try:
        email_validator.validate_email(
            trimmed,
            check_deliverability=False,
            globally_deliverable=False,
            allow_quoted_local=True,
        )
    except email_validator.EmailNotValidError as error:
        raise ValueError(f"is no email address: {error}") from error
    return trimmed


def _ascii_domain(domain: str) -> str:
    lower = unicodedata.normalize("NFC", domain.lower()).rstrip(".")
    if lower.isascii():
        return lower
    try:
        return idna.encode(lower, uts46=True).decode("ascii").lower()
    except UnicodeError:  # idna.IDNAError is one
        return lower
