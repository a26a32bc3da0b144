"""Whose a domain is, and what its owner asks for: DMARC (RFC 7489), without its reports.

A signature is *aligned* with From when both domains belong to the same organization: the name below
a public suffix (`mail.example.co.uk` and `example.co.uk`, never `a.co.uk` and `b.co.uk`).
"""

from dataclasses import dataclass
from functools import cache

from publicsuffixlist import PublicSuffixList

from services.matcher.authentication.signature import AskText
from services.matcher.authentication.tags import BadTags, read_tags


@dataclass(frozen=True, slots=True)
class Policy:
    """The DMARC policy of a domain."""

    demands: bool
    """Unauthenticated mail is to be kept away (`quarantine`, `reject`)."""
    strict: bool
    """Only the very domain of From may sign (`adkim=s`)."""


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def organization(domain: str) -> str:
    """Return the organizational domain; for a public suffix the suffix itself. Section 3.2."""
    return _suffixes().privatesuffix(domain) or domain


def is_public_suffix(domain: str) -> bool:
    """Return whether subdomains of this domain have different owners."""
    return _suffixes().privatesuffix(domain) is None


def is_aligned(signer: str, sender: str) -> bool:
    """Return whether both domains belong to one organization. Section 3.1.1, relaxed."""
    return organization(signer) == organization(sender)


def policy_names(domain: str) -> list[str]:
    """Return the names of the DNS records that may hold the policy."""
    return list(dict.fromkeys([f"_dmarc.{domain}", f"_dmarc.{organization(domain)}"]))


async def policy_of(domain: str, ask: AskText) -> Policy:
    """Return the policy for mail from a domain. Section 6.6.3. Raises resolver.NoAnswer."""
    own = _record(await ask(f"_dmarc.{domain}"))
    if own is not None:
        return Policy(own.get("p", "").lower() in ("quarantine", "reject"), _is_strict(own))
    above = organization(domain)
    tags = _record(await ask(f"_dmarc.{above}")) if above != domain else None
    if tags is None:
        return Policy(demands=False, strict=False)
    wish = tags.get("sp", tags.get("p", "")).lower()
    return Policy(wish in ("quarantine", "reject"), _is_strict(tags))


def _record(records: list[str]) -> dict[str, str] | None:
    """Return the one DMARC record; several are none."""
    found = [record for record in records if record.strip().startswith("v=DMARC1")]
    if len(found) != 1:
        return None
    try:
        return read_tags(found[0])
    except BadTags:
        return None


def _is_strict(tags: dict[str, str]) -> bool:
    return tags.get("adkim", "r").lower() == "s"
