"""One signature over a mail: DKIM's (RFC 6376 section 6.1), or ARC's message signature (RFC 8617).

Stricter than the RFC where a reader would be deceived:

* `l=`, which leaves the end of the body unsigned, counts only when it leaves nothing.
* From, Subject and Date must be signed where they are there, and a field that is signed may not
  stand in the mail once more: readers show the first, signers sign the last.
"""

import base64
import binascii
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Literal, cast

import idna

from services.matcher.authentication.canonical import (
    Field,
    Form,
    SignedForm,
    canonical_body,
    canonical_field,
)
from services.matcher.authentication.keys import Key, UnusableKey, read_key
from services.matcher.authentication.tags import BadTags, read_tags, without_space

ALGORITHMS = ("rsa-sha256", "ed25519-sha256")
"""RFC 8301 section 3.1: SHA-1 proves nothing."""
AskText = Callable[[str], Awaitable[list[str]]]
"""The TXT records of a name; raises `resolver.NoAnswer` without an answer."""

_ALWAYS_SIGNED = ("from", "subject", "date")
_ONCE = {
    *("from", "sender", "reply-to", "to", "cc", "message-id", "in-reply-to", "references"),
    *("subject", "date", "mime-version", "content-type", "content-transfer-encoding"),
}
"""RFC 5322 section 3.6, RFC 2045 section 3: what a mail has once."""
_DOMAIN = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]*+)(\.[a-z0-9_][a-z0-9_-]*+)*")


class Check(Enum):
    """What a signature says."""

    HOLDS = "the mail is unchanged since it was signed"
    ALTERED = "the mail was changed after it was signed"
    UNUSABLE = "nothing: no key, or nothing to rely on"


class Unusable(ValueError):
    """The signature is not one to verify, as if it were not there."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature field."""

    field: Field
    algorithm: str
    domain: str
    """Who signed: `d=`, in lower case and ASCII."""
    selector: str
    identity: str
    """The domain of `i=`."""
    header_form: Form
    body_form: Form
    names: tuple[str, ...]
    """The fields that are signed, in lower case."""
    body_hash: bytes
    value: bytes
    body_length: int | None
    expires: int | None

    @property
    def key_name(self) -> str:
        """The name of the key's record."""
        return f"{self.selector}._domainkey.{self.domain}"


class Bodies:
    """The hashes of a mail's body, each made once."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._made: dict[Form, tuple[bytes, int]] = {}

    def hash(self, form: Form) -> tuple[bytes, int]:
        """Return the SHA-256 of the body in that form, and its length."""
        if form not in self._made:
            body = canonical_body(self._body, form)
            self._made[form] = hashlib.sha256(body).digest(), len(body)
        return self._made[form]


def domain_name(text: str) -> str | None:
    """Return a domain in lower case and ASCII (RFC 8616), None when it is none."""
    name = text.strip().rstrip(".").lower()
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode("ascii")
        except UnicodeError:
            return None
    return name if _DOMAIN.fullmatch(name) else None


def read_signature(field: Field, kind: Literal["dkim", "arc"] = "dkim") -> Signature:
    """Return a DKIM-Signature or ARC-Message-Signature. Raises Unusable."""
    try:
        tags = read_tags(field.text)
        header_form, _, body_form = tags.get("c", "simple/simple").partition("/")
        forms = (header_form, body_form or "simple")
        names = tuple(without_space(tags["h"]).lower().split(":"))
        domain, selector = domain_name(tags["d"]), domain_name(tags["s"])
        identity = domain_name(tags.get("i", "").rpartition("@")[2] or tags["d"])
        if kind == "arc":
            identity = domain  # `i=` is the instance there
        signature = Signature(
            field,
            tags["a"].lower(),
            domain or "",
            selector or "",
            identity or "",
            *cast(tuple[Form, Form], forms),
            names,
            base64.b64decode(without_space(tags["bh"]), validate=True),
            base64.b64decode(without_space(tags["b"]), validate=True),
            int(tags["l"]) if "l" in tags else None,
            int(tags["x"]) if "x" in tags else None,
        )
    except (KeyError, ValueError, binascii.Error, BadTags) as error:
        raise Unusable(type(error).__name__) from error
    well_formed = (
        (kind == "arc" or tags.get("v") == "1")
        and signature.algorithm in ALGORITHMS
        and {*forms} <= {"simple", "relaxed"}
        and domain
        and selector
        and f".{signature.identity}".endswith(f".{domain}")
        and "from" in names
        and (kind == "dkim" or "arc-seal" not in names)
        and "dns/txt" in without_space(tags.get("q", "dns/txt")).split(":")
    )
    if not well_formed:
        raise Unusable("malformed")
    return signature


async def verify(
    signature: Signature, mail: SignedForm, bodies: Bodies, at: datetime, ask: AskText
) -> Check:
    """Return what a signature says about the mail, at the moment it was received.

    Raises resolver.NoAnswer.
    """
    if signature.expires is not None and signature.expires < at.timestamp():
        return Check.UNUSABLE
    try:
        key = read_key(await ask(signature.key_name))
        if key.strict and signature.identity != signature.domain:
            raise UnusableKey("for another identity")
        holds = _holds(signature, mail, bodies, key)
    except UnusableKey:
        return Check.UNUSABLE
    if holds is None or (not holds and key.testing):
        return Check.UNUSABLE
    return Check.HOLDS if holds else Check.ALTERED


def _holds(signature: Signature, mail: SignedForm, bodies: Bodies, key: Key) -> bool | None:
    """Return whether the signature is valid; None when too little of the mail was signed."""
    found, length = bodies.hash(signature.body_form)
    if signature.body_length is not None and signature.body_length != length:
        return None if signature.body_length < length else False
    there, names = Counter(field.name for field in mail.fields), Counter(signature.names)
    if any(there[name] and not names[name] for name in _ALWAYS_SIGNED):
        return None
    if any(there[name] > names[name] for name in _ONCE & names.keys()):
        return False
    signed = signed_header(signature, mail)
    digest = hashlib.sha256(signed).digest()
    is_signers = key.verifies(signature.algorithm, signature.value, digest, signed)
    return is_signers and found == signature.body_hash


def signed_header(signature: Signature, mail: SignedForm) -> bytes:
    """Return the bytes that were signed. Section 5.4.2: of several fields of a name, the last."""
    left = defaultdict[str, list[Field]](list)
    for field in mail.fields:
        if field is not signature.field:
            left[field.name].append(field)
    form = signature.header_form
    chosen = [left[name].pop() for name in signature.names if left[name]]
    lines = [canonical_field(field.raw, form) + b"\r\n" for field in chosen]
    return b"".join(lines) + canonical_field(without_value(signature.field.raw), form)


def without_value(raw: bytes) -> bytes:
    """Return a signature field with nothing in its `b=`. Section 3.7."""
    name, colon, value = raw.partition(b":")
    pieces = value.split(b";")
    for number, piece in enumerate(pieces):
        tag, equals, _ = piece.partition(b"=")
        if tag.strip(b" \t\r\n") == b"b":
            pieces[number] = tag + equals
    return name + colon + b";".join(pieces)
