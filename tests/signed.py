"""Senders who sign their mail, and what DNS says of them. The signer, dkimpy, is others' code."""

import base64
from functools import cache

import dkim
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

SELECTOR = "key1"
FIELDS = ("From", "To", "Subject", "Date", "Message-ID")


@cache
def private_key(bits: int = 2048) -> RSAPrivateKey:
    """Return a key, the same each time."""
    return generate_private_key(public_exponent=65537, key_size=bits)


def key_record(bits: int = 2048, tags: str = "k=rsa") -> str:
    """Return what DNS says of the key."""
    public = private_key(bits).public_key()
    data = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; {tags}; p={base64.b64encode(data).decode()}"


def zone(*domains: str, policy: str | None = None, record: str = "") -> dict[str, list[str]]:
    """Return what DNS says of domains that sign with the key, and of what they ask for."""
    found = {f"{SELECTOR}._domainkey.{domain}": [record or key_record()] for domain in domains}
    if policy is not None:
        found |= {f"_dmarc.{domain}": [f"v=DMARC1; {policy}"] for domain in domains}
    return found


def letter(sender: str = "candidate@mail.test", headers: str = "", body: str = "Hello.") -> bytes:
    """Return a mail that nobody has signed."""
    return (
        f"{headers}From: {sender}\r\nTo: user@team.example\r\nSubject: Friday\r\n"
        f"Date: Thu, 15 Jan 2026 09:00:00 +0000\r\nMessage-ID: <1@mail.test>\r\n\r\n{body}\r\n"
    ).encode()


def signed(
    raw: bytes,
    domain: str = "mail.test",
    *,
    bits: int = 2048,
    canonical: str = "relaxed/relaxed",
    fields: tuple[str, ...] = FIELDS,
    length: bool = False,
) -> bytes:
    """Return the mail with a DKIM signature."""
    header, _, body = canonical.partition("/")
    field: bytes = dkim.sign(
        raw,
        SELECTOR.encode(),
        domain.encode(),
        _pem(bits),
        canonicalize=(header.encode(), body.encode()),
        include_headers=[name.encode() for name in fields],
        length=length,
    )
    return field + raw


def sealed(raw: bytes, forwarder: str, found: str) -> bytes:
    """Return the mail as a forwarder passes it on who has found that (ARC)."""
    raw = f"Authentication-Results: mx.{forwarder}; {found}\r\n".encode() + raw
    fields: list[bytes] = dkim.arc_sign(
        raw,
        SELECTOR.encode(),
        forwarder.encode(),
        _pem(2048),
        f"mx.{forwarder}".encode(),
        include_headers=[name.encode() for name in FIELDS],
    )
    assert fields
    return b"".join(fields) + raw


def _pem(bits: int) -> bytes:
    key = private_key(bits)
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
