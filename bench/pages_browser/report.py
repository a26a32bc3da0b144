"""The figures as tables, and as JSON."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich import box
from rich.table import Table

from bench.pages_browser.arriving import Arriving
from bench.pages_browser.scrolling import Scrolling
from bench.pages_browser.sizes import Sizes
from bench.pages_browser.start import Start
from bench.pages_browser.using import Use


@dataclass(frozen=True, slots=True)
class Result:
    """One run."""

    conversations: int
    load: float
    """How many processes wanted a core of this machine, when the run began."""
    sizes: Sizes
    start: Start
    scrolling: Scrolling
    arriving: Arriving
    use: Use

    @property
    def missing(self) -> list[str]:
        """What has no figure, or one of fewer than asked for, and why: a line for each."""
        parts = (("250 to a row", self.arriving.stopped), ("an hour's use", self.use.stopped))
        return [f"{name}: {why}" for name, why in parts if why]


def tables(result: Result) -> Iterator[Table]:
    """Yield them."""
    shown = Table(box=box.MARKDOWN)
    shown.add_column(f"{result.conversations:,} conversations, load {result.load:.1f}")
    shown.add_column("", justify="right")
    sizes, begun, scrolled = result.sizes, result.start, result.scrolling
    arrived, use = result.arriving, result.use
    for name, figure in (
        ("JavaScript of the first inbox page, gzipped", f"{sizes.first_scripts / 1000:.1f} KB"),
        ("CSS of it", f"{sizes.first_styles / 1000:.1f} KB"),
        ("JavaScript and CSS, all of it", f"{sizes.all / 1000:.1f} KB"),
        ("usable inbox, cold", f"{begun.cold:,.0f} ms"),
        ("usable inbox, warm", f"{begun.warm:,.0f} ms"),
        (f"most nodes while {scrolled.rows:,} rows scroll by", f"{scrolled.most_nodes:,}"),
        (
            "a row of the first hundred, and of the last tenth",
            f"{scrolled.first_clock:.1f} ms, {scrolled.last_clock:.1f} ms",
        ),
        ("ratio", f"{scrolled.clock_ratio:.2f}"),
        (
            "the page's own work for it",
            f"{scrolled.first_work:.2f} ms, {scrolled.last_work:.2f} ms",
        ),
        ("ratio", f"{scrolled.work_ratio:.2f}"),
        ("mails a second, as many as possible", f"{arrived.full_rate:.0f}"),
        (
            "mails a second while rows are awaited, and how many waited then",
            f"{arrived.rate:.0f}, {arrived.waiting:,}",
        ),
        (
            f"250 to a row, p50 and p95 of {arrived.mails} of {arrived.asked}",
            f"{_milliseconds(arrived.p50)}, {_milliseconds(arrived.p95)}",
        ),
    ):
        shown.add_row(name, figure)
    yield shown
    if use.held:
        yield _kept(use)


def _milliseconds(seconds: float | None) -> str:
    return "none" if seconds is None else f"{seconds * 1000:,.0f} ms"


def _kept(use: Use) -> Table:
    kept = Table(box=box.MARKDOWN)
    kept.add_column("memory: 60 rounds of use are an hour")
    for column in ("rounds", "heap, MiB", "nodes", "listeners"):
        kept.add_column(column, justify="right")
    for moment, held in zip(("start", "middle", "end"), use.held, strict=False):
        figures = (f"{held.heap:.2f}", f"{held.nodes:,}", f"{held.listeners:,}")
        kept.add_row(moment, f"{held.round}", *figures)
    if len(use.held) == 3:
        kept.add_row("end by middle", "", f"{use.growth:.2f}", f"{use.growth_of_nodes:.2f}", "")
    return kept
