"""UUIDv7 (RFC 9562 section 5.7): ids in the order in which they were made."""

import os
import time
from datetime import datetime
from uuid import UUID


def uuid7(moment: datetime | None = None) -> UUID:
    """Return a new one, of that moment or now; its 74 other bits are random."""
    milliseconds = int(moment.timestamp() * 1000) if moment else time.time_ns() // 1_000_000
    value = (milliseconds & (1 << 48) - 1) << 80
    value |= int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)
