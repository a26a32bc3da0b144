"""A mutant may never end: it gets a multiple of the time that its tests take unchanged."""

import time
from pathlib import Path

from dev.mutation.worker import OVERDUE, PASSED, tried


def waits_for_an_hour() -> int:
    time.sleep(3600)
    return PASSED


def is_busy_for_ever() -> int:
    while True:
        pass


def passes() -> int:
    return PASSED


def test_a_mutant_that_waits_or_loops_for_ever_is_killed() -> None:
    assert tried(waits_for_an_hour, passes, seconds=0.0) == OVERDUE
    assert tried(is_busy_for_ever, passes, seconds=0.0) == OVERDUE


def test_a_mutant_that_ends_is_not_overdue() -> None:
    assert tried(passes, passes, seconds=0.0) == PASSED
    assert tried(lambda: 7, passes, seconds=0.0) == 7


def test_a_mutant_is_not_overdue_while_the_machine_is_too_slow_for_the_tests_unchanged(
    tmp_path: Path,
) -> None:
    """Both are tried again, until one of them ends."""
    starts = tmp_path / "starts"
    starts.touch()

    def slow_at_first() -> int:
        """Never end, but for the third start: the second of the mutant."""
        starts.write_text(starts.read_text() + "x")
        return passes() if len(starts.read_text()) == 3 else waits_for_an_hour()

    assert tried(slow_at_first, slow_at_first, seconds=0.0) == PASSED
    assert starts.read_text() == "xxx"
