"""Free ports on loopback, below the range the kernel hands out itself."""

import random
import socket

_HANDED_OUT: set[int] = set()


def free_port() -> int:
    """Return a port that nothing listens on, never the same twice."""
    while True:
        port = random.randrange(15_000, 32_000)
        if port in _HANDED_OUT:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _HANDED_OUT.add(port)
        return port
