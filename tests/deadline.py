"""How long a test waits for what has to happen: a safety net, never a promise of the product.

What a test waits for comes within a second or so on an idle machine. On a busy one it takes as long
as it takes: the deadline only keeps a broken build from running for ever.
"""

import time
from collections.abc import Callable

DEADLINE = 120.0
"""Seconds, two orders of magnitude above what is expected."""


def eventually(happened: Callable[[], object], poll: float = 0.02) -> bool:
    """Return True once it has happened, False at the deadline."""
    deadline = time.monotonic() + DEADLINE
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(poll)
    return True
