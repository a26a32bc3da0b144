"""Runs a command that dies with its parent: `python tether.py command...`.

The kernel kills the process when the thread that started it ends (prctl(2), PR_SET_PDEATHSIG). It
is set here and not between fork and exec, where a threaded program may run no Python.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Become the command."""
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the tether was tied
        sys.exit(1)
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
