"""Progress of long work: one line on standard error, rewritten in place."""

import sys
import time
from typing import TextIO

_EVERY_SECONDS = 0.2


class Progress:
    """Counts steps of a known total, and shows the progress and the remaining time."""

    def __init__(
        self,
        doing: str,
        total: int,
        *,
        done: int = 0,
        in_bytes: bool = False,
        to: TextIO | None = None,
    ) -> None:
        """Begin; `done` steps were done by an earlier run. They may be bytes."""
        self._amount = _bytes if in_bytes else _count
        self._doing, self._total, self._done, self._before = doing, total, done, done
        self._to = to or sys.stderr
        self._begun, self._said = time.monotonic(), 0.0

    def step(self, count: int = 1) -> None:
        """Count steps, and update the line now and then."""
        self._done += count
        if time.monotonic() - self._said >= _EVERY_SECONDS:
            self._say()

    def note(self, text: str) -> None:
        """Write a message on a line of its own."""
        self._to.write(f"\r{text}\x1b[K\n")
        self._say()

    def end(self) -> None:
        """Write the final state."""
        self._say()
        self._to.write("\n")
        self._to.flush()

    def _say(self) -> None:
        self._said = time.monotonic()
        passed = self._said - self._begun
        rate = (self._done - self._before) / passed if passed else 0.0
        share = min(self._done / self._total, 1.0) if self._total else 1.0
        bar = "#" * round(share * 30)
        left = (self._total - self._done) / rate if rate and self._done < self._total else 0.0
        line = f"{self._doing} [{bar:<30}] {self._amount(self._done)} of "
        line += f"{self._amount(self._total)}, {self._amount(rate)}/s, {left:,.0f} s left"
        self._to.write(f"\r{line} \x1b[K")
        self._to.flush()


def _count(count: float) -> str:
    return f"{count:,.0f}"


def _bytes(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:,.2f} GB"
