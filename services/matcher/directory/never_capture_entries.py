"""What can be on a *never capture* list."""

import re

from services.matcher.authentication.policy import is_public_suffix
from services.matcher.decision.never_capture import ascii_domain
from services.matcher.reading.addresses import check, normalise

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_MAX_DOMAIN = 253
_MIN_LABELS = 2


def check_address(address: str) -> str:
    """Return the address in the form in which it compares. Raises ValueError with what is not."""
    return normalise(check(address))


def check_domain(domain: str) -> str:
    """Return the domain in the form in which it compares. Raises ValueError with what is not."""
    trimmed = domain.strip()
    if "@" in trimmed or "*" in trimmed or trimmed.startswith("."):
        raise ValueError("is not a domain: write example.com, which includes its subdomains")
    lower = ascii_domain(trimmed)
    labels = lower.split(".")
    if len(lower) > _MAX_DOMAIN or not all(map(_LABEL.fullmatch, labels)):
        raise ValueError("is not a domain")
    if len(labels) < _MIN_LABELS or is_public_suffix(lower):
        raise ValueError("covers too much: its subdomains belong to different owners")
    return lower
