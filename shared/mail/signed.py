"""What an opaque S/MIME signature holds: the mail inside CMS SignedData. RFC 8551 section 3.5.2.

* pyasn1 reads the structure, in DER and in BER: lengths may be indefinite, and octet strings may
  come in pieces.
* Nothing is verified and nothing is claimed about the signature.
* Nothing raises. The library may read a bounded number of elements, and it bounds their depth.
"""

import io
from typing import Any

from pyasn1.codec.ber.decoder import decode
from pyasn1.type import namedtype, tag, univ

SIGNED_START = b"\x30"
"""The tag of a SEQUENCE."""
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
"""The object identifier 1.2.840.113549.1.7.2. RFC 5652 section 5.1."""
_START_BYTES = 64
_MIN_READS, _READ_BYTES = 500, 32
"""The library may read so often, and once more for every so many bytes."""


def _context(kind: Any, number: int, *, explicit: bool) -> Any:
    """Return an ASN.1 type with a context-specific tag."""
    tagged = tag.Tag(tag.tagClassContext, tag.tagFormatConstructed, number)
    return kind.subtype(**{"explicitTag" if explicit else "implicitTag": tagged})


_ANY_SET = univ.SetOf(componentType=univ.Any())
_ENCAPSULATED = univ.Sequence(
    componentType=namedtype.NamedTypes(
        namedtype.NamedType("eContentType", univ.ObjectIdentifier()),
        namedtype.OptionalNamedType("eContent", _context(univ.OctetString(), 0, explicit=True)),
    )
)
_SIGNED = univ.Sequence(
    componentType=namedtype.NamedTypes(
        namedtype.NamedType("version", univ.Integer()),
        namedtype.NamedType("digestAlgorithms", _ANY_SET),
        namedtype.NamedType("encapContentInfo", _ENCAPSULATED),
        namedtype.OptionalNamedType("certificates", _context(_ANY_SET, 0, explicit=False)),
        namedtype.OptionalNamedType("crls", _context(_ANY_SET, 1, explicit=False)),
        namedtype.OptionalNamedType("signerInfos", _ANY_SET),
    )
)
_CONTENT_INFO = univ.Sequence(
    componentType=namedtype.NamedTypes(
        namedtype.NamedType("contentType", univ.ObjectIdentifier()),
        namedtype.NamedType("content", _context(_SIGNED, 0, explicit=True)),
    )
)
"""RFC 5652 sections 3, 5.1 and 5.2; what is not needed stays unread."""


class _TooManyReads(Exception):
    """The structure has more elements than a signature of its size."""


class _Bytes(io.BytesIO):
    """Bytes that can be read so often and no more."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._left = _MIN_READS + len(data) // _READ_BYTES

    def read(self, size: int | None = -1, /) -> bytes:
        """Read bytes. Raises _TooManyReads."""
        self._left -= 1
        if self._left < 0:
            raise _TooManyReads
        return super().read(size)


def signed_content(data: bytes) -> bytes | None:
    """Return what is signed, None if this is no SignedData or the content is not in it."""
    if not data.startswith(SIGNED_START) or _SIGNED_DATA not in data[:_START_BYTES]:
        return None
    try:
        info, _ = decode(_Bytes(data), asn1Spec=_CONTENT_INFO)
        content = info["content"]["encapContentInfo"]["eContent"]
        return bytes(content) if content.isValue else None
    except Exception:  # a foreign library on anyone's bytes
        return None
