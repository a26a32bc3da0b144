"""ARC: what a forwarder that we trust found when the mail reached it. RFC 8617.

Each forwarder adds a set of three fields: what it found (ARC-Authentication-Results), a signature
over the mail as it passed it on, and a seal over all sets so far. The newest set is verified here.
Where its sealer is trusted, so is what it says: that the chain before it held (`cv=pass`), and that
the sets have not changed since. So is what the sets before it say, back to the first whose sealer
is not trusted: anybody can begin a chain with a lie, and a forwarder seals it in good faith.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from services.matcher.authentication.canonical import Field, SignedForm, canonical_field
from services.matcher.authentication.keys import UnusableKey, read_key
from services.matcher.authentication.signature import (
    ALGORITHMS,
    AskText,
    Bodies,
    Check,
    Unusable,
    domain_name,
    read_signature,
    verify,
    without_value,
)
from services.matcher.authentication.tags import BadTags, read_tags, without_space

MAX_SETS = 50
"""RFC 8617 section 4.2.1."""
_KINDS = ("arc-authentication-results", "arc-message-signature", "arc-seal")
_INSTANCE = re.compile(r"(?:\A|;)\s*+i\s*+=\s*+([0-9]{1,2})\s*+(?:;|\Z)")


@dataclass(frozen=True, slots=True)
class ArcSet:
    """What one forwarder added."""

    results: Field
    signature: Field
    seal: Field
    sealer: str
    """Who sealed: the `d=` of the seal."""


def read_chain(mail: SignedForm) -> list[ArcSet]:
    """Return the sets, the first forwarder's first; none where they are no chain."""
    found: dict[int, dict[str, Field]] = {}
    for kind in _KINDS:
        for field in mail.all(kind):
            instance = _INSTANCE.search(field.text)
            number = int(instance[1]) if instance else 0
            if not 1 <= number <= MAX_SETS or kind in found.setdefault(number, {}):
                return []
            found[number][kind] = field
    if sorted(found) != list(range(1, len(found) + 1)) or any(len(s) < 3 for s in found.values()):
        return []
    chain = []
    for number in sorted(found):
        results, signature, seal = (found[number][kind] for kind in _KINDS)
        try:
            sealer = domain_name(read_tags(seal.text).get("d", "")) or ""
        except BadTags:
            return []
        chain.append(ArcSet(results, signature, seal, sealer))
    return chain


async def trusted_results(
    mail: SignedForm,
    bodies: Bodies,
    trusted: Collection[str],
    at: datetime,
    ask: AskText,
) -> list[str]:
    """Return what trusted forwarders found, as Authentication-Results, the newest first.

    Raises resolver.NoAnswer.
    """
    chain = read_chain(mail)
    if not chain or chain[-1].sealer not in trusted or not await _sealed(chain, ask):
        return []
    try:
        signature = read_signature(chain[-1].signature, "arc")
    except Unusable:
        return []
    is_sealers = signature.domain == chain[-1].sealer
    if not is_sealers or await verify(signature, mail, bodies, at, ask) is not Check.HOLDS:
        return []
    found: list[str] = []
    for arc_set in reversed(chain):
        if arc_set.sealer not in trusted:
            break
        found.append(arc_set.results.text.partition(";")[2])  # without `i=`
    return found


async def _sealed(chain: list[ArcSet], ask: AskText) -> bool:
    """Return whether the newest seal holds, over all sets. RFC 8617 section 5.1.1."""
    newest = chain[-1].seal
    try:
        tags = read_tags(newest.text)
        selector = domain_name(tags["s"])
        value = base64.b64decode(without_space(tags["b"]), validate=True)
        held = tags["cv"].lower() == ("pass" if len(chain) > 1 else "none")
        if not held or selector is None or tags["a"].lower() not in ALGORITHMS or "h" in tags:
            return False
        key = read_key(await ask(f"{selector}._domainkey.{chain[-1].sealer}"))
        fields = [f.raw for s in chain for f in (s.results, s.signature, s.seal)]
        fields[-1] = without_value(newest.raw)
        signed = b"\r\n".join(canonical_field(field, "relaxed") for field in fields)
        digest = hashlib.sha256(signed).digest()
        return key.verifies(tags["a"].lower(), value, digest, signed)
    except (KeyError, ValueError, binascii.Error, BadTags, UnusableKey):
        return False
