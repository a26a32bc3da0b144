"""The demo's own DNS: whose mail is signed by which key, and who takes the agency's mail.

Nothing is asked of the real DNS, so the demo shows signatures and a forgery without a network.
"""

import base64
from collections.abc import Iterator
from contextlib import contextmanager

import dkim
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from dev.dns_server import DnsServer

_SELECTOR = "demo"
_DOMAINS = ("kestrel.example", "work.example", "lindqvist.example", "google.com")
_FIELDS = ("From", "To", "Subject", "Date", "Message-ID")


class Signer:
    """Signs what is from the domains that sign."""

    def __init__(self) -> None:
        key = generate_private_key(public_exponent=65537, key_size=2048)
        self._private = key.private_bytes(
            Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
        )
        public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.record = f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"

    def signed(self, raw: bytes) -> bytes:
        """Return the mail with a signature (RFC 6376), if its author's domain signs."""
        head = raw.partition(b"\n\n")[0].partition(b"\r\n\r\n")[0].decode("ascii", "replace")
        author = next(line for line in head.splitlines() if line.lower().startswith("from:"))
        domain = author.rpartition("@")[2].strip("> \r")
        if domain not in _DOMAINS:
            return raw
        field: bytes = dkim.sign(
            raw,
            _SELECTOR.encode(),
            domain.encode(),
            self._private,
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=[name.encode() for name in _FIELDS],
        )
        return field + raw


@contextmanager
def demo_dns(signer: Signer) -> Iterator[dict[str, str]]:
    """Yield the settings of a stack that asks this DNS alone."""
    with DnsServer() as server:
        for domain in _DOMAINS:
            server.records[f"{_SELECTOR}._domainkey.{domain}"] = [signer.record]
        server.mail_hosts["agency.example"] = ["10 aspmx.l.google.com."]
        yield {"AUTHENTICATION_SECONDS": "4", "DNS_SERVERS": f"127.0.0.1:{server.port}"}
