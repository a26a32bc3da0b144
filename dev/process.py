"""A child process under control: started, watched, stopped, killed, frozen; never left behind.

* It leads a session of its own: a Ctrl-C in the terminal reaches the launcher alone, which stops
  its children in the order it wants. Every signal but SIGTERM goes to the whole process group.
* It cannot outlive the launcher, not even one that was killed with SIGKILL (`dev.tether`). Start
  it from whatever thread: the fork happens in one that lives as long as the launcher.
* Standard output and error go to the end of its log file; `tail` quotes it in error messages.
* It is reaped by `stop` and `kill` alone, after its group was killed. So its pid stays its own for
  as long as this object may send a signal to it.
* A command that does not exist is a process that ended with status 127 and says so in its log.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Protocol

from dev.warm import WarmStarts

_TETHER = Path(__file__).with_name("tether.py")
_POLL_SECONDS = 0.01
warm_starts: WarmStarts | None = None
"""Starts the commands that it can start; the tests set it."""


class _Child(Protocol):
    """A child of this process."""

    pid: int
    returncode: int | None

    def wait(self) -> int:
        """Wait until it ends, and reap it."""


class Process:
    """One command, and at most one running process of it."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        self.log = log
        self._command = [str(word) for word in command]
        self._environment = environment
        self._folder = folder
        self._child: _Child | None = None

    def start(self) -> None:
        """Start the command; a process that already ended may be started again."""
        if self.alive:
            raise RuntimeError(f"{self.name} is already running")
        self.kill()
        self._child = _in_lasting_thread(self._fork)

    def stop(self, grace: float = 20.0) -> int | None:
        """Ask the process to end (SIGTERM); after `grace` seconds, or its end, kill its group.

        Return its exit code, None when it was not running or had to be killed.
        """
        code = None
        if self._child is not None and self.alive:
            os.kill(self._child.pid, signal.SIGTERM)
            self.thaw()
            code = self.wait(grace)
        self.kill()
        return code

    def kill(self) -> None:
        """Kill the process and its whole group now (SIGKILL), and reap it."""
        if self._child is not None:
            self._signal_group(signal.SIGKILL)
            self._child.wait()
            with suppress(ChildProcessError):  # the group's others, if they became ours
                while True:
                    os.waitpid(-self._child.pid, 0)

    def freeze(self) -> None:
        """Stop the clock for the whole group (SIGSTOP): alive, connected, silent."""
        self._signal_group(signal.SIGSTOP)
        if self.alive and self._child is not None:
            # Its threads go on until the signal reaches them, which is not before this returns.
            os.waitid(os.P_PID, self._child.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def thaw(self) -> None:
        """Let a frozen group go on (SIGCONT)."""
        self._signal_group(signal.SIGCONT)

    def wait(self, seconds: float) -> int | None:
        """Wait until the process ends by itself; return its exit code, None when it still runs."""
        deadline = time.monotonic() + seconds
        while self.alive and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        return self.exit_code

    @property
    def name(self) -> str:
        """What messages call the process: its log's name."""
        return self.log.stem

    @property
    def alive(self) -> bool:
        """Whether the process runs (a frozen one does)."""
        return self._child is not None and self.exit_code is None

    @property
    def exit_code(self) -> int | None:
        """The status it ended with, or minus the signal; None while it runs and before."""
        if self._child is None:
            return None
        if self._child.returncode is not None:
            return self._child.returncode
        ended = os.waitid(os.P_PID, self._child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None:
            return None
        return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status

    @property
    def pid(self) -> int:
        """The pid of the running process, which is its group's id too."""
        if self._child is None:
            raise RuntimeError(f"{self.name} was never started")
        return self._child.pid

    def tail(self, lines: int = 20) -> str:
        """Return the last lines of the log, for error messages."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _signal_group(self, number: signal.Signals) -> None:
        if self._child is not None and self._child.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._child.pid, number)

    def _fork(self) -> _Child:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if warm_starts is not None:
            given = self._command, self.log, self._environment, self._folder
            if (child := warm_starts.start(*given)) is not None:
                return child
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-I", "-S", _TETHER, str(os.getpid()), *self._command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                cwd=self._folder,
                start_new_session=True,
            )


_Fork = Callable[[], _Child]
_forks: SimpleQueue[tuple[_Fork, Future[_Child]]] = SimpleQueue()
_lasting_thread: threading.Thread | None = None
_starting_thread = threading.Lock()


def _in_lasting_thread(fork: _Fork) -> _Child:
    global _lasting_thread
    with _starting_thread:
        if _lasting_thread is None:
            _lasting_thread = threading.Thread(target=_serve_forks, name="forks", daemon=True)
            _lasting_thread.start()
    child: Future[_Child] = Future()
    _forks.put((fork, child))
    return child.result()


def _serve_forks() -> None:
    while True:
        fork, child = _forks.get()
        try:
            child.set_result(fork())
        except Exception as error:  # raised again by result(), in the thread that asked
            child.set_exception(error)
