"""Capture addresses: minted by the matcher, recognised by ingest without asking anyone.

    <handle>.<account tag><nonce><mac>@<capture domain>

* The tag is the first 8 base32 characters of SHA-256(account): enough for ingest to queue fairly
  and to compare a token's account with an address, too little to read the account from.
* The nonce is 5 random base32 characters, so that a user's next address differs from the last.
* The MAC is 16 base32 characters (80 bits) of HMAC-SHA-256 over everything before it, handle
  included. Made-up addresses are refused at RCPT; guessing one takes 2^79 attempts on average.
* Case means nothing: mail systems change it. The whole local part stays under the 64 octets of
  RFC 5321 section 4.5.3.1.1.
* A key ring verifies with every key it holds and signs with one. A new key is first given to every
  service, then promoted to signing: no service ever refuses an address for want of its key.
* A return path has the same form and belongs to no one: its handle, `return--` and the id of a
  round trip (`RoundTripId`), cannot come from a name. It is the envelope sender of a challenge, so
  that its bounce comes here (VERP); it is refused after ten days.
"""

import base64
import hashlib
import hmac
import re
import secrets
import time
import unicodedata
from dataclasses import dataclass
from uuid import UUID

_TAG, _NONCE, _MAC = 8, 5, 16
_HANDLE_MAX = 32
_LOCAL_PART = re.compile(
    rf"(?P<handle>[a-z0-9-]{{1,{_HANDLE_MAX}}})\."
    rf"(?P<tag>[a-z2-7]{{{_TAG}}})(?P<nonce>[a-z2-7]{{{_NONCE}}})(?P<mac>[a-z2-7]{{{_MAC}}})"
)
_MIN_SECRET = 16
_RETURN = "return--"
"""Two hyphens: `handle_for` makes no such handle."""
_DAY_SECONDS = 86_400
_RETURN_PATH_DAYS = 10
"""Mail servers give up after five days."""
_DAY, _RANDOM = 4, 16
_ROUND_TRIP_ID = re.compile(rf"[a-z2-7]{{{_DAY + _RANDOM}}}")
_ROUND_TRIP_TOKEN = re.compile(
    rf"(?P<id>[a-z2-7]{{{_DAY + _RANDOM}}})\.(?P<mac>[a-z2-7]{{26}})", re.IGNORECASE
)
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"


@dataclass(frozen=True, slots=True)
class CaptureAddress:
    """A capture address whose MAC was verified."""

    address: str
    """The whole address, lower case."""
    account_tag: str
    key_id: str
    """The key that signed it."""


def new_round_trip_id(now: float) -> str:
    """Return a fresh id of a round trip: the day, so that it expires, and 80 random bits."""
    day, written = int(now // _DAY_SECONDS), ""
    for _ in range(_DAY):
        day, digit = divmod(day, 32)
        written = _BASE32[digit] + written
    return written + base32(secrets.token_bytes(10))


def return_path_id(address: str) -> str | None:
    """Return the id of the round trip that a verified address is the return path of, or None."""
    handle = address.partition(".")[0]
    id_ = handle.removeprefix(_RETURN)
    return id_ if handle.startswith(_RETURN) and _ROUND_TRIP_ID.fullmatch(id_) else None


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The secrets that sign and verify capture addresses, by key id."""

    secrets_by_id: dict[str, bytes]
    signing_id: str

    @classmethod
    def parse(cls, keys: str, signing_id: str | None = None) -> "KeyRing":
        """Read `id:secret,id:secret`. Without `signing_id` the first key signs.

        Raises ValueError, with what to do, on an unusable ring.
        """
        ring: dict[str, bytes] = {}
        for entry in filter(None, (part.strip() for part in keys.split(","))):
            key_id, colon, secret = entry.partition(":")
            if not colon or not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", key_id):
                raise ValueError("each capture key is written id:secret, separated by commas")
            if len(secret) < _MIN_SECRET:
                raise ValueError(f"capture key {key_id!r} needs at least {_MIN_SECRET} characters")
            if key_id in ring:
                raise ValueError(f"capture key {key_id!r} is given twice")
            ring[key_id] = secret.encode()
        if not ring:
            raise ValueError("at least one capture key is needed")
        signing_id = signing_id or next(iter(ring))
        if signing_id not in ring:
            raise ValueError(f"the signing key {signing_id!r} is not among the capture keys")
        return cls(ring, signing_id)

    def mint(self, account: str, handle: str, domain: str) -> CaptureAddress:
        """Return a fresh address of the account, signed by the signing key."""
        signed = f"{handle}.{account_tag(account)}{_nonce()}"
        mac = _mac(self.secrets_by_id[self.signing_id], signed)
        return CaptureAddress(f"{signed}{mac}@{domain}", account_tag(account), self.signing_id)

    def mint_return_path(self, account: str, round_trip: str, domain: str) -> str:
        """Return where a bounce of a round trip's challenge goes."""
        return self.mint(account, _RETURN + round_trip, domain).address

    def verify(self, address: str, domain: str) -> CaptureAddress | None:
        """Return the capture address that `address` is in this deployment, or None.

        None as well for a return path whose days are over.
        """
        local, _, given_domain = address.strip().lower().rpartition("@")
        match = _LOCAL_PART.fullmatch(local)
        if match is None or given_domain.rstrip(".") != domain:
            return None
        if match["handle"].startswith(_RETURN) and not _is_open_return_path(match["handle"]):
            return None
        signed, mac = local[:-_MAC], match["mac"]
        for key_id, secret in self.secrets_by_id.items():
            if hmac.compare_digest(_mac(secret, signed), mac):
                return CaptureAddress(f"{local}@{domain}", match["tag"], key_id)
        return None

    def backfill_id(self, address: CaptureAddress, raw: bytes) -> UUID:
        """Return the capture id that these bytes always have when they are old mail of the address.

        Keyed, since it outlives a dismissed mail: without the key it does not tell which. By the
        key that signed the address, so that the id stays when another key is promoted.
        """
        label = hmac.digest(self.secrets_by_id[address.key_id], b"old mail", "sha256")
        hashed = hashlib.sha256(raw).digest()
        told = hmac.digest(label, address.address.encode() + b"\0" + hashed, "sha256")
        return UUID(bytes=told[:16], version=5)

    def erased_hash(self, address: CaptureAddress) -> str:
        """Return the keyed hash by which an address of an erased account is known again.

        By the key that signed the address, so it lasts as long as the address verifies.
        """
        label = hmac.digest(self.secrets_by_id[address.key_id], b"erased address", "sha256")
        return hmac.digest(label, address.address.encode(), "sha256").hex()[:32]

    def round_trip_token(self, round_trip: str) -> str:
        """Return what a challenge carries: the id of its round trip, signed."""
        return f"{round_trip}.{_round_trip_mac(self.secrets_by_id[self.signing_id], round_trip)}"

    def round_trip_of(self, token: str) -> str | None:
        """Return the id that a token of ours is about, None where no key of ours signed it."""
        match = _ROUND_TRIP_TOKEN.fullmatch(token.strip().lower())
        if match is None:
            return None
        for secret in self.secrets_by_id.values():
            if hmac.compare_digest(_round_trip_mac(secret, match["id"]), match["mac"]):
                return match["id"]
        return None

    def forgetful_hash(self, account: str, message_id: str) -> str:
        """Return the keyed hash by which a dismissed mail can be recognised but not guessed.

        Keyed by the signing secret through a label of its own, so that neither use weakens the
        other. It changes when another key is promoted.
        """
        label = hmac.digest(self.secrets_by_id[self.signing_id], b"dismissed mail", "sha256")
        return hmac.digest(label, f"{account}\0{message_id}".encode(), "sha256").hex()[:32]


def account_tag(account: str) -> str:
    """Return the 8 base32 characters by which an address names its account."""
    return base32(hashlib.sha256(account.encode()).digest())[:_TAG]


def handle_for(name: str) -> str:
    """Return a readable handle made from a person's name; `mail` when nothing is left of it."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_name).strip("-")[:_HANDLE_MAX].strip("-") or "mail"


def _mac(secret: bytes, signed: str) -> str:
    return base32(hmac.digest(secret, signed.encode(), "sha256"))[:_MAC]


def _round_trip_mac(secret: bytes, round_trip: str) -> str:
    label = hmac.digest(secret, b"round trip", "sha256")
    return base32(hmac.digest(label, round_trip.encode(), "sha256"))[:26]


def _is_open_return_path(handle: str) -> bool:
    id_ = handle.removeprefix(_RETURN)
    if _ROUND_TRIP_ID.fullmatch(id_) is None:
        return False
    day = 0
    for digit in id_[:_DAY]:
        day = day * 32 + _BASE32.index(digit)
    # The clock of who made it may be ahead of this one, at midnight by a day.
    return -1 <= time.time() // _DAY_SECONDS - day <= _RETURN_PATH_DAYS


def _nonce() -> str:
    return base32(secrets.token_bytes(5))[:_NONCE]


def base32(data: bytes) -> str:
    """Return the lower-case base32 of the bytes."""
    return base64.b32encode(data).decode().lower()
