"""The folder of a private server: everything it writes, and what it must find again.

* One launcher at a time runs a server in a folder. The lock is the kernel's and goes with the
  launcher, so no stale one is ever left.
* What has to be the same after a restart (a node's name, a port) is made once and kept in a small
  file. A port that somebody else took meanwhile is replaced.
"""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from dev.install import Unavailable
from dev.ports import claim, free_port


class FolderInUse(Unavailable):
    """Another launcher runs a server in this folder, or took the port that was asked for."""


class ServerFolder:
    """A folder that one server owns."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock: int | None = None

    def lock(self) -> None:
        """Take the folder for this launcher, or raise FolderInUse."""
        if self._lock is not None:
            return
        lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise FolderInUse(f"another process runs a server in {self.path}") from None
        self._lock = lock

    def unlock(self) -> None:
        """Leave the folder to others."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def subfolder(self, name: str) -> Path:
        """Return a folder inside this one, made when missing."""
        path = self.path / name
        path.mkdir(exist_ok=True)
        return path

    def remember(self, name: str, make: Callable[[], str]) -> str:
        """Return what was kept under a name; the first time, make it and keep it."""
        kept = self.recall(name)
        if kept is not None:
            return kept
        made = make()
        self.keep(name, made)
        return made

    def recall(self, name: str) -> str | None:
        """Return what was kept under a name, if anything was."""
        try:
            return (self.path / name).read_text()
        except FileNotFoundError:
            return None

    def keep(self, name: str, value: str) -> None:
        """Keep a value under a name, whole or not at all, readable by its owner alone."""
        draft = self.path / f"{name}.new"
        draft.touch(mode=0o600)
        draft.write_text(value)
        draft.replace(self.path / name)

    def port(self, name: str, wanted: int | None = None) -> int:
        """Return the wanted port, else the one kept under this name, else a free one; keep it."""
        if wanted is not None:
            if not claim(wanted):
                raise FolderInUse(f"port {wanted} is taken by another process")
            port = wanted
        else:
            kept = self.recall(name)
            port = int(kept) if kept is not None and claim(int(kept)) else free_port()
        self.keep(name, str(port))
        return port
