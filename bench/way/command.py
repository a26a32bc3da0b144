"""`make bench ARGS="way --sessions 20 --size 4000 --mails 3000"`: how fast, how soon, at what cost.

Drives SMTP with so many sessions and follows each mail until its outcome is in MongoDB. The mails
form conversations as real mail does. The clock is one machine's: from the 250 to visible. Then a
shorter run counts what mongod receives from each service.

Since machines differ and are shared, the rate has a ratio beside it, to what the same broker alone
confirms in the same run with as many publishes of the same size under way.

`--table` measures a set of loads, each in a stack of its own, and prints one table in Markdown. Run
it with two versions of the services, with `--json` each; `--compare before.json after.json` prints
both in one table.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import structlog
from rich.console import Console

from bench.way.latency import Latency, latencies, measure_latencies
from bench.way.load import Load, add_options, load_of
from bench.way.report import markdown, tables
from bench.way.results import load_results, save
from bench.way.run import Result, measure
from dev.stack import Stack, own_databases
from dev.terminal import say

_SESSIONS, _COUNTED = 20, 500
_WIDTH = 110
_LONG, _MANY_ACCOUNTS = 200, 64
TABLE = (
    Load(size=4000, replies=0.0),
    Load(size=4000),
    Load(size=30_000, replies=0.0),
    Load(size=30_000),
    Load(size=4000, conversation=_LONG, shuffle=True),
    Load(size=4000, replies=0.0, accounts=_MANY_ACCOUNTS),
    Load(size=4000, accounts=_MANY_ACCOUNTS),
    Load(size=30_000, accounts=_MANY_ACCOUNTS),
)
"""The loads of `--table`, to be sent with as many mails each as are asked for."""
GROWTH = tuple(
    Load(size=4000, conversation=length, shuffle=shuffle, accounts=accounts)
    for accounts in (1, 8, _MANY_ACCOUNTS)
    for length in (1, 10, 10_000)
    for shuffle in (False, True)
)
"""The loads of `--growth`. A conversation is as long as the mails and accounts allow."""
_QUICK_MAILS, _QUICK_COUNTED, _QUICK_LONG = 300, 200, 50


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    given = _parser().parse_args(arguments)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    if given.compare:
        print(markdown({path.stem: load_results(path) for path in given.compare}))
        return 0
    if given.latency:
        print(latencies(_latency(given)))
        return 0
    loads, table = [load_of(given)], GROWTH if given.growth else TABLE if given.table else ()
    if table:
        loads = loads_of_table(table, given.mails, quick=given.quick)
    results: list[Result] = []
    for load in loads:
        print(f"{load.title}:", file=sys.stderr)
        try:
            results.append(_measure(load, given))
        except TimeoutError as error:  # the next one may work
            print(f"{load.title}: {error}", file=sys.stderr)
        if given.json:
            save(results, given.json)
    if table:
        print(markdown({"": results}))
    else:
        console = Console(width=None if sys.stdout.isatty() else _WIDTH)
        for shown in (table for result in results for table in tables(result)):
            console.print(shown)
    return 0 if len(results) == len(loads) else 1


def loads_of_table(table: Sequence[Load], mails: int, *, quick: bool) -> list[Load]:
    """Return the loads of a table, with so many mails each; quick: small ones."""
    if not quick:
        return [load.of(mails) for load in table]
    return [
        replace(load, mails=_QUICK_MAILS, conversation=min(load.conversation, _QUICK_LONG))
        for load in table
    ]


@contextmanager
def _stack(given: argparse.Namespace) -> Iterator[Stack]:
    with (
        tempfile.TemporaryDirectory(prefix="satchel-bench-") as folder,
        Stack(Path(folder), replicas=given.replicas, environment=own_databases(), say=say) as stack,
    ):
        yield stack


def _measure(load: Load, given: argparse.Namespace) -> Result:
    """Send a load through a stack of its own. Raises TimeoutError when mails do not get through."""
    counted = _QUICK_COUNTED if given.quick else given.counted
    with _stack(given) as stack:
        return measure(stack, load, sessions=given.sessions, counted=counted, rate=given.rate)


def _latency(given: argparse.Namespace) -> list[Latency]:
    with _stack(given) as stack:
        return measure_latencies(stack, load_of(given), sessions=given.sessions)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--sessions", type=int, default=_SESSIONS, help="of SMTP, at a time (%(default)s)"
    )
    add_options(parser)
    parser.add_argument("--replicas", type=int, default=1, help="of each service (%(default)s)")
    parser.add_argument(
        "--counted",
        type=int,
        default=_COUNTED,
        metavar="N",
        help="mails of the run that counts what mongod receives, apart from the timed one; 0: "
        "do not count (%(default)s)",
    )
    parser.add_argument(
        "--table",
        action="store_true",
        help="measure a set of loads: 4 KB and 30 KB, with and without answers, long "
        f"conversations in random order, 1 account and {_MANY_ACCOUNTS}; --mails, --sessions, "
        "--replicas and --counted hold for each, other options of a mail do not",
    )
    parser.add_argument(
        "--growth",
        action="store_true",
        help=f"measure another set of loads: 1, 8 and {_MANY_ACCOUNTS} accounts, conversations of "
        "1, 10 and 10,000 mails, in order and in random order",
    )
    parser.add_argument(
        "--rate",
        type=float,
        metavar="N",
        help="send N mails a second instead of as many as possible",
    )
    parser.add_argument(
        "--latency",
        action="store_true",
        help="in one stack, how soon mails are visible: one at a time, as many as possible, and at "
        "half of that rate; and how soon a search finds them",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"with --table or --growth: {_QUICK_MAILS} mails a load, {_QUICK_COUNTED} counted, to "
        "try it out",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there, too")
    parser.add_argument(
        "--compare",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="measure nothing; print the results of such files in one table, named after them",
    )
    return parser
