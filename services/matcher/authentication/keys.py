"""The key that a signature names, from DNS. RFC 6376 section 3.6.1, RFC 8301, RFC 8463."""

import base64
import binascii
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from services.matcher.authentication.tags import BadTags, read_tags, without_space

MIN_BITS, MAX_BITS = 1024, 8192
"""RFC 8301 section 3.2 forbids shorter ones; longer ones only cost time."""


class UnusableKey(ValueError):
    """The record is no key, a revoked key, or a key that proves nothing."""


@dataclass(frozen=True, slots=True)
class Key:
    """A signer's public key."""

    public: RSAPublicKey | Ed25519PublicKey
    testing: bool
    """The signer is trying things out: that a signature fails says nothing."""
    strict: bool
    """The identity that a signature names (`i=`) must be in the very domain that signs."""

    def verifies(self, algorithm: str, signature: bytes, digest: bytes, signed: bytes) -> bool:
        """Return whether the signature is this key's, over the header whose SHA-256 is given.

        Raises UnusableKey when the key is not of that algorithm.
        """
        try:
            if algorithm == "rsa-sha256" and isinstance(self.public, RSAPublicKey):
                self.public.verify(signature, signed, PKCS1v15(), SHA256())
            elif algorithm == "ed25519-sha256" and isinstance(self.public, Ed25519PublicKey):
                self.public.verify(signature, digest)
            else:
                raise UnusableKey("another algorithm")
        except InvalidSignature:
            return False
        return True


def read_key(records: list[str]) -> Key:
    """Return the key that the TXT records hold; the first that is one. Raises UnusableKey."""
    problem = UnusableKey("no record")
    for record in records[:5]:
        try:
            return _read_key(read_tags(record))
        except UnusableKey as error:
            problem = error
        except BadTags as error:
            problem = UnusableKey(str(error))
    raise problem


def _read_key(tags: dict[str, str]) -> Key:
    hashes = without_space(tags.get("h", "sha256")).split(":")
    services = without_space(tags.get("s", "*")).split(":")
    if tags.get("v", "DKIM1") != "DKIM1" or "sha256" not in hashes:
        raise UnusableKey("another version or hash")
    if not {"*", "email"} & set(services):
        raise UnusableKey("not for mail")
    flags = without_space(tags.get("t", "")).split(":")
    try:
        data = base64.b64decode(without_space(tags.get("p", "")), validate=True)
        public = _public_key(tags.get("k", "rsa"), data)
    except (binascii.Error, ValueError, UnsupportedAlgorithm) as error:
        raise UnusableKey(type(error).__name__) from error
    return Key(public, testing="y" in flags, strict="s" in flags)


def _public_key(kind: str, data: bytes) -> RSAPublicKey | Ed25519PublicKey:
    if not data:
        raise UnusableKey("revoked")
    if kind == "ed25519":
        return Ed25519PublicKey.from_public_bytes(data)
    public = load_der_public_key(data)
    if kind != "rsa" or not isinstance(public, RSAPublicKey):
        raise UnusableKey("another kind")
    if not MIN_BITS <= public.key_size <= MAX_BITS:
        raise UnusableKey("too short or too long")
    return public
