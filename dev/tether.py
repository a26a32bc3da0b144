"""Becomes another program that cannot outlive the process that started it.

`python tether.py <pid of the launcher> <command> [argument ...]`

* The kernel kills the program (SIGKILL) as soon as the *thread* that started it ends, however that
  happened: `dev.process` starts everything from one thread that lives as long as the launcher.
* The bond survives `exec`, so this process is the program: same pid, nothing in between. It does
  not pass to the program's own children.
* The program starts with the default signal dispositions, not with those of Python.

It runs as a script, outside the package and with the standard library alone, to start in
milliseconds. Doing the same in `preexec_fn` would run Python between fork and exec, which can
deadlock in a launcher that has threads.
"""

import ctypes
import os
import signal
import sys
from typing import NoReturn

_PR_SET_PDEATHSIG = 1
_NOT_STARTED = 127


def main(launcher: int, command: list[str]) -> NoReturn:
    """Tie this process to its launcher, then become the command."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        sys.exit(f"cannot tie {command[0]} to its launcher: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != launcher:
        sys.exit(f"not starting {command[0]}: its launcher is gone")
    for ignored_by_python in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(ignored_by_python, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        print(f"cannot start {command[0]}: {error.strerror}", file=sys.stderr)
        sys.exit(_NOT_STARTED)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
