"""A mutant may never end: each test gets a multiple of the time that it takes unchanged."""

import signal
import time
from pathlib import Path

from dev.mutation.worker import OVERDUE, PASSED, tried

SOON = 0.01


def waits_for_an_hour(_: float) -> int:
    signal.setitimer(signal.ITIMER_REAL, SOON)
    time.sleep(3600)
    return PASSED


def is_busy_for_ever(_: float) -> int:
    signal.setitimer(signal.ITIMER_PROF, SOON)
    while True:
        pass


def passes(_: float) -> int:
    return PASSED


def test_a_mutant_that_waits_or_loops_for_ever_is_overdue() -> None:
    assert tried(waits_for_an_hour, passes) == OVERDUE
    assert tried(is_busy_for_ever, passes) == OVERDUE


def test_a_mutant_that_ends_is_not_overdue() -> None:
    assert tried(passes, waits_for_an_hour) == PASSED
    assert tried(lambda _: 7, waits_for_an_hour) == 7


def test_no_mutant_is_overdue_while_the_tests_are_that_unchanged(tmp_path: Path) -> None:
    """The machine is busy: both are tried again, with more patience."""
    starts = tmp_path / "starts"
    starts.touch()

    def slow_at_first(patience: float) -> int:
        """End only when started for the third time: the second time with the mutant."""
        starts.write_text(f"{starts.read_text()}{patience:.0f} ")
        return passes(patience) if patience > 1 else waits_for_an_hour(patience)

    assert tried(slow_at_first, slow_at_first) == PASSED
    assert starts.read_text() == "1 1 2 "
