"""The results of the bench of the way, as tables and as JSON."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.counting_proxy import Requests
from bench.way.command import TABLE, loads_of_table
from bench.way.load import Load
from bench.way.report import markdown, row
from bench.way.results import load_results, save
from bench.way.run import Result

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


def test_each_load_of_the_table_has_a_title_of_its_own_and_so_many_mails() -> None:
    for quick in (False, True):
        loads = loads_of_table(5000, quick=quick)
        assert len({load.title for load in loads}) == len(TABLE)
        assert {load.mails for load in loads} == ({300} if quick else {5000})


def test_the_plan_of_a_load_is_for_its_accounts() -> None:
    for load in loads_of_table(5000, quick=True):
        planned = load.plan()
        assert len(planned) == load.mails
        assert {mail.account for mail in planned} == set(range(load.accounts))
