"""By which addresses a person was known, told without telling the addresses.

A person's id may be deleted and come back for somebody else. Matcher and timeline then have to
agree which mail is the present person's: the matcher remembers the addresses of each, hashed, and
the timeline compares the address that a mail was matched by.

The hash is salted with the account and the id, so the same address of two people has two hashes. It
is not keyed: anyone with the database can confirm a guess (docs/privacy.md).
"""

import base64
import hashlib

_BYTES = 16


def address_hash(account: str, person_id: str, key: str) -> str:
    """Return the hash of a person's address, given in the form in which addresses compare."""
    digest = hashlib.sha256(f"{account}\0{person_id}\0{key}".encode()).digest()
    return base64.urlsafe_b64encode(digest[:_BYTES]).decode().rstrip("=")
