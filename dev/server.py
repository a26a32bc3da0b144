"""What the private servers have in common: a life in one folder, from start to stop.

* `start` returns when the server answers its clients, and raises `ServerFailed` with the end of the
  server's log when it does not. After `kill`, `stop` or the death of an earlier launcher it comes
  back in the same folder with its durable data, and after `kill` or `stop` on the same ports.
* `stop` is orderly, `kill` is a power cut for the server (not for the disk), `freeze` makes it
  silent while its connections stay open.
* It listens on loopback only, and nothing of it survives its launcher.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from dev.folder import ServerFolder
from dev.install import Unavailable
from dev.process import Process

_START_SECONDS = 180.0
_POLL_SECONDS = 0.01


class ServerFailed(Unavailable):
    """A private server ended, or did not answer in time, while it was starting."""


class PrivateServer(ABC):
    """A server of one's own, used as a context manager or through `start` and `stop`."""

    def __init__(self, folder: Path) -> None:
        self._folder = ServerFolder(folder)
        self._processes: list[Process] = []  # in the order in which they were started

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients find the server; known before it is started."""

    @abstractmethod
    def _launch(self) -> None:
        """Start the processes with `_run`, and return when the server serves its clients."""

    def start(self) -> None:
        """Start the server and wait until it serves."""
        if self.alive:
            raise RuntimeError(f"the server in {self._folder.path} is already running")
        self._folder.lock()
        self.kill()
        self._processes.clear()
        try:
            self._launch()
        except BaseException:
            self.kill()
            self._folder.unlock()
            raise

    def stop(self) -> None:
        """Stop the server in good order and leave its folder."""
        for process in reversed(self._processes):
            process.stop()
        self._folder.unlock()

    def kill(self) -> None:
        """Kill the server at once (SIGKILL)."""
        for process in reversed(self._processes):
            process.kill()

    def freeze(self) -> None:
        """Make the server silent (SIGSTOP)."""
        for process in reversed(self._processes):
            process.freeze()

    def thaw(self) -> None:
        """Let a frozen server go on (SIGCONT)."""
        for process in self._processes:
            process.thaw()

    @property
    def alive(self) -> bool:
        """Whether all of the server's processes run."""
        return bool(self._processes) and all(process.alive for process in self._processes)

    @property
    def pid(self) -> int:
        """The pid of the server itself."""
        if not self._processes:
            raise RuntimeError(f"the server in {self._folder.path} was never started")
        return self._processes[-1].pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _run(
        self, name: str, command: Sequence[str | Path], environment: Mapping[str, str] | None = None
    ) -> None:
        log = self._folder.path / f"{name}.log"
        process = Process(command, log=log, environment=environment)
        process.start()
        self._processes.append(process)

    def _await(self, what: str, happened: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not happened():
            for process in self._processes:
                if not process.alive:
                    ended = f"{process.name} ended with status {process.exit_code}"
                    raise ServerFailed(f"{ended}; its log {process.log}:\n{process.tail()}")
            if time.monotonic() > deadline:
                late = f"{what}: not within {_START_SECONDS:.0f} seconds"
                raise ServerFailed(f"{late}; the log:\n{self._processes[-1].tail()}")
            time.sleep(_POLL_SECONDS)
