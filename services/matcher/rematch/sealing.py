"""What a capture is sealed with, and by what it is found. Pure.

    event and mail -> encrypted by a random content key (AES-256-GCM)
    the content key -> wrapped for the address of each outside participant

* The key that wraps, and the hash by which an address is found, are made of four things: the day's
  key, the deployment's secret, the account and the address. So who has the database lacks the
  secret, and once the day's key is destroyed nobody can open anything or test a guess.
* Account, day and capture are authenticated with each ciphertext: one that is moved to another
  place does not open.
* The secret is that of a capture key (`CAPTURE_KEYS`), through a label of its own. What the signing
  key sealed opens for as long as the ring holds that key.
"""

import hmac
import json
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.contracts.capture_address import KeyRing
from shared.contracts.events import InvalidEvent, MailReceived

KEY_BYTES = 32
_FOUND_BY_BYTES, _NONCE_BYTES, _LENGTH_BYTES = 16, 12, 4


class CannotOpen(Exception):
    """The key, the address or the capture is another one, or the bytes were changed."""


@dataclass(frozen=True, slots=True)
class DayKey:
    """The random key of an account and a day."""

    account: str
    id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SealedBytes:
    """A sealed capture, and for whom it opens."""

    ring_id: str
    """The capture key whose secret it needs."""
    wrapped: Mapping[bytes, bytes]
    """The content key for each address, by what the address is found by."""
    content: bytes


@dataclass(frozen=True, slots=True)
class Seals:
    """Seals and opens; its field is what it depends on."""

    ring: KeyRing

    def seal(
        self, key: DayKey, received: MailReceived, raw: bytes, addresses: Collection[str]
    ) -> SealedBytes:
        """Return the capture sealed for each of these addresses."""
        ring_id = self.ring.signing_id
        content_key = secrets.token_bytes(KEY_BYTES)
        bound = _bound(key, str(received.capture_id))
        root = self._root(key, ring_id)
        return SealedBytes(
            ring_id=ring_id,
            wrapped={
                _found_by(root, key, address): _encrypt(
                    _wrapping_key(root, key, address), content_key, bound
                )
                for address in addresses
            },
            content=_encrypt(content_key, _packed(received, raw), bound),
        )

    def found_by(self, key: DayKey, addresses: Collection[str]) -> dict[bytes, str]:
        """Return what each address is found by, under every secret that may have sealed."""
        roots = [self._root(key, ring_id) for ring_id in self.ring.secrets_by_id]
        return {_found_by(root, key, address): address for root in roots for address in addresses}

    def open(
        self, key: DayKey, sealed: SealedBytes, capture_id: str, address: str
    ) -> tuple[MailReceived, bytes]:
        """Return the capture's event and its mail. Raises CannotOpen."""
        if sealed.ring_id not in self.ring.secrets_by_id:
            raise CannotOpen("the capture key was retired")
        root, bound = self._root(key, sealed.ring_id), _bound(key, capture_id)
        wrapped = sealed.wrapped.get(_found_by(root, key, address))
        if wrapped is None:
            raise CannotOpen("it names another address")
        content_key = _decrypt(_wrapping_key(root, key, address), wrapped, bound)
        return _unpacked(_decrypt(content_key, sealed.content, bound))

    def _root(self, key: DayKey, ring_id: str) -> bytes:
        """Return what both the day's key and the deployment's secret are needed for."""
        label = hmac.digest(self.ring.secrets_by_id[ring_id], b"rematch window", "sha256")
        return hmac.digest(key.secret, label, "sha256")


def _found_by(root: bytes, key: DayKey, address: str) -> bytes:
    told = _written("found by", key.account, address)
    return hmac.digest(root, told, "sha256")[:_FOUND_BY_BYTES]


def _wrapping_key(root: bytes, key: DayKey, address: str) -> bytes:
    return hmac.digest(root, _written("wrapped for", key.account, address), "sha256")


def _bound(key: DayKey, capture_id: str) -> bytes:
    return _written(key.account, key.id, capture_id)


def _written(*words: str) -> bytes:
    """Return words as bytes that no other words have."""
    return json.dumps(words).encode()


def _encrypt(key: bytes, data: bytes, bound: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, data, bound)


def _decrypt(key: bytes, data: bytes, bound: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], bound)
    except (InvalidTag, ValueError) as error:
        raise CannotOpen("it does not decrypt") from error


def _packed(received: MailReceived, raw: bytes) -> bytes:
    event = received.model_copy(update={"blob_key": None}).encode().encode()
    return len(event).to_bytes(_LENGTH_BYTES) + event + raw


def _unpacked(content: bytes) -> tuple[MailReceived, bytes]:
    end = _LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES])
    try:
        return MailReceived.decode(content[_LENGTH_BYTES:end].decode()), content[end:]
    except (InvalidEvent, UnicodeDecodeError) as error:
        raise CannotOpen("a later version sealed it") from error
