"""Whose an id is: when one comes back after it was deleted, is it the same person?

It is, when it has one of the addresses that it had before. Then the mail from before is theirs
again. With none of them it is somebody else, the *former holder's* mail stays hidden, and it comes
back when a later change gives the id one of their addresses again: then the two were one.

    holders.known   the addresses that the present holder has, and up to 200 that they had
    holders.former  of each former holder the same; the latest ten of them

No address is in two of these lists: holders who share one are one. While a person is in the
directory, `known` has addresses as they compare; of who is deleted, and so of all former holders,
only hashes are kept (`shared/contracts/known_addresses.py`).

A change of a person is one update, so who the holder is follows from the document alone, whatever
races. What is past the limits stays hidden: it never becomes somebody else's.
"""

from collections.abc import Collection

from shared.contracts.known_addresses import address_hash
from shared.storage.database import Document

MAX_KNOWN, MAX_FORMER = 200, 10


def _meet(holder: str) -> Document:
    """Return the expression for whether a holder had one of the addresses."""
    return {"$ne": [{"$setIntersection": [holder, "$$spellings"]}, []]}


def _in_turn(*steps: Document, result: Document) -> Document:
    """Return the expression of a result, each step being variables that the next one reads."""
    for variables in reversed(steps):
        result = {"$let": {"vars": variables, "in": result}}
    return result


def _holders(which: Document) -> Document:
    return {"$filter": {"input": "$$others", "as": "holder", "cond": which}}


_SAME = _meet("$$holder")
_AFTER_PUT = _in_turn(
    {
        "before": {"$ifNull": ["$holders.known", {"$ifNull": ["$keys", []]}]},
        "former": {"$ifNull": ["$holders.former", []]},
        "deleted": {"$ifNull": ["$deleted", False]},
    },
    {"another": {"$and": ["$$deleted", {"$ne": ["$$before", []]}, {"$not": [_meet("$$before")]}]}},
    {
        "others": {
            "$cond": ["$$another", {"$concatArrays": ["$$former", ["$$before"]]}, "$$former"]
        },
        "present": {"$cond": ["$$another", [], "$$before"]},
    },
    {
        "had": {
            "$reduce": {
                "input": _holders(_SAME),
                "initialValue": "$$present",
                "in": {"$concatArrays": ["$$value", "$$this"]},
            }
        }
    },
    result={
        "known": {
            "$concatArrays": [
                "$$keys",
                {"$slice": [{"$setDifference": ["$$had", "$$spellings"]}, MAX_KNOWN]},
            ]
        },
        "former": {"$slice": [_holders({"$not": [_SAME]}), -MAX_FORMER]},
    },
)
"""What `holders` is of a person who is put with `keys`, of which all `spellings` are known."""


def as_put(account: str, person_id: str, keys: Collection[str]) -> Document:
    """Return the expression for `holders` when a person is put with these keys.

    It reads the document before the change.
    """
    own = [address_hash(account, person_id, key) for key in keys]
    told = {"keys": {"$literal": sorted(keys)}, "spellings": {"$literal": sorted([*keys, *own])}}
    return _in_turn(told, result=_AFTER_PUT)


def hashes_when_deleted(person: Document) -> list[str]:
    """Return what is kept of a person's addresses once the person is deleted."""
    keys: list[str] = person["keys"]
    known = dict.fromkeys([*keys, *person.get("holders", {}).get("known", ())])
    hashed = (_hashed(person, one) for one in known)
    return [*dict.fromkeys(hashed)][:MAX_KNOWN]


def all_hashes(person: Document) -> list[str]:
    """Return the hashes of all addresses that an id is remembered by, of former holders as well."""
    holders = person.get("holders", {})
    known: list[str] = [*person["keys"], *holders.get("known", ())]
    for former in holders.get("former", ()):
        known += former
    return [*dict.fromkeys(_hashed(person, one) for one in known)]


def known_by(person: Document) -> tuple[str, ...] | None:
    """Return what is announced: None unless the id was somebody else's before."""
    holders = person.get("holders", {})
    if not holders.get("former"):
        return None
    return tuple(_hashed(person, one) for one in holders["known"])


def _hashed(person: Document, known: str) -> str:
    """Return the hash of an address, or what is a hash already: no hash has an @."""
    if "@" not in known:
        return known
    return address_hash(person["account"], person["person_id"], known)
