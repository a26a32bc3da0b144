"""Whose an id is: when one comes back after it was deleted, is it the same person?

It is, when it has one of the addresses that it had before. Then the mail from before is theirs
again. With none of them it is somebody else, the *former holder's* mail stays hidden, and it comes
back when a later change gives the id one of their addresses again: then the two were one.

    known   the addresses that the present holder has, and up to 200 that they had
    former  of each former holder the same; the latest ten of them

No address is in two of these lists: holders who share one are one. While a person is in the
directory, `known` has addresses as they compare; of who is deleted, and so of all former holders,
only hashes are kept (`shared/contracts/known_addresses.py`).

A change of a person is one update, so who the holder is follows from the document alone, whatever
races. What is past the limits stays hidden: it never becomes somebody else's.
"""

from collections.abc import Collection
from typing import Any

from shared.contracts.known_addresses import address_hash
from shared.storage.database import Document

MAX_KNOWN, MAX_FORMER = 200, 10


def as_put(account: str, person_id: str, keys: Collection[str]) -> Document:
    """Return the expressions for `known` and `former` when a person is put with these keys.

    They read the document as it was.
    """
    own = [address_hash(account, person_id, key) for key in keys]
    spellings = {"$literal": sorted([*keys, *own])}
    of_before = {"$ifNull": ["$known", {"$ifNull": ["$keys", []]}]}  # older ones have no `known`
    deleted = {"$eq": [{"$ifNull": ["$deleted", False]}, True]}
    is_another = {"$and": [deleted, {"$ne": [of_before, []]}, {"$not": [_meet(of_before)]}]}
    former = {"$ifNull": ["$former", []]}
    others = {"$cond": [is_another, {"$concatArrays": [former, [of_before]]}, former]}
    present = {"$cond": [is_another, [], of_before]}

    def where(condition: Document) -> Document:
        return {"$filter": {"input": "$$others", "as": "holder", "cond": condition}}

    same = _meet("$$holder")
    back = {
        "$reduce": {
            "input": where(same),
            "initialValue": "$$present",
            "in": {"$concatArrays": ["$$value", "$$this"]},
        }
    }
    had = {"$slice": [{"$setDifference": [back, "$$spellings"]}, MAX_KNOWN]}

    def told(result: Document) -> Document:
        names = {"spellings": spellings}
        inner = {"$let": {"vars": {"others": others, "present": present}, "in": result}}
        return {"$let": {"vars": names, "in": inner}}

    return {
        "known": told({"$concatArrays": [{"$literal": sorted(keys)}, had]}),
        "former": told({"$slice": [where({"$not": [same]}), -MAX_FORMER]}),
    }


def _meet(holder: Any) -> Document:
    """Return the expression for whether a holder had one of the addresses."""
    return {"$gt": [{"$size": {"$setIntersection": [holder, "$$spellings"]}}, 0]}


def hashes_when_deleted(person: Document) -> list[str]:
    """Return what is kept of a person's addresses once the person is deleted."""
    keys: list[str] = person["keys"]
    known = dict.fromkeys([*keys, *person.get("known", ())])
    hashed = (_hashed(person, one) for one in known)
    return [*dict.fromkeys(hashed)][:MAX_KNOWN]


def known_by(person: Document) -> tuple[str, ...] | None:
    """Return what is announced: None unless the id was somebody else's before."""
    if not person.get("former"):
        return None
    return tuple(_hashed(person, one) for one in person["known"])


def _hashed(person: Document, known: str) -> str:
    """Return the hash of an address, or what is a hash already: no hash has an @."""
    if "@" not in known:
        return known
    return address_hash(person["account"], person["person_id"], known)
