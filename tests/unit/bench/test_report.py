"""The results of the bench of the way, as tables and as JSON."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench.counting_proxy import Requests
from bench.way.command import GROWTH, TABLE, loads_of_table
from bench.way.latency import Latency, latencies
from bench.way.load import Load
from bench.way.report import markdown, row
from bench.way.results import load_results, save
from bench.way.run import Result, Waits, paced, sample
from dev.ledger import Letter
from services.timeline.metrics import CONFLICTS

LOAD = Load(mails=3000)
RESULT = Result(
    title=LOAD.title,
    load=LOAD,
    sessions=20,
    replicas=1,
    broker_alone=8000.0,
    accepted=700.0,
    visible=160.0,
    p50=6.4,
    p95=10.4,
    p99=10.5,
    cpu={"ingest": 1.0, "timeline": 9.25},
    counted=500,
    requests={
        "matcher": Requests(0.75, 0.0, 0.0, {"find": 0.75}),
        "timeline": Requests(17.0, 19.0, 14.0, {"update": 6.0}),
    },
    conflicts=0.125,
)


def test_a_row_has_rates_processor_time_and_what_mongod_received() -> None:
    assert row(RESULT) == (
        "3,000",
        "160",
        "0.020",
        "6,400 / 10,400",
        "ingest 1.0, timeline 9.2",
        "10.2",
        "matcher 0.75, timeline 17.00",
        "matcher 0.00, timeline 14.00",
        "0.125",
    )


def test_one_run_is_a_line_for_each_load() -> None:
    lines = markdown({"": [RESULT]}).splitlines()
    assert lines[0].startswith("| load | mails | visible /s |")
    assert lines[1].count("---") == lines[0].count("|") - 1
    assert lines[2].startswith("| 4 KB, 60% answer, 1 account | 3,000 | 160 |")


def test_two_runs_stand_one_below_the_other_for_each_load() -> None:
    other = replace(RESULT, title="another")
    lines = markdown({"before": [RESULT, other], "after": [RESULT]}).splitlines()[2:]
    assert [line.split(" | ")[:2] for line in lines] == [
        ["| 4 KB, 60% answer, 1 account", "before"],
        ["| 4 KB, 60% answer, 1 account", "after"],
        ["| another", "before"],
    ]


def test_results_come_back_from_their_file(tmp_path: Path) -> None:
    save([RESULT], tmp_path / "before.json")
    assert load_results(tmp_path / "before.json") == [RESULT]


@pytest.mark.parametrize(
    ("load", "title"),
    [
        (Load(size=30_000, replies=0.0), "30 KB, no answers, 1 account"),
        (Load(size=2500, accounts=64), "2.5 KB, 60% answer, 64 accounts"),
        (
            Load(conversation=200, shuffle=True),
            "4 KB, conversations of 200, random order, 1 account",
        ),
    ],
)
def test_a_load_says_what_it_is(load: Load, title: str) -> None:
    assert load.title == title


@pytest.mark.parametrize("table", [TABLE, GROWTH], ids=["table", "growth"])
def test_each_load_of_a_table_has_a_title_of_its_own_and_so_many_mails(
    table: tuple[Load, ...],
) -> None:
    for quick in (False, True):
        loads = loads_of_table(table, 5000, quick=quick)
        assert quick or len({load.title for load in loads}) == len(table)
        assert {load.mails for load in loads} == ({300} if quick else {5000})


def test_the_plan_of_a_load_is_for_its_accounts() -> None:
    for load in loads_of_table([*TABLE, *GROWTH], 5000, quick=True):
        planned = load.plan()
        assert len(planned) == load.mails
        assert {mail.account for mail in planned} == set(range(load.accounts))


def test_what_is_sent_at_a_rate_waits_until_it_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    now, pauses = [100.0], list[float]()

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(
        "bench.way.run.time", SimpleNamespace(monotonic=lambda: now[0], sleep=sleep)
    )
    letters = [Letter(number, str(number), b"", True, ()) for number in range(4)]
    due = paced(letters, rate=4)
    assert [next(due), next(due)] == letters[:2]
    now[0] += 0.5  # nobody had a session to spare
    assert list(due) == letters[2:]
    assert pauses == [0.0, 0.25, 0.0, 0.0]


def test_latencies_have_a_ratio_to_the_idle_stack() -> None:
    alone = Latency("alone", 8.0, Waits(p50=0.02, p95=0.03, p99=0.05, last=9.0))
    half = Latency("half", 60.0, Waits(p50=0.03, p95=0.05, p99=0.1, last=9.0))
    lines = latencies([alone, half]).splitlines()
    assert lines[2] == "| alone | 8.0 | 20 | 30 | 50 | 1.0, 2.5 |"
    assert lines[3] == "| half | 60.0 | 30 | 50 | 100 | 1.5, 5.0 |"


def test_the_conflicts_are_counted_by_a_metric_that_the_timeline_has() -> None:
    assert next(iter(CONFLICTS.describe())).name == "satchel_batch_conflicts"
    assert sample("# HELP x\nx_total 3.0\nx 2.0\n", "x") == 2
    with pytest.raises(LookupError):
        sample("x_total 3.0\n", "x")
