"""The small fault run, and the proof that it would notice. Both run at a time: they mostly wait.

`make test` takes every sixth kind of fault, `make test-full` each.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chaos.schedule import FULL_BLOBS, KINDS

_SECONDS = 1800
"""A deadline, of what takes about a minute on an idle machine."""
_SABOTAGED = {
    "sabotaged": ["--sabotage", "matcher", "--kinds", "kill matcher", "--mails", "60", "--quiet=3"],
}


class Run:
    """`make chaos ARGS="--short ..."`, under way."""

    def __init__(self, folder: Path, arguments: list[str]) -> None:
        self._json, self._log = folder / "report.json", folder / "log"
        private = ("AMQP_URL", "MONGODB_URL", "BLOB_URL")  # it breaks its own
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "chaos.run", "--short", "--json", self._json, *arguments],
                env={name: value for name, value in os.environ.items() if name not in private},
                stdout=log,
                stderr=log,
            )

    def result(self) -> tuple[int, dict[str, Any], str]:
        """Return the exit code, the report, and all that was printed."""
        code = self._process.wait(_SECONDS)
        report = json.loads(self._json.read_text()) if self._json.exists() else {}
        return code, report, self._log.read_text()

    def end(self) -> None:
        """Stop it when it still runs."""
        self._process.terminate()
        self._process.wait(_SECONDS)


@pytest.fixture(scope="module")
def kinds(request: pytest.FixtureRequest) -> list[str]:
    return [*KINDS] if request.config.getoption("--full") else [*KINDS][::6]


@pytest.fixture(scope="module")
def mails(request: pytest.FixtureRequest) -> int:
    return 300 if request.config.getoption("--full") else 150


@pytest.fixture(scope="module")
def runs(
    tmp_path_factory: pytest.TempPathFactory, kinds: list[str], mails: int
) -> Iterator[dict[str, Run]]:
    sound = ["--seed", "1", "--rate", "8", "--mails", str(mails), "--kinds", ",".join(kinds)]
    words = {"sound": sound, **_SABOTAGED}
    started = {name: Run(tmp_path_factory.mktemp(name), said) for name, said in words.items()}
    yield started
    for run in started.values():
        run.end()


def test_nothing_accepted_is_lost_or_shown_twice(
    runs: dict[str, Run], kinds: list[str], mails: int
) -> None:
    code, report, printed = runs["sound"].result()
    assert code == 0, printed
    assert report["clean"]
    assert report["accepted"] == report["found"] >= mails
    assert set(report["faults"]) | set(report["left_out"]) == set(kinds)
    assert set(report["left_out"]) <= {FULL_BLOBS}


def test_a_build_that_acknowledges_before_it_publishes_is_caught(runs: dict[str, Run]) -> None:
    code, report, printed = runs["sabotaged"].result()
    assert code == 1, printed
    assert report["lost"] > 0


@pytest.mark.full
def test_attacks_beside_faults_lose_nothing_of_an_account_that_is_not_attacked(
    tmp_path: Path,
) -> None:
    kinds = "kill ingest,kill matcher,kill timeline,cut timeline to mongod"
    run = Run(tmp_path, ["--siege", "--rate", "8", "--mails", "150", "--kinds", kinds])
    try:
        code, report, printed = run.result()
    finally:
        run.end()
    assert code == 0, printed
    assert report["accepted"] == report["found"] >= 150
    assert sum(map(len, report["siege"].values())) > 0, "there was no attack"


@pytest.mark.full
def test_profiles_that_live_among_faults_show_what_was_acknowledged(tmp_path: Path) -> None:
    kinds = "kill matcher,kill timeline,removed queue,cut timeline to mongod,restart matcher"
    run = Run(tmp_path, ["--life", "--rate", "8", "--mails", "150", "--kinds", kinds])
    try:
        code, report, printed = run.result()
    finally:
        run.end()
    assert code == 0, printed
    assert report["accepted"] == report["found"] >= 150
    lives = report["lives"]
    assert lives["clean"]
    assert lives["mails"] > 0
    assert {"merge", "undo", "erase", "hand over", "delete mail"} <= set(lives["operations"])
