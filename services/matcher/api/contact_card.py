"""A capture address as a contact to import: a vCard, so that it is found when Bcc is typed.

Version 3.0 (RFC 2426), which Google, Apple and Outlook all import: not all of them take 4.0 (RFC
6350), and Apple refuses 2.1. The media type is that of RFC 6350, by which clients know a card.

* The card's UID is the same for all addresses that a user ever has: importing the card after a
  rotation replaces the old address, where the address book heeds it.
* A name can hold anything. What would end a line or a field is escaped or left out, and lines are
  folded at 75 octets, never within a character.
"""

import re
import uuid
from datetime import UTC, datetime

_NAMESPACE = uuid.UUID("6f0c1f0e-6d0b-5a55-9d7c-3f6f5f3b9a51")
_MAX_OCTETS = 75
_CONTROLS = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+"
)
"""Controls, other ends of lines, what turns the direction of text, halves of characters."""


def contact_card(
    *, name: str, address: str, owner: str, owner_id: str, account: str, made_at: datetime
) -> bytes:
    """Return the card of a capture address under `name`, with a note about whose it is."""
    note = (
        f"Capture address of {owner or owner_id}. Put it into Bcc of mail that is to be filed in "
        "Satchel. It is private: do not pass it on."
    )
    lines = [
        "BEGIN:VCARD",
        "VERSION:3.0",
        "PRODID:-//Satchel//Satchel//EN",
        f"UID:urn:uuid:{uuid.uuid5(_NAMESPACE, f'{account}/{owner_id}')}",
        f"FN:{_text(name)}",
        f"N:;{_text(name)};;;",
        f"EMAIL;TYPE=INTERNET:{_text(address)}",
        f"NOTE:{_text(note)}",
        f"REV:{made_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "END:VCARD",
    ]
    return b"".join(_folded(line) for line in lines)


def _text(value: str) -> str:
    """Return a value as text of a vCard. RFC 2426 section 4."""
    value = _CONTROLS.sub(" ", re.sub(r"\r\n?", "\n", value)).strip()
    return re.sub(r"([\\,;])", r"\\\1", value).replace("\n", r"\n")


def _folded(line: str) -> bytes:
    """Return a line with its end, in pieces of 75 octets at most. RFC 2426 section 2.6."""
    pieces, piece = [], b""
    for character in line:
        octets = character.encode()
        if len(piece) + len(octets) > _MAX_OCTETS:
            pieces.append(piece)
            piece = b" "
        piece += octets
    return b"\r\n".join([*pieces, piece]) + b"\r\n"
