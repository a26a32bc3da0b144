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
        ("mails a second while rows are awaited", f"{arrived.rate:.0f}"),
        (
            f"250 to a row, p50 and p95 of {arrived.mails}",
            f"{arrived.p50 * 1000:,.0f} ms, {arrived.p95 * 1000:,.0f} ms",
        ),
    ):
        shown.add_row(name, figure)
    yield shown
    kept = Table(box=box.MARKDOWN)
    for column in ("after rounds", "heap, MiB", "nodes", "listeners"):
        kept.add_column(column, justify="right")
    for held in use.held:
        kept.add_row(f"{held.round}", f"{held.heap:.2f}", f"{held.nodes:,}", f"{held.listeners:,}")
    kept.add_row("end by middle", f"{use.growth:.2f}", f"{use.growth_of_nodes:.2f}", "")
    yield kept
