"""Capture ids: UUIDv7 that show when and for which account they were made.

Of the 74 random bits the last 24 are a hash of the account's tag and the bits before them. So the
timeline can say that a capture is on its way before anything has arrived, without another service,
and reveals nothing about another account's. The hash has no secret: a caller who makes up an id of
their own account is told `waiting`, which is of no use to them.
"""

import hashlib
from datetime import UTC, datetime
from uuid import UUID

from shared.contracts.uuid7 import uuid7

_CHECK_BITS = 24
_CHECK = (1 << _CHECK_BITS) - 1


def capture_id(account_tag: str, moment: datetime | None = None) -> UUID:
    """Return a new capture id of the account with this tag, of that moment or now."""
    value = uuid7(moment).int
    return UUID(int=value & ~_CHECK | _check(value, account_tag))


def is_of(id_: UUID, account_tag: str) -> bool:
    """Return whether the id was made for the account with this tag."""
    return id_.version == 7 and id_.int & _CHECK == _check(id_.int, account_tag)


def moment_of(id_: UUID) -> datetime | None:
    """Return when a UUIDv7 was made, to the millisecond; None of others."""
    if id_.version != 7:
        return None
    seconds, rest = divmod(id_.int >> 80, 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000)


def _check(value: int, account_tag: str) -> int:
    before = (value >> _CHECK_BITS).to_bytes(13, "big")
    digest = hashlib.sha256(b"capture id\0" + account_tag.encode() + b"\0" + before).digest()
    return int.from_bytes(digest[:3], "big")
