"""Tries the mutants of one module: `python -m dev.mutation.worker MODULE_PATH NUMBER...`.

1. pytest collects the module's tests, once.
2. A forked child runs them unchanged. It says how long each takes and which functions it calls.
3. For each mutant a forked child installs it and runs the tests that call the changed function,
   the quick ones first, until one fails.

Prints a line of JSON for each step. The tests' own output is dropped.
"""

import gc
import json
import os
import resource
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from types import FrameType, ModuleType
from typing import IO

import pytest

from dev.mutation.faults import Mutant, mutants, mutated
from dev.mutation.install import functions_of, install
from dev.mutation.targets import TARGETS

_LEAST_SECONDS, _TIMES = 1.0, 5.0
"""A test of a mutant has so much processor time, and so many times what it takes unchanged: it may
never end, or wait for many seconds for an event that does not come."""
_BUSY = 4.0
"""So many times as long it may take while others use the processor."""
_MAX_BYTES = 6 * 1024**3
PASSED, FAILED, BROKEN, OVERDUE = range(4)
"""How a run of tests ended: BROKEN without a result, OVERDUE when it was killed."""


@dataclass(slots=True)
class _Baseline:
    """What the tests do without a mutant, by the number of the test."""

    seconds: list[float] = field(default_factory=list)
    functions: list[list[int]] = field(default_factory=list)
    """The first lines of the module's functions that it calls."""
    failed: list[str] = field(default_factory=list)


class Worker:
    """A pytest plugin that runs the tests once for each mutant."""

    def __init__(self, path: str, numbers: Sequence[int], answers: IO[str]) -> None:
        self._path, self._answers = path, answers
        self._source = Path(path).read_text()
        known = {mutant.number: mutant for mutant in mutants(self._source)}
        self._mutants = [known[number] for number in numbers]

    def pytest_configure(self) -> None:
        """Nothing of a mutant's run is remembered, nothing left to chance, and no test is slow."""
        from hypothesis import HealthCheck, Phase, settings  # not before pytest has its hooks

        settings.register_profile(
            "mutation",
            database=None,
            deadline=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        settings.load_profile("mutation")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the tests unchanged, then with each mutant."""
        module = import_module(self._path.removesuffix(".py").replace("/", "."))
        baseline = _measured(session, module)
        self._tell(seconds=sum(baseline.seconds), tests=session.testscollected)
        if baseline.failed or not session.items:
            self._tell(failed=baseline.failed or ["no test was collected"])
            return True
        functions = functions_of(module)
        gc.collect()
        gc.freeze()  # so that a child copies little of this process's memory
        for mutant in self._mutants:
            items = _concerned(session.items, baseline, mutant)
            seconds = [baseline.seconds[session.items.index(item)] for item in items]
            run = partial(_run, session, items, seconds)

            def attempt(
                patience: float, mutant: Mutant = mutant, run: Callable[[float], int] = run
            ) -> int:
                install(module, functions, mutated(self._source, mutant.number), mutant)
                return run(patience)

            ended = tried(attempt, run) if items else PASSED
            self._tell(
                number=mutant.number,
                noticed=ended != PASSED,
                overdue=ended == OVERDUE,
                tests=len(items),
            )
        return True

    def _tell(self, **words: object) -> None:
        print(json.dumps(words), file=self._answers, flush=True)


def _concerned(
    items: Sequence[pytest.Item], baseline: _Baseline, mutant: Mutant
) -> list[pytest.Item]:
    """Return the tests that call the changed function, the quick ones first."""
    concerned = [
        at
        for at in range(len(items))
        if mutant.function is None or mutant.function in baseline.functions[at]
    ]
    return [items[at] for at in sorted(concerned, key=baseline.seconds.__getitem__)]


def _measured(session: pytest.Session, module: ModuleType) -> _Baseline:
    """Run all tests in a forked child, watching which functions of the module they call."""
    reading, writing = os.pipe()

    def measure() -> int:
        baseline = _Baseline()
        called: set[int] = set()

        def watch(frame: FrameType, event: str, _: object) -> None:
            if event == "call" and frame.f_code.co_filename == module.__file__:
                called.add(frame.f_code.co_firstlineno)

        for item in session.items:
            called.clear()
            threading.setprofile(watch)
            sys.setprofile(watch)
            started = time.monotonic()
            if _run(session, [item]) != PASSED:
                baseline.failed.append(item.nodeid)
            baseline.seconds.append(time.monotonic() - started)
            sys.setprofile(None)
            baseline.functions.append(sorted(called))
            session.testsfailed = 0
        with os.fdopen(writing, "w") as answer:
            seconds, functions, failed = baseline.seconds, baseline.functions, baseline.failed
            json.dump([seconds, functions, failed], answer)
        return PASSED

    child = _fork(measure)
    os.close(writing)
    with os.fdopen(reading) as answer:
        told = answer.read()
    os.waitpid(child, 0)
    return _Baseline(*json.loads(told)) if told else _Baseline(failed=["the run ended early"])


def _run(
    session: pytest.Session,
    items: Sequence[pytest.Item],
    seconds: Sequence[float] = (),
    patience: float = 1.0,
) -> int:
    """Run tests until one fails. With `seconds`, what each takes unchanged, a test that is overdue
    ends the process."""
    limits = [patience * (_LEAST_SECONDS + _TIMES * one) for one in seconds] or [0.0] * len(items)
    for item, following, limit in zip(items, [*items[1:], None], limits, strict=True):
        signal.setitimer(signal.ITIMER_PROF, limit)  # it is busy: SIGPROF
        signal.setitimer(signal.ITIMER_REAL, _BUSY * limit)  # it waits: SIGALRM
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            return FAILED
    return PASSED


def tried(attempt: Callable[[float], int], unchanged: Callable[[float], int]) -> int:
    """Return how an attempt ended; OVERDUE if one of its tests did not end in time.

    Only if the tests end in time unchanged is that due to the mutant. Else the machine is busy, and
    both are tried again with twice the patience.
    """
    patience = 1.0
    while True:
        ended = _forked(partial(attempt, patience))
        if ended != OVERDUE or _forked(partial(unchanged, patience)) != OVERDUE:
            return ended
        patience *= 2


def _fork(work: Callable[[], int]) -> int:
    """Start a child that does the work and ends with what it returns."""
    child = os.fork()
    if child:
        return child
    ended = BROKEN
    try:
        resource.setrlimit(resource.RLIMIT_AS, (_MAX_BYTES, _MAX_BYTES))
        ended = work()
    finally:
        os._exit(ended)


def _forked(work: Callable[[], int]) -> int:
    """Do the work in a forked child; return how it ended."""
    child = _fork(work)
    try:
        _, status = os.waitpid(child, 0)
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise
    ended = os.waitstatus_to_exitcode(status)
    return OVERDUE if ended in (-signal.SIGALRM, -signal.SIGPROF) else ended


def main(path: str, numbers: Sequence[int]) -> int:
    """Try these mutants of a module."""
    answers = os.fdopen(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    [target] = [target for target in TARGETS if target.path == path]
    with tempfile.TemporaryDirectory() as folder:
        options = ["-q", "-p", "no:cacheprovider", f"--basetemp={folder}/tests"]
        return pytest.main([*options, *target.tests], [Worker(path, numbers, answers)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], [int(number) for number in sys.argv[2:]]))
