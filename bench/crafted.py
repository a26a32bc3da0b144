"""`make bench ARGS="crafted"`: what crafted mails cost, each of them one construct repeated.

A mail's cost is the processor time of all that the timeline does with it, and of all that the
matcher does with it in three ways (`reading.py`). It is compared with that of an ordinary mail in
plain text of the same size (`ordinary.py`), which is read in turn with it: the ratio hardly depends
on the machine. The least of several tries counts. Exits 1 when one costs over ten times as much.
"""

import argparse
import asyncio
import gc
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.ordinary import ordinary_mail
from bench.reading import read_for_matcher, read_for_timeline
from bench.structures import STRUCTURES
from shared.runtime.progress import Progress

MAX_RATIO = 10
"""What a crafted mail may cost at most, in ordinary mails of its size."""
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Measured:
    """One construct: bytes, seconds of a processor, and ratios to an ordinary mail."""

    name: str
    times: int
    size: int
    timeline: float
    timeline_ratio: float
    matcher: float
    matcher_ratio: float
    stored: int

    @property
    def is_dear(self) -> bool:
        """Return whether one of the services takes too long."""
        return self.timeline_ratio > MAX_RATIO or self.matcher_ratio > MAX_RATIO


def crafted_mail(name: str, size: int | None = None) -> tuple[int, bytes]:
    """Return how often a construct is repeated, and the mail: of about that size, or in full."""
    structure = STRUCTURES[name]
    times = structure.times
    if size is not None:
        while times > 1 and len(structure.make(times)) > size:
            times = times * 3 // 4
    return times, structure.make(times)


def measure(name: str, size: int | None = None) -> Measured:
    """Make one mail, of about that size or in full, and read it in turn with an ordinary one."""
    times, raw = crafted_mail(name, size)
    ordinary = ordinary_mail(len(raw))
    with asyncio.Runner() as runner:
        timeline, timeline_ratio = _compared(
            lambda: read_for_timeline(raw, check=False),
            lambda: read_for_timeline(ordinary, check=False),
        )
        matcher, matcher_ratio = _compared(
            lambda: read_for_matcher(raw, runner, check=False),
            lambda: read_for_matcher(ordinary, runner, check=False),
        )
    stored = read_for_timeline(raw).size
    return Measured(name, times, len(raw), timeline, timeline_ratio, matcher, matcher_ratio, stored)


def _compared(read: Callable[[], object], ordinary: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds of a call, and how many of the ordinary one that is."""
    gc.collect()
    gc.disable()  # its share depends on what else is in memory
    try:
        pairs = [(_seconds(read), _seconds(ordinary)) for _ in range(_TRIES)]
    finally:
        gc.enable()
    least, of_ordinary = map(min, zip(*pairs, strict=True))
    return least, least / of_ordinary


def _seconds(read: Callable[[], object]) -> float:
    begun = time.process_time()
    read()
    return time.process_time() - begun


def measured(names: Sequence[str], size: int | None = None) -> Iterator[Measured]:
    """Measure each, once all that is loaded when it is first used has been loaded."""
    measure("comments")
    progress = Progress("reading crafted mails", len(names))
    for name in names:
        yield measure(name, size)
        progress.step()
    progress.end()


def table(results: Sequence[Measured]) -> Table:
    """Return the results as a table."""
    title = "Crafted mails: milliseconds of a processor, and times an ordinary mail of the size"
    shown = Table(title=title, title_justify="left")
    for column in ("", "times", "bytes", "timeline", "x", "matcher", "x", "stored"):
        shown.add_column(column, justify="right" if column else "left")
    for result in results:
        costs = (
            f"{1000 * result.timeline:,.0f}",
            f"{result.timeline_ratio:.1f}",
            f"{1000 * result.matcher:,.0f}",
            f"{result.matcher_ratio:.1f}",
        )
        style = "bold red" if result.is_dear else None
        sizes = f"{result.times:,}", f"{result.size:,}"
        shown.add_row(result.name, *sizes, *costs, f"{result.stored:,}", style=style)
    return shown


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=crafted", description=__doc__)
    parser.add_argument("--only", choices=STRUCTURES, metavar="NAME", help="this one alone")
    parser.add_argument(
        "--size", type=int, help="of each mail at most, in bytes (default: in full)"
    )
    parser.add_argument("--json", type=Path, help="write the result there too")
    given = parser.parse_args(arguments)
    results = list(measured([given.only] if given.only else [*STRUCTURES], given.size))
    Console(width=None if sys.stdout.isatty() else 100).print(table(results))
    if given.json:
        given.json.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")
    return 1 if any(result.is_dear for result in results) else 0
