"""What a call costs, as a ratio inside one process: never in seconds.

A bound in seconds fails on a slower machine. A ratio holds on every machine, because both sides of
it are measured on the same one, at the same time:

* `growth(work_of_size, n)` says by how much the time grows when the size doubles, the mean of two
  doublings: 2 where it is linear, 4 where it is quadratic. A test asserts `< LINEAR`. It fails as
  soon as a fifth of the time at `n` is quadratic. What looks worse than linear is measured again at
  `2n`, twice: quadratic time looks worse there, noise and a cache that is full do not.
* `ratio(work, reference)` says how many times as long `work` takes as a reference workload.

Only the processor time of the calling thread counts. Other work on the machine makes it longer,
never shorter, so the least of several tries is taken. Tries of the two sides alternate. They go on
until the two least of each side agree: noise that spoils a try costs another try. The garbage
collector is off meanwhile, because its share depends on what other tests have left in memory.

`n` has to be large enough that the part of the time that grows is most of it, and no limit may lie
between `n` and `8n`. Show once by hand that the test is red for a quadratic implementation.
"""

import gc
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LINEAR = 2.5
"""More than linear time grows by when the size doubles, 2, and less than quadratic time, 4."""

_SHORTEST = 0.001  # seconds: a shorter call is repeated, so that the clock's steps do not matter
_MOST_CALLS = 100_000
_AGREE = 1.1
_MORE = 10  # times as many tries as asked for, where noise needs them

_Work = Callable[[], object]
_Clock = Callable[[], float]


def growth(
    work_of_size: Callable[[int], _Work],
    size: int,
    tries: int = 2,
    clock: _Clock = time.thread_time,
) -> float:
    """The square root of t(4 * size) / t(size) of the work that `work_of_size` prepares.

    Preparing is not measured. Where it is not below LINEAR, the least of that at `size` and, with
    more tries, twice at `2 * size`.
    """
    found = math.inf
    for times, more in ((1, 1), (2, 2), (2, 4)):
        found = min(found, _growth(work_of_size, times * size, more * tries, clock))
        if found < LINEAR:
            break
    return found


def _growth(work_of_size: Callable[[int], _Work], size: int, tries: int, clock: _Clock) -> float:
    return math.sqrt(ratio(work_of_size(4 * size), work_of_size(size), tries, clock))


def ratio(work: _Work, reference: _Work, tries: int = 2, clock: _Clock = time.thread_time) -> float:
    """The time of `work` divided by the time of `reference`, each the least of at least `tries`."""
    sides = (_Side(work, clock), _Side(reference, clock))
    with no_collector():
        for done in range(1, tries * _MORE + 1):
            for side in sides:
                side.measure()
            if done >= tries and all(side.settled for side in sides):
                break
    return sides[0].least / sides[1].least


class _Side:
    """One of the two works, and how long it took."""

    def __init__(self, work: _Work, clock: _Clock) -> None:
        self._work = work
        self._clock = clock
        self._calls = 1
        self._times: list[float] = []

    @property
    def least(self) -> float:
        """Seconds of a call."""
        return max(min(self._times), 1e-9)

    @property
    def settled(self) -> bool:
        """Whether the two least times agree."""
        first, second, *_ = [*sorted(self._times), math.inf]
        return second <= first * _AGREE

    def measure(self) -> None:
        """Take the time once more, of as many calls as take long enough to be measured."""
        taken = self._time(self._calls)
        while taken < _SHORTEST and self._calls < _MOST_CALLS:
            self._calls *= 2
            taken = self._time(self._calls)
        self._times.append(taken / self._calls)

    def _time(self, calls: int) -> float:
        started = self._clock()
        for _ in range(calls):
            self._work()
        return self._clock() - started


@contextmanager
def no_collector() -> Iterator[None]:
    """Keep the garbage collector off, after a last run."""
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
