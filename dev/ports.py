"""Ports on loopback for private servers.

* Below 32768, where Linux takes the ports of outgoing connections from, and above the usual ports
  of the servers themselves: no process gets such a port by accident.
* A port belongs to the process that claimed it until that process ends, also while nothing listens
  on it: a server killed for a moment finds its port again.
* Launchers that run at the same time never share one. A claim is an abstract Unix socket named
  after the port; the kernel keeps it per network, as it keeps ports, and drops it with its owner.
"""

import random
import socket
import threading

_PORTS = range(28_000, 32_768)
_claims: dict[int, int] = {}
"""The descriptors of the sockets that mark them, open until the process ends."""
_claiming = threading.RLock()


def free_port() -> int:
    """Claim a port that is neither in use nor claimed."""
    with _claiming:
        for port in random.sample(_PORTS, len(_PORTS)):
            if port not in _claims and claim(port):
                return port
    raise RuntimeError(f"no port is free from {_PORTS.start} to {_PORTS.stop - 1}")


def claim(port: int) -> bool:
    """Make a port this process's own; False when another process claimed it or listens on it."""
    with _claiming:
        if port in _claims:
            return True
        mark = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            mark.bind(f"\0satchel-port-{port}")
        except OSError:
            mark.close()
            return False
        if not _is_free(port):
            mark.close()
            return False
        _claims[port] = mark.detach()
        return True


def listens(port: int) -> bool:
    """Whether something takes connections on the port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
