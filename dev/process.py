"""A child process that ends when its launcher ends, whatever ends the launcher."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent


class Process:
    """A process in a group of its own, its output in a log file."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        self._command, self._log = list(command), log
        self._environment, self._folder = environment, folder
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id, which is also its group's."""
        assert self._child is not None
        return self._child.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._child is not None and self._child.poll() is None

    def start(self) -> None:
        """Start it; tethered to the calling thread's life (PR_SET_PDEATHSIG)."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                [sys.executable, str(ROOT / "dev" / "tether.py"), *self._command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                cwd=self._folder,
                start_new_session=True,
            )

    def wait(self, seconds: float) -> int | None:
        """Return its exit code, or None when it still runs after that."""
        assert self._child is not None
        try:
            return self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self, grace: float = 20) -> None:
        """Ask it to end; after the grace, end it."""
        if self.alive:
            self._signal(signal.SIGCONT)
            os.kill(self.pid, signal.SIGTERM)
            self.wait(grace)
        self.kill()

    def kill(self) -> None:
        """End the whole group now."""
        if self._child is not None:
            self._signal(signal.SIGKILL)
            self._child.wait()

    def freeze(self) -> None:
        """Let the group stand still."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def tail(self, lines: int = 12) -> str:
        """Return the last lines of its log."""
        text = self._log.read_text(errors="replace") if self._log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)
