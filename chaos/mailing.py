"""Mail beside that of the senders, which stops where a fault needs it."""

import contextlib
import threading
from collections.abc import Iterator

from dev.ledger import Ledger


class Mailing:
    """The uploads of a run, and what was promised for them; to be paused as `Senders` are."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self._open = threading.Event()
        self._open.set()
        self._lock, self._in_flight = threading.Lock(), 0

    @property
    def idle(self) -> bool:
        """Whether no upload is under way."""
        return self._in_flight == 0

    @property
    def is_paused(self) -> bool:
        """Whether an upload would wait."""
        return not self._open.is_set()

    def pause(self) -> None:
        """Begin no upload; those under way go on until they are acknowledged."""
        self._open.clear()

    def resume(self) -> None:
        """Go on."""
        self._open.set()

    @contextlib.contextmanager
    def upload(self) -> Iterator[None]:
        """Wait until uploads may begin; this one is under way then."""
        while True:
            self._open.wait()
            with self._lock:
                if self._open.is_set():  # or closed again meanwhile
                    self._in_flight += 1
                    break
        try:
            yield
        finally:
            with self._lock:
                self._in_flight -= 1
