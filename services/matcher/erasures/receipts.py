"""Receipts: what was erased, signed (RFC 7515, compact, EdDSA), for anyone who has to prove it.

The key is made of the secret ERASURE_SIGNING_KEY. Its public part is published (RFC 7517, RFC 8037)
and kept, so that a receipt verifies after the secret was replaced. A receipt holds no name, no
address and nothing of a mail.
"""

import base64
import hashlib
import json
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

TYPE = "satchel-erasure+jwt"
"""The header `typ` (RFC 7515 section 4.1.9), so that nothing takes a receipt for a token."""


class Signer:
    """Signs receipts."""

    def __init__(self, secret: str) -> None:
        seed = hashlib.sha256(b"satchel erasure receipts\0" + secret.encode()).digest()
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        x = _base64(self._key.public_key().public_bytes_raw())
        thumbprint = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": x}, separators=(",", ":"))
        key_id = _base64(hashlib.sha256(thumbprint.encode()).digest())
        self.public: dict[str, str] = {
            "kty": "OKP",
            "crv": "Ed25519",
            "x": x,
            "kid": key_id,
            "use": "sig",
            "alg": "EdDSA",
        }
        """The public key as a JWK; `kid` is its thumbprint (RFC 7638)."""

    @property
    def key_id(self) -> str:
        """The id of the key."""
        return self.public["kid"]

    def sign(self, claims: dict[str, Any]) -> str:
        """Return the receipt that says this."""
        headers = {"kid": self.key_id, "typ": TYPE}
        return jwt.encode(claims, self._key, algorithm="EdDSA", headers=headers)


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
