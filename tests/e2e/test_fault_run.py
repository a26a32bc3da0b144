"""The small fault run, and the proof that it would notice."""

from pathlib import Path

import pytest

from chaos.run import run
from dev.stack import Stack

MAILS, SESSIONS, RATE = 2000, 20, 45.0


@pytest.fixture
def own_stack(tmp_path: Path, request: pytest.FixtureRequest) -> Stack:
    """A stack with two replicas of each service, and a broker of its own to kill."""
    modules = getattr(request, "param", {})
    return Stack(tmp_path, replicas=2, modules=modules)


def test_nothing_accepted_is_lost_or_shown_twice(
    own_stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AMQP_URL", raising=False)
    with own_stack as stack:
        report = run(stack, mails=MAILS, sessions=SESSIONS, rounds=2, rate=RATE, seed=1)
    assert report.reckoning.clean, report
    assert report.reckoning.found == MAILS
    kinds = {"kill ingest", "kill matcher", "kill timeline", "kill broker"}
    assert kinds <= report.faults.keys(), "the mail ran out before everything was killed"


@pytest.mark.parametrize("own_stack", [{"matcher": "chaos.sabotage"}], indirect=True)
def test_a_build_that_acknowledges_before_it_publishes_is_caught(
    own_stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AMQP_URL", raising=False)
    with own_stack as stack:
        report = run(stack, mails=1200, sessions=SESSIONS, rounds=1, rate=RATE, seed=1)
    assert report.reckoning.lost > 0, report
    assert not report.reckoning.clean
