import random
from base64 import encodebytes
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import (
    PKCS7Options,
    PKCS7SignatureBuilder,
    serialize_certificates,
)
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from shared.mail.mime import MAX_DEPTH, MAX_SIGNED, leaves
from shared.mail.part import Part
from shared.mail.signed import signed_content
from tests.opaque import ENVELOPED_DATA, OPAQUE, ber, der, opaque_mail, unsigned

INNER = (
    b"Content-Type: text/plain; charset=utf-8\r\n\r\nI can start in May.\r\nKind regards, Cara\r\n"
)


@cache
def key_and_certificate() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Cara Diaz")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=365))
        .sign(key, SHA256())
    )
    return key, certificate


def signed(content: bytes, *options: PKCS7Options) -> bytes:
    key, certificate = key_and_certificate()
    builder = PKCS7SignatureBuilder().set_data(content).add_signer(certificate, key, SHA256())
    builder = builder.add_certificate(certificate)
    return builder.sign(Encoding.DER, [PKCS7Options.Binary, *options])


def parts(raw: bytes) -> list[Part]:
    found, _ = leaves(raw)
    return found


# -- the structure ------------------------------------------------------------------------------


def test_what_is_signed_is_read_in_every_encoding() -> None:
    pieces = der(4, INNER[:20]) + ber(0x24, der(4, INNER[20:30])) + der(4, INNER[30:])
    assert signed_content(signed(INNER)) == INNER
    for element in (der, ber):
        for octets in (der(4, INNER), der(0x24, pieces), ber(0x24, pieces)):
            assert signed_content(unsigned(octets, element)) == INNER
    assert signed_content(signed(INNER) + b"\r\n") == INNER


def test_what_holds_no_content_is_none() -> None:
    _, certificate = key_and_certificate()
    assert signed_content(signed(INNER, PKCS7Options.DetachedSignature)) is None
    assert signed_content(serialize_certificates([certificate], Encoding.DER)) is None
    assert signed_content(unsigned(der(4, INNER), kind=ENVELOPED_DATA)) is None
    assert signed_content(INNER) is None
    assert signed_content(b"") is None
    assert signed_content(signed(INNER)[:-20]) is None


def test_a_signature_of_very_many_pieces_is_not_read() -> None:
    assert signed_content(unsigned(ber(0x24, b"\4\0" * 100_000))) is None
    assert signed_content(unsigned(b"\x24\x80" * 100_000)) is None
    usual = b"".join(der(4, b"x" * 1000) for _ in range(2000))
    assert signed_content(unsigned(ber(0x24, usual), ber)) == b"x" * 2_000_000


@given(st.data())
def test_any_damage_is_survived(data: st.DataObject) -> None:
    raw = bytearray(unsigned(ber(0x24, der(4, INNER)), ber))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    content = signed_content(bytes(raw))
    assert content is None or len(content) <= len(raw)


# -- in a mail ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type",
    [
        OPAQUE,
        "application/x-pkcs7-mime; smime-type=signed-data",
        "application/pkcs7-mime",
        'application/octet-stream; name="SMIME.P7M"',
        "application/octet-stream",
    ],
)
def test_the_parts_inside_stand_before_the_signature(content_type: str) -> None:
    inner = (
        b"Content-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n\r\nbody\r\n"
        b"--i\r\nContent-Type: application/pdf; name=cv.pdf\r\n\r\n%PDF\r\n--i--\r\n"
    )
    found = parts(opaque_mail(signed(inner), content_type))
    assert [(part.content_type, part.filename) for part in found] == [
        ("text/plain", ""),
        ("application/pdf", "cv.pdf"),
        (content_type.partition(";")[0], "smime.p7m"),
    ]
    assert found[0].data == b"body"
    assert signed_content(found[2].data) == inner


def test_a_file_that_is_signed_stays_a_file() -> None:
    for content in (b"%PDF-1.4\n1 0 obj", b"<?xml version='1.0'?><invoice/>", b"To: all\n\nhello"):
        found = parts(
            opaque_mail(signed(content), 'application/octet-stream; name="contract.pdf.p7m"')
        )
        assert [part.content_type for part in found] == ["application/octet-stream"]


@pytest.mark.parametrize(
    "inner",
    [
        b"\r\nbody",  # an empty header: RFC 2045 section 5.2
        b"Content-Transfer-Encoding: base64\r\n\r\nYm9keQ==\r\n",
        b"MIME-Version : 1.0\r\n\r\nbody",
        b"Content-Type: message/rfc822; forwarded=no\r\n\r\nFrom: cara@mail.example\r\n\r\nbody",
    ],
)
def test_a_text_that_names_no_type_and_a_wrapped_mail_are_read(inner: bytes) -> None:
    found = parts(opaque_mail(signed(inner)))
    assert [(part.content_type, part.data) for part in found][:1] == [("text/plain", b"body")]
    assert [part.filename for part in found] == ["", "smime.p7m"]


def test_a_signed_forward_stays_a_forward_and_a_signed_text_file_a_file() -> None:
    forward = b"Content-Type: message/rfc822\r\n\r\nFrom: cara@mail.example\r\n\r\nbody"
    found = parts(opaque_mail(signed(forward)))
    assert [part.content_type for part in found] == ["message/rfc822", "application/pkcs7-mime"]
    file = opaque_mail(signed(b"\r\nnotes"), "application/octet-stream; name=notes.txt.p7m")
    assert len(parts(file)) == 1


def test_what_is_encrypted_or_damaged_stays_a_file() -> None:
    for p7m in (unsigned(der(4, INNER), kind=ENVELOPED_DATA), b"0 no CMS", signed(INNER)[:99]):
        found, whole = leaves(opaque_mail(p7m))
        assert [part.filename for part in found] == ["smime.p7m"]
        assert whole


def test_a_detached_signature_is_read_as_before() -> None:
    raw = (
        b"Content-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n" + INNER + b"\r\n--s\r\n"
        b"Content-Type: application/pkcs7-signature; name=smime.p7s\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n"
        + encodebytes(signed(INNER, PKCS7Options.DetachedSignature))
        + b"--s--\r\n"
    )
    assert [part.filename for part in parts(raw)] == ["", "smime.p7s"]


def test_signatures_in_signatures_are_bounded() -> None:
    raw = INNER
    for _ in range(3):
        raw = opaque_mail(unsigned(der(4, raw)))
    assert [part.content_type for part in parts(raw)] == [
        "text/plain",
        *["application/pkcs7-mime"] * 3,
    ]
    for _ in range(12):
        raw = opaque_mail(unsigned(der(4, raw)))
    assert [part.content_type for part in parts(raw)].count("text/plain") == 1
    inside = opaque_mail(unsigned(der(4, INNER)))
    for level in range(MAX_DEPTH):
        head = f"Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n"
        inside = head.encode() + inside
    found, whole = leaves(inside)
    assert [part.content_type for part in found] == ["application/pkcs7-mime"]
    assert not whole


def test_many_signatures_are_not_all_opened() -> None:
    one = b"--b\r\n" + opaque_mail(unsigned(der(4, INNER))) + b"\r\n"
    found, whole = leaves(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + one * 80)
    assert len(found) == 80 + MAX_SIGNED
    assert not whole


def test_mutated_signatures_are_read() -> None:
    chance = random.Random(20261128)
    for _ in range(300):
        raw = bytearray(opaque_mail(unsigned(ber(0x24, der(4, INNER)), ber)))
        for _ in range(3):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        leaves(bytes(raw))
