"""`make bench ARGS="crafted"`: how long crafted mails take, each of them one construct repeated.

The time is a processor's, so that a busy machine does not lie: once for all that the timeline does
with a mail, once for all that the matcher does with it in three ways (`reading.py`). The lesser of
two tries counts. Exits 1 when one takes half a second or more.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.reading import read_for_matcher, read_for_timeline
from bench.structures import STRUCTURES
from shared.progress import Progress

MAX_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Measured:
    """One construct: sizes in bytes, times in seconds of a processor."""

    name: str
    times: int
    size: int
    timeline: float
    matcher: float
    stored: int

    @property
    def is_slow(self) -> bool:
        """Return whether one of the services takes too long."""
        return max(self.timeline, self.matcher) >= MAX_SECONDS


def measure(name: str) -> Measured:
    """Make one mail and read it."""
    structure = STRUCTURES[name]
    raw = structure.make(structure.times)
    stored = 0

    def for_timeline() -> None:
        nonlocal stored
        stored = read_for_timeline(raw).size

    with asyncio.Runner() as runner:
        timeline = _least(for_timeline)
        matcher = _least(lambda: read_for_matcher(raw, runner))
    return Measured(name, structure.times, len(raw), timeline, matcher, stored)


def _least(read: Callable[[], None]) -> float:
    """Return the seconds of the faster of two tries; where the first is fast, of that one."""
    seconds = _seconds(read)
    return seconds if seconds < MAX_SECONDS / 2 else min(seconds, _seconds(read))


def _seconds(read: Callable[[], None]) -> float:
    begun = time.process_time()
    read()
    return time.process_time() - begun


def measured(names: Sequence[str]) -> Iterator[Measured]:
    """Measure each, once all that is loaded when it is first used has been loaded."""
    measure("comments")
    progress = Progress("reading crafted mails", len(names))
    for name in names:
        yield measure(name)
        progress.step()
    progress.end()


def table(results: Sequence[Measured]) -> Table:
    """Return the results as a table."""
    shown = Table(title="Crafted mails, milliseconds of a processor", title_justify="left")
    for column in ("", "times", "bytes", "timeline", "matcher", "stored"):
        shown.add_column(column, justify="right" if column else "left")
    for result in results:
        milliseconds = (f"{1000 * s:,.0f}" for s in (result.timeline, result.matcher))
        style = "bold red" if result.is_slow else None
        sizes = f"{result.times:,}", f"{result.size:,}"
        shown.add_row(result.name, *sizes, *milliseconds, f"{result.stored:,}", style=style)
    return shown


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=crafted", description=__doc__)
    parser.add_argument("--only", choices=STRUCTURES, metavar="NAME", help="this one alone")
    parser.add_argument("--json", type=Path, help="write the result there too")
    given = parser.parse_args(arguments)
    results = list(measured([given.only] if given.only else [*STRUCTURES]))
    Console(width=None if sys.stdout.isatty() else 100).print(table(results))
    if given.json:
        given.json.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")
    return 1 if any(result.is_slow for result in results) else 0
