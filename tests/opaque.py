"""Opaque S/MIME signatures for tests: CMS SignedData in DER and BER. RFC 5652 section 5."""

from base64 import encodebytes
from collections.abc import Callable

SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
ENVELOPED_DATA = bytes.fromhex("06092a864886f70d010703")
DATA = bytes.fromhex("06092a864886f70d010701")


def der(tag: int, content: bytes) -> bytes:
    """Return an element with its length. X.690 section 8.1.3."""
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 128 + len(length)]) + length + content


def ber(tag: int, content: bytes) -> bytes:
    """Return an element of indefinite length. X.690 section 8.1.3.6."""
    return bytes([tag, 128]) + content + b"\0\0"


def unsigned(
    octets: bytes, element: Callable[[int, bytes], bytes] = der, kind: bytes = SIGNED_DATA
) -> bytes:
    """Return SignedData without a signer around an octet string that is encoded already."""
    encapsulated = element(0x30, DATA + element(0xA0, octets))
    signed = element(0x30, b"\2\1\1" + der(0x31, b"") + encapsulated + der(0x31, b""))
    return element(0x30, kind + element(0xA0, signed))


OPAQUE = 'application/pkcs7-mime; smime-type=signed-data; name="smime.p7m"'


def opaque_mail(p7m: bytes, content_type: str = OPAQUE) -> bytes:
    """Return a mail, or a part of one, that holds a signature."""
    head = f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: base64\r\n"
    head += 'Content-Disposition: attachment; filename="smime.p7m"\r\n\r\n'
    return head.encode() + encodebytes(p7m)
