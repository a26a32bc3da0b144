"""The figures of the pages in a browser: ratios, and the tables that show them."""

import io
import json
from dataclasses import asdict

from rich.console import Console

from bench.pages_browser.arriving import Arriving, written
from bench.pages_browser.mailbox import plan
from bench.pages_browser.report import Result, tables
from bench.pages_browser.scrolling import Scrolling
from bench.pages_browser.sizes import Sizes
from bench.pages_browser.start import Start
from bench.pages_browser.using import Held, Use

RESULT = Result(
    conversations=100_000,
    load=1.5,
    sizes=Sizes(first_scripts=35_400, first_styles=7_100, first_files=12, all=78_000),
    start=Start(cold=812.4, warm=401.0, times=5),
    scrolling=Scrolling(10_000, 640, first_clock=4.0, last_clock=6.0, first_work=1.5, last_work=3),
    arriving=Arriving(mails=60, full_rate=80.0, rate=40.2, p50=0.42, p95=0.91),
    use=Use(60, (Held(0, 5.0, 2_000, 300), Held(30, 8.0, 2_500, 300), Held(60, 10.0, 2_500, 310))),
)


def test_growth_is_told_from_the_middle_to_the_end() -> None:
    assert RESULT.use.growth == 1.25
    assert RESULT.use.growth_of_nodes == 1.0
    assert RESULT.scrolling.clock_ratio == 1.5
    assert RESULT.scrolling.work_ratio == 2.0


def test_every_figure_is_shown_and_can_be_written_as_json() -> None:
    console = Console(width=120, record=True, file=io.StringIO())
    for table in tables(RESULT):
        console.print(table)
    told = console.export_text()
    for figure in ("100,000", "35.4 KB", "7.1 KB", "78.0 KB", "812 ms", "401 ms", "640", "2.00",
                   "420 ms, 910 ms", "10.00", "1.25"):  # fmt: skip
        assert figure in told
    assert json.loads(json.dumps(asdict(RESULT)))["scrolling"]["most_nodes"] == 640


def test_an_inbox_has_as_many_conversations_as_asked_for() -> None:
    planned = plan(50)
    assert len({one.number for one in planned}) == 50
    assert sum(one.mails for one in planned) == 60
    assert written("arriving 1")["Message-ID"] != written("arriving 2")["Message-ID"]
