"""What was measured, as tables: one load for a terminal, a set of loads in Markdown. Pure."""

from collections.abc import Iterator, Sequence

from rich.table import Table

from bench.way.run import Result

_PERCENTILES = ("p50", "p95", "p99")
_COLUMNS = (
    "mails",
    "visible /s",
    "of broker alone",
    "p50 / p95 ms",
    "processor, ms a mail",
    "all",
    "requests a mail",
    "documents a mail",
    "conflicts a mail",
)


def tables(result: Result) -> Iterator[Table]:
    """Yield one load's result as tables."""
    title = (
        f"{result.load.mails} mails: {result.title}\n"
        f"{result.sessions} SMTP sessions, replicas of each service: {result.replicas}"
    )
    shown = _table(title, "", "measured", "ratio to broker alone")
    alone = result.broker_alone
    shown.add_row("broker alone, confirmed", f"{alone:,.0f} /s", "1.00")
    shown.add_row("accepted (250)", f"{result.accepted:,.0f} /s", f"{result.accepted / alone:.2f}")
    shown.add_row("visible", f"{result.visible:,.0f} /s", f"{result.visible / alone:.3f}")
    for name in _PERCENTILES:
        shown.add_row(f"250 to visible, {name}", f"{getattr(result, name) * 1000:,.0f} ms", "")
    yield shown
    if result.cpu:
        used = _table("Processor time", "process", "ms a mail")
        for name, milliseconds in result.cpu.items():
            used.add_row(name, f"{milliseconds:.2f}")
        used.add_row("all", f"{sum(result.cpu.values()):.2f}")
        yield used
    if result.requests:
        asked = _table(
            f"What mongod received for a mail ({result.counted} mails counted)",
            *("service", "requests", "statements", "documents written", "the requests"),
        )
        for service, counts in result.requests.items():
            asked.add_row(
                service,
                f"{counts.requests:.2f}",
                f"{counts.statements:.2f}",
                f"{counts.documents:.2f}",
                ", ".join(f"{name} {number:.2f}" for name, number in counts.commands.items()),
            )
        yield asked


def row(result: Result) -> tuple[str, ...]:
    """Return one load's figures in the order of the columns of `markdown`."""
    per_process = ", ".join(f"{name} {ms:.1f}" for name, ms in result.cpu.items())
    asked = result.requests.items()
    return (
        f"{result.load.mails:,}",
        f"{result.visible:,.0f}",
        f"{result.visible / result.broker_alone:.3f}",
        f"{result.p50 * 1000:,.0f} / {result.p95 * 1000:,.0f}",
        per_process,
        f"{sum(result.cpu.values()):.1f}",
        ", ".join(f"{service} {counts.requests:.2f}" for service, counts in asked),
        ", ".join(f"{service} {counts.documents:.2f}" for service, counts in asked),
        "" if result.conflicts is None else f"{result.conflicts:.3f}",
    )


def markdown(runs: dict[str, Sequence[Result]]) -> str:
    """Return a table of all loads; with several runs (`before`, `after`) a line of each.

    A load that only some runs have is shown for these.
    """
    several = len(runs) > 1
    head = ("load", *(("",) if several else ()), *_COLUMNS)
    lines = [_line(head), "|---" * len(head) + "|"]
    titles = dict.fromkeys(result.title for results in runs.values() for result in results)
    for title in titles:
        for name, results in runs.items():
            for result in results:
                if result.title == title:
                    lines.append(_line((title, *((name,) if several else ()), *row(result))))
    return "\n".join(lines)


def _table(title: str, *columns: str) -> Table:
    shown = Table(title=title, title_justify="left")
    for column in columns:
        left = column in ("", "process", "service", "the requests")
        shown.add_column(column, justify="left" if left else "right")
    return shown


def _line(cells: Sequence[str]) -> str:
    return "".join(f"| {cell} " if cell else "| " for cell in cells) + "|"
