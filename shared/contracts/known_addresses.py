"""By which addresses and names a person was known, told without telling them.

A person's id may be deleted and come back for somebody else. Matcher and timeline then have to
agree which mail is the present person's: the matcher remembers the addresses of each, hashed, and
the timeline compares the address that a mail was matched by. Of who is erased, the matcher tells
hashes alone, and the timeline compares every address and name that it finds.

The hash is salted with the account and the id, so the same address of two people has two hashes. It
is not keyed: anyone with the database can confirm a guess (docs/privacy.md).
"""

import base64
import hashlib
import re
import unicodedata

ERASED_NAME, ERASED_ADDRESS = "Erased", "erased@erased.invalid"
"""What stands in the place of who was erased. RFC 6761: a name that never resolves. It reads as a
mailbox wherever one is expected."""
_BYTES = 16
_WORD = re.compile(r"\w+")
_CJK = re.compile(r"[\u2e80-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]")


def address_hash(account: str, person_id: str, key: str) -> str:
    """Return the hash of a person's address, given in the form in which addresses compare."""
    return _hashed(account, person_id, key)


def name_hash(account: str, person_id: str, name: str) -> str | None:
    """Return the hash of a person's name, the same in any order of its words and in any case.

    None for a single word, which many people have, unless it is Chinese, Japanese or Korean.
    """
    words = sorted(_WORD.findall(unicodedata.normalize("NFKC", name).casefold()))
    if len(words) < 2 and not _CJK.search(name):
        return None
    return _hashed(account, person_id, "name", *words)


def _hashed(*parts: str) -> str:
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()
    return base64.urlsafe_b64encode(digest[:_BYTES]).decode().rstrip("=")
