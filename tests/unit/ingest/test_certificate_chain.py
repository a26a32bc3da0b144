"""STARTTLS with a chain, as authorities issue it: root, intermediate, certificate."""

import asyncio
import datetime
import ssl
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.ingest.smtp.certificate import Certificate
from tests.deadline import DEADLINE
from tests.smtp_server import serving

_HOST = "mx.satchel.test"
_NOW = datetime.datetime.now(datetime.UTC)


@dataclass(frozen=True)
class Authority:
    """Who issues certificates."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)


def issued(name: str, by: Authority | None, *, is_authority: bool, days: int = 2) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_NOW - datetime.timedelta(days=10))
        .not_valid_after(_NOW + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(
                (by.key if by else key).public_key()
            ),
            critical=False,
        )
    )
    if is_authority:
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        made = made.add_extension(usage, critical=True)
    else:
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    return Authority(made.sign(by.key if by else key, hashes.SHA256()), key)


@pytest.fixture(scope="module")
def root() -> Authority:
    return issued("Root", None, is_authority=True)


@pytest.fixture(scope="module")
def between(root: Authority) -> Authority:
    return issued("Intermediate", root, is_authority=True)


def write(folder: Path, leaf: Authority, *chain: Authority) -> tuple[Path, Path]:
    cert_file, key_file = folder / "tls.crt", folder / "tls.key"
    cert_file.write_bytes(b"".join(one.pem for one in (leaf, *chain)))
    key_file.write_bytes(
        leaf.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return cert_file, key_file


async def shaken(port: int, context: ssl.SSLContext, host: str = _HOST) -> str:
    """Return the protocol that both sides agree on. Raises ssl.SSLError."""
    async with asyncio.timeout(DEADLINE):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            await reader.readline()
            writer.write(b"STARTTLS\r\n")
            assert (await reader.readline()).startswith(b"220 ")
            await writer.start_tls(context, server_hostname=host)
            writer.write(b"EHLO x\r\n")
            assert (await reader.readline()).startswith(b"250-")
            return str(writer.get_extra_info("ssl_object").version())
        finally:
            writer.transport.abort()


async def test_a_sender_that_verifies_accepts_the_whole_chain_and_nothing_less(
    root: Authority, between: Authority, tmp_path: Path
) -> None:
    verifying = ssl.create_default_context(cadata=root.pem.decode())
    stranger = issued("Stranger", None, is_authority=True)
    leaf = issued(_HOST, between, is_authority=False)
    files = write(tmp_path, leaf, between)
    certificate = Certificate(*files)
    async with serving(tmp_path, certificate=certificate) as served:
        assert await shaken(served.port, verifying) == "TLSv1.3"
        with pytest.raises(ssl.SSLCertVerificationError):
            await shaken(served.port, verifying, "other.satchel.test")
        with pytest.raises(ssl.SSLCertVerificationError):
            await shaken(served.port, ssl.create_default_context(cadata=stranger.pem.decode()))
        write(tmp_path, leaf)  # the intermediate was forgotten
        with pytest.raises(ssl.SSLCertVerificationError):
            await shaken(served.port, verifying)
        write(tmp_path, issued(_HOST, between, is_authority=False), between)
        assert await shaken(served.port, verifying) == "TLSv1.3"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
async def test_one_that_has_ended_is_refused_by_who_verifies_and_old_tls_by_us(
    root: Authority, between: Authority, tmp_path: Path
) -> None:
    leaf = issued(_HOST, between, is_authority=False, days=-1)
    certificate = Certificate(*write(tmp_path, leaf, between))
    verifying = ssl.create_default_context(cadata=root.pem.decode())
    async with serving(tmp_path, certificate=certificate) as served:
        with pytest.raises(ssl.SSLCertVerificationError):
            await shaken(served.port, verifying)
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        trusting.maximum_version = ssl.TLSVersion.TLSv1_2
        assert await shaken(served.port, trusting) == "TLSv1.2"
        trusting.set_ciphers("DEFAULT@SECLEVEL=0")
        trusting.minimum_version = trusting.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await shaken(served.port, trusting)
