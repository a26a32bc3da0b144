"""The figures of the pages in a browser: ratios, and the tables that show them."""

import io
import json
import time
from dataclasses import asdict, replace
from email.message import EmailMessage
from typing import cast

import pytest
from playwright.sync_api import Page
from rich.console import Console

from bench.pages_browser.arriving import Arriving, arriving, written
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
    arriving=Arriving(60, mails=60, full_rate=80.0, rate=40.2, waiting=3, p50=0.42, p95=0.91),
    use=Use(60, (Held(0, 5.0, 2_000, 300), Held(30, 8.0, 2_500, 300), Held(60, 10.0, 2_500, 310))),
)


def test_growth_is_told_from_the_middle_to_the_end() -> None:
    assert RESULT.use.growth == 1.25
    assert RESULT.use.growth_of_nodes == 1.0
    assert RESULT.scrolling.clock_ratio == 1.5
    assert RESULT.scrolling.work_ratio == 2.0


def test_every_figure_is_shown_and_can_be_written_as_json() -> None:
    shown = told(RESULT)
    for figure in ("100,000", "35.4 KB", "7.1 KB", "78.0 KB", "812 ms", "401 ms", "640", "2.00",
                   "420 ms, 910 ms", "10.00", "1.25"):  # fmt: skip
        assert figure in shown
    assert json.loads(json.dumps(asdict(RESULT)))["scrolling"]["most_nodes"] == 640


def told(result: Result) -> str:
    console = Console(width=120, record=True, file=io.StringIO())
    for table in tables(result):
        console.print(table)
    return console.export_text()


def test_a_part_that_stopped_early_says_so_and_keeps_what_it_has() -> None:
    assert RESULT.missing == []
    early = replace(
        RESULT,
        arriving=Arriving(60, mails=7, p50=0.42, p95=0.5, stopped="mail 8 was no row"),
        use=Use(60, RESULT.use.held[:2], "round 41 of 60 did not end"),
    )
    assert early.missing == [
        "250 to a row: mail 8 was no row",
        "an hour's use: round 41 of 60 did not end",
    ]
    assert "7 of 60" in told(early)
    assert "420 ms, 500 ms" in told(early)
    assert "middle" in told(early)
    assert "end by middle" not in told(early)
    nothing = replace(RESULT, arriving=Arriving(60, stopped="no load"), use=Use(60, (), "no inbox"))
    assert "none, none" in told(nothing)


class Inbox:
    """A page on which so many mails become rows, by a clock of its own."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.patience: list[float] = []

    def evaluate(self, script: str, asked: list[object] | None = None) -> float | None:
        if asked is None:
            return None
        assert "seenAt" in script
        self.patience.append(float(str(asked[1])))
        self.rows -= 1
        return None if self.rows < 0 else time.time() * 1000


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.pages_browser.arriving._PAUSE_SECONDS", 0)


@pytest.mark.usefixtures("no_pause")
def test_a_mail_that_is_never_a_row_ends_the_wait_with_what_there_was() -> None:
    sent: list[EmailMessage] = []
    inbox = Inbox(rows=4)
    rows = arriving(cast(Page, inbox), sent.append, 10, patience=3)
    assert (len(rows.waits), len(sent)) == (4, 5)
    assert rows.stopped == "mail 5 of 10 was no row after 3 s"
    assert inbox.patience == [3000] * 5
    assert rows.at(0.95) == rows.waits[3]


@pytest.mark.usefixtures("no_pause")
def test_rows_that_take_too_long_together_end_it_too() -> None:
    rows = arriving(cast(Page, Inbox(rows=9)), lambda _: None, 9, longest=-1)
    assert (rows.waits, rows.stopped) == ([], "0 of 9 mails took -1 s")
    assert rows.at(0.95) is None
    assert arriving(cast(Page, Inbox(rows=9)), lambda _: None, 9).stopped == ""


def test_an_inbox_has_as_many_conversations_as_asked_for() -> None:
    planned = plan(50)
    assert len({one.number for one in planned}) == 50
    assert sum(one.mails for one in planned) == 60
    assert written("arriving 1")["Message-ID"] != written("arriving 2")["Message-ID"]
