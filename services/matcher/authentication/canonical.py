"""The form in which a mail is signed: RFC 6376 section 3.4, in linear time whatever the bytes.

What is signed must be what is read (`shared/mail/header_block.py`): a mail whose header block the
two would read differently cannot be verified. A byte order mark before the first field belongs to
neither.
"""

import re
from dataclasses import dataclass
from typing import Literal

from shared.mail.header_block import header_start, without_mark
from shared.mail.headers import MAX_HEADER_BYTES, HeaderBlock

Form = Literal["simple", "relaxed"]

_NEXT_FIELD = re.compile(rb"\r\n(?![ \t])")
_BLANKS = re.compile(rb"[ \t]++")


@dataclass(frozen=True, slots=True)
class Field:
    """A header field as it stands in the mail."""

    name: str
    """Lower case."""
    raw: bytes
    """All of it, without the line end after it."""

    @property
    def value(self) -> bytes:
        """What follows the colon."""
        return self.raw.partition(b":")[2]

    @property
    def text(self) -> str:
        """The value as text, unfolded."""
        return self.value.replace(b"\r\n", b"").decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class SignedForm:
    """A mail's fields and its body, with CRLF at the end of each line."""

    fields: tuple[Field, ...]
    body: bytes

    def all(self, name: str) -> list[Field]:
        """Return the fields of that name, which is in lower case."""
        return [field for field in self.fields if field.name == name]


def signed_form(raw: bytes, header: HeaderBlock) -> SignedForm | None:
    """Return a mail as a verifier has to see it; None when a reader sees another one."""
    if header.truncated:
        return None
    raw = raw[header_start(raw) :]
    if raw.count(b"\n") != raw.count(b"\r\n"):  # it came by HTTP, or from a file
        raw = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    block, _, body = raw.partition(b"\r\n\r\n")
    if len(block) > 2 * MAX_HEADER_BYTES or block.count(b"\r") != block.count(b"\r\n"):
        return None
    fields = tuple(map(_field, _NEXT_FIELD.split(block)))
    read = [name.lower() for name, _ in header.fields]
    return SignedForm(fields, body) if [field.name for field in fields] == read else None


def _field(raw: bytes) -> Field:
    raw = without_mark(raw)
    name = raw.partition(b":")[0].rstrip(b" \t")
    return Field(name.decode("ascii", "replace").lower(), raw)


def canonical_field(raw: bytes, form: Form) -> bytes:
    """Return a header field, without a line end. Sections 3.4.1 and 3.4.2."""
    if form == "simple":
        return raw
    name, _, value = raw.partition(b":")
    unfolded = _BLANKS.sub(b" ", value.replace(b"\r\n", b"")).strip(b" ")
    return name.rstrip(b" \t").lower() + b":" + unfolded


def canonical_body(body: bytes, form: Form) -> bytes:
    """Return the body without empty lines at its end. Sections 3.4.3 and 3.4.4."""
    if form == "relaxed":
        body = _BLANKS.sub(b" ", body)
        body = body.replace(b" \r\n", b"\r\n").removesuffix(b" ")
    text_end = len(body.rstrip(b"\r\n"))
    # Of the line ends after the text only CRLFs are empty lines: a bare CR is text.
    kept = max(text_end, body.rfind(b"\r\r", text_end) + 1, body.rfind(b"\n\n", text_end) + 1)
    kept += body.startswith(b"\n", kept)
    if body.endswith(b"\r"):
        kept = len(body)
    if kept == 0:
        return b"\r\n" if form == "simple" else b""
    return body[:kept] + b"\r\n"
