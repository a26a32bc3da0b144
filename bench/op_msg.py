"""What a message of MongoDB's wire protocol asks for, or has written. Pure.

    request    one OP_MSG of a client: a command, with a batch of documents or without. A bulk write
               of 64 documents is one request, a commit of a transaction another
    statement  one insert, update or delete of a batch; a findAndModify is one
    document   one that the server says it inserted, changed or removed: an update that finds all as
               it should be writes none

https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import bson

HEADER_BYTES = 16
WRITES = frozenset({"insert", "update", "delete", "findAndModify", "bulkWrite"})
_HEADER, _LENGTH = struct.Struct("<iiii"), struct.Struct("<i")
_OP_MSG = 2013
_FLAGS_BYTES, _CHECKSUM_PRESENT, _CHECKSUM_BYTES = 4, 1, 4
_BODY, _BATCH = 0, 1
_BATCHES = frozenset({"documents", "updates", "deletes", "ops"})
"""The names of what a write has many of. `nsInfo` of a bulkWrite is none."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked."""

    id: int
    command: str
    statements: int


def length_of(header: bytes) -> int:
    """Return the bytes of a whole message, its header included."""
    length: int = _LENGTH.unpack_from(header)[0]
    return length


def answered(message: bytes) -> int:
    """Return the id of the request that a message answers."""
    return int(_HEADER.unpack_from(message)[2])


def request(message: bytes) -> Request | None:
    """Return what a client's message asks; None for the old form, which only handshakes have."""
    _, id_, _, code = _HEADER.unpack_from(message)
    if code != _OP_MSG:
        return None
    command, statements = "", 0
    at, end = HEADER_BYTES + _FLAGS_BYTES, _end_of_sections(message)
    while at < end:
        kind, length = message[at], _LENGTH.unpack_from(message, at + 1)[0]
        if kind == _BODY:
            command = _cstring(message, at + 1 + _LENGTH.size + 1)
        elif kind == _BATCH:
            statements += _batch(message, at + 1, length)
        at += 1 + length
    return Request(id_, command, 1 if command == "findAndModify" else statements)


def documents_written(answer: bytes) -> int:
    """Return how many documents the server wrote, by its answer to one of `WRITES`."""
    at = HEADER_BYTES + _FLAGS_BYTES + 1
    length = _LENGTH.unpack_from(answer, at)[0]
    return _written(bson.decode(answer[at : at + length]))


def _written(told: Mapping[str, Any]) -> int:
    if "nInserted" in told:  # a bulkWrite, over collections
        return int(
            sum(told[f"n{what}"] for what in ("Inserted", "Modified", "Upserted", "Deleted"))
        )
    if "lastErrorObject" in told:  # a findAndModify
        return int(told["lastErrorObject"].get("n", 0))
    if "nModified" in told:  # an update
        return int(told["nModified"]) + len(told.get("upserted", ()))
    return int(told.get("n", 0))


def _end_of_sections(message: bytes) -> int:
    (flags,) = struct.unpack_from("<I", message, HEADER_BYTES)
    return len(message) - (_CHECKSUM_BYTES if flags & _CHECKSUM_PRESENT else 0)


def _batch(message: bytes, at: int, length: int) -> int:
    """Return how many statements a section of documents has."""
    end, name = at + length, _cstring(message, at + _LENGTH.size)
    if name not in _BATCHES:
        return 0
    at += _LENGTH.size + len(name) + 1
    count = 0
    while at < end:
        at += _LENGTH.unpack_from(message, at)[0]
        count += 1
    return count


def _cstring(message: bytes, at: int) -> str:
    return message[at : message.index(0, at)].decode()
