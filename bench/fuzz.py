"""`make fuzz ARGS="--mutations 1000000 --seed 1"`: reads mutated mails, and says what went wrong.

Each goes through all that timeline and matcher do with a mail (`reading.py`). Wrong are: an
exception, more than ten times the processor's time of a MiB of plain text, documents of more than
ten times the mail's size and 128 KiB, a string that cannot be stored. The 128 KiB are for lists of
bounded length: a mail of 6 KB may have a thousand attachments, each listed with name, type and
digest.

Every mail has a number. `--only NUMBER` makes that mail again, writes it to a file and reads it.
Exits 1 when anything was wrong. Ctrl-C ends it early, and shows what was read until then.
"""

import argparse
import asyncio
import json
import multiprocessing
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.table import Table

from bench.mutations import Mutations
from bench.reading import read_for_matcher, read_for_timeline
from dev.terminal import command, say
from shared.runtime.mistake import Mistake
from shared.runtime.progress import Progress

MAX_TIMES, MAX_GROWTH, ALLOWANCE = 10, 10, 128 * 1024
_CHUNK, _PROCESSES, _GIVE_UP_SECONDS = 250, 2, 60
_PLAIN = (
    b"From: a@x.example\nSubject: Plain\n\n" + b"Words of an ordinary mail, as it is.\n" * 28_340
)
_SHOWN = 20
"""Failures and sources that are printed; all are in the JSON."""


class TookTooLong(BaseException):
    """Reading was interrupted; no `except Exception` of a reader may catch it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong with which mail."""

    number: int
    source: str
    what: str


@dataclass(slots=True)
class Found:
    """What reading some mails showed."""

    mails: int = 0
    failures: list[Failure] = field(default_factory=list)
    slowest: tuple[float, int] = (0.0, 0)
    """Seconds of a processor, and the number."""
    greatest: tuple[float, int] = (0.0, 0)
    """Times the size of the mail, the allowance taken off, and the number."""
    by_source: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def as_dict(self, seed: int) -> dict[str, object]:
        """Return it for JSON."""
        (seconds, slowest), (growth, greatest) = self.slowest, self.greatest
        return {
            "seed": seed,
            "mutations": self.mails,
            "seconds": round(self.seconds, 1),
            "slowest": {"number": slowest, "milliseconds": round(seconds * 1000)},
            "greatest_growth": {"number": greatest, "times": round(growth, 2)},
            "failures": [asdict(failure) for failure in self.failures],
            "by_source": dict(self.by_source),
        }

    def add(self, other: "Found") -> None:
        """Add what reading others showed."""
        self.mails += other.mails
        self.failures += other.failures
        self.slowest = max(self.slowest, other.slowest)
        self.greatest = max(self.greatest, other.greatest)
        self.by_source.update(other.by_source)


def read_one(raw: bytes, runner: asyncio.Runner) -> tuple[float, int, str]:
    """Read a mail; return the processor's seconds, the size of what is stored, what went wrong."""
    begun = time.process_time()
    size, wrong = 0, ""
    signal.setitimer(signal.ITIMER_PROF, _GIVE_UP_SECONDS)
    try:
        size = read_for_timeline(raw).size
        read_for_matcher(raw, runner)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of an extension is no Exception
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(last.filename).name}:{last.lineno}"
        wrong = f"{type(error).__name__} at {where}: {error}"[:300]
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return time.process_time() - begun, size, wrong


def _give_up(_: int, __: FrameType | None) -> None:
    raise TookTooLong


def judge_one(number: int, source: str, raw: bytes, runner: asyncio.Runner) -> Found:
    """Read a mail and judge what came of it."""
    allowed = MAX_TIMES * _plain_seconds(runner)
    seconds, size, wrong = read_one(raw, runner)
    if seconds > allowed and not wrong:  # once more: the collector may have run
        seconds = min(seconds, read_one(raw, runner)[0])
    growth = max(0.0, size - ALLOWANCE) / max(1, len(raw))
    if not wrong and seconds > allowed:
        wrong = f"took {seconds:.2f} s, a MiB of plain text {allowed / MAX_TIMES:.2f} s"
    if not wrong and growth > MAX_GROWTH:
        wrong = f"{size:,} bytes are stored of {len(raw):,}"
    failures = [Failure(number, source, wrong)] if wrong else []
    return Found(1, failures, (seconds, number), (growth, number), Counter({source: 1}))


_plain: list[float] = []


def _plain_seconds(runner: asyncio.Runner) -> float:
    """Return the processor's seconds for a MiB of plain text, measured once in this process."""
    if not _plain:
        _plain.append(min(read_one(_PLAIN, runner)[0] for _ in range(3)))
    return _plain[0]


_made: dict[int, Mutations] = {}


def read_numbers(seed: int, numbers: range) -> Found:
    """Make the mails of these numbers, and read each."""
    signal.signal(signal.SIGPROF, _give_up)
    mutations = _made.setdefault(seed, Mutations(seed))
    found = Found()
    with asyncio.Runner() as runner:
        for number in numbers:
            found.add(judge_one(number, *mutations.mail(number), runner))
    return found


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # its parent process ends it


def run(*, mutations: int, seed: int, first: int = 0, processes: int = _PROCESSES) -> Found:
    """Read mutated mails in some processes."""
    found, begun = Found(), time.monotonic()
    progress = Progress("reading mutated mails", mutations)
    chunks = _chunks(first, mutations)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=_ignore_interrupts) as pool:
        try:
            for result in _results(pool, chunks, seed, 2 * processes):
                found.add(result)
                for failure in result.failures:
                    say(f"\n{failure.number}: {failure.what} ({failure.source})")
                progress.step(result.mails)
        except KeyboardInterrupt:  # what has been read so far is shown
            pool.shutdown(wait=False, cancel_futures=True)
    progress.end()
    found.seconds = time.monotonic() - begun
    return found


def _results(
    pool: ProcessPoolExecutor, chunks: Iterator[range], seed: int, at_once: int
) -> Iterator[Found]:
    """Yield what reading each chunk showed, as it is read."""
    waiting: dict[Future[Found], range] = {}
    while True:
        for numbers in islice(chunks, at_once - len(waiting)):
            waiting[pool.submit(read_numbers, seed, numbers)] = numbers
        if not waiting:
            return
        done, _ = wait(waiting, return_when=FIRST_COMPLETED)
        for future in done:
            numbers = waiting.pop(future)
            try:
                yield future.result()
            except BrokenProcessPool as error:
                raise Mistake(f"a process ended while it read {numbers} or near it") from error


def _chunks(first: int, count: int) -> Iterator[range]:
    for start in range(first, first + count, _CHUNK):
        yield range(start, min(start + _CHUNK, first + count))


def tables(found: Found, seed: int) -> Iterator[Table]:
    """Yield the result as tables."""
    shown = Table(title=f"Mutated mails, seed {seed}", title_justify="left", show_header=False)
    shown.add_column()
    shown.add_column(justify="right")
    seconds, slowest = found.slowest
    growth, greatest = found.greatest
    for name, value in (
        ("mutations", f"{found.mails:,}"),
        ("per second", f"{found.mails / found.seconds:,.0f}" if found.seconds else "-"),
        ("failures", f"{len(found.failures):,}"),
        (f"slowest: number {slowest}", f"{seconds * 1000:,.0f} ms"),
        (f"greatest growth beyond 128 KiB: number {greatest}", f"{growth:.2f} times"),
    ):
        shown.add_row(name, value)
    yield shown
    failed = Counter(failure.source for failure in found.failures)
    sources = Table(title="By what they were made from", title_justify="left")
    for column in ("", "mutations", "failures"):
        sources.add_column(column, justify="right" if column else "left")
    for name, count in sorted(found.by_source.items(), key=lambda item: (-failed[item[0]], item)):
        sources.add_row(name, f"{count:,}", f"{failed[name]:,}")
    yield sources


def _replay(seed: int, number: int, to: Path) -> int:
    source, raw = Mutations(seed).mail(number)
    to.write_bytes(raw)
    say(f"{len(raw):,} bytes made from {source} are in {to}")
    signal.signal(signal.SIGPROF, _give_up)
    with asyncio.Runner() as runner:
        found = judge_one(number, source, raw, runner)
    for failure in found.failures:
        print(failure.what)
    print(f"{found.slowest[0] * 1000:,.0f} ms, {found.greatest[0]:.2f} times the size")
    return 1 if found.failures else 0


def main(arguments: Sequence[str]) -> int:
    """Read and print."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--mutations", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="the first number")
    parser.add_argument("--processes", type=int, default=_PROCESSES)
    parser.add_argument("--only", type=int, metavar="NUMBER", help="this mail alone, to a file")
    parser.add_argument("--to", type=Path, help="that file", default=Path("mutated.eml"))
    parser.add_argument("--json", type=Path, help="write the result there too")
    given = parser.parse_args(arguments)
    if given.only is not None:
        return _replay(given.seed, given.only, given.to)
    found = run(
        mutations=given.mutations,
        seed=given.seed,
        first=given.first,
        processes=given.processes,
    )
    console = Console(width=None if sys.stdout.isatty() else 100)
    for table in tables(found, given.seed):
        console.print(table)
    for failure in found.failures[:_SHOWN]:
        print(f"--seed {given.seed} --only {failure.number}: {failure.what} ({failure.source})")
    if given.json:
        given.json.write_text(json.dumps(found.as_dict(given.seed), indent=2) + "\n")
    if found.mails < given.mutations:
        return 130
    return 1 if found.failures else 0


if __name__ == "__main__":
    sys.exit(command("make fuzz", lambda: main(sys.argv[1:])))
