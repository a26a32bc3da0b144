"""A real Prometheus scrapes a running stack: all that dashboard and alerts ask for is there.

On a busy machine one scrape of many takes longer than its second, and its series are not there
until the next: what is asked for is asked for until it is there.
"""

import os
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest

from dev.dashboard_way import FIRST, WAY
from dev.demo import play
from dev.demo_mails import EXPECTED_TALLY
from dev.install import Unavailable, ensure_prometheus
from dev.prometheus import PrivatePrometheus, targets
from dev.promql import asked
from dev.stack import Stack, own_databases
from tests.deadline import DEADLINE
from tests.monitored import panels, recorded_and_alerts

_Seen = TypeVar("_Seen")
NOT_THERE = {
    'satchel_http_requests_total{status=~"5..", job!="ingest"}',
    'satchel_http_requests_total{status="500", job="ingest"}',
    'satchel_http_requests_total{status=~"5.."}',
    'kube_cronjob_created{namespace="satchel", cronjob="backup"}',
    'kube_cronjob_status_last_successful_time{namespace="satchel", cronjob="backup"}',
    'kube_job_status_failed{namespace="satchel", job_name=~"(audit|backup)-.*"}',
}
"""What a stack that is well, and is in no cluster, has none of."""


@pytest.fixture(scope="module")
def prometheus(
    tmp_path_factory: pytest.TempPathFactory, mongodb_url: str
) -> Iterator[PrivatePrometheus]:
    """One that has seen the demo, from the beginning."""
    if "AMQP_URL" in os.environ:
        pytest.skip("the broker has to tell Prometheus, too: unset AMQP_URL")
    try:
        ensure_prometheus()
    except Unavailable as missing:
        pytest.skip(f"nothing is scraped: {missing}")
    folder = tmp_path_factory.mktemp("monitoring")
    database = {"MONGODB_URL": mongodb_url}
    with (
        Stack(folder / "stack", environment=own_databases() | database, metrics=True) as stack,
        PrivatePrometheus(folder / "prometheus", targets(stack)) as server,
    ):
        assert play(stack) == 0
        yield server
        for replica in stack.replicas:
            replica.process.stop()
        if stack.broker is not None:
            stack.broker.kill()  # with its plugin it takes five seconds to stop, for nothing


def expressions() -> list[str]:
    return [*recorded_and_alerts().values(), *(one for some in panels().values() for one in some)]


def eventually(look: Callable[[], _Seen], wanted: _Seen) -> _Seen:
    """Return what is seen once it is what is wanted, or when it takes too long."""
    deadline = time.monotonic() + DEADLINE
    while (seen := look()) != wanted and time.monotonic() < deadline:
        time.sleep(0.2)
    return seen


def test_everything_that_is_scraped_answers(prometheus: PrivatePrometheus) -> None:
    jobs = ("ingest", "matcher", "timeline", "broker", "broker-queues")
    healthy = dict.fromkeys(jobs, ("up", ""))

    def health() -> dict[str, tuple[str, str]]:
        found = prometheus.ask("targets", state="active")["activeTargets"]
        return {one["labels"]["job"]: (one["health"], one["lastError"]) for one in found}

    assert eventually(health, healthy) == healthy


def test_every_series_that_is_asked_for_has_data(prometheus: PrivatePrometheus) -> None:
    wanted = {str(one) for expression in expressions() for one in asked(expression).selectors}
    assert len(wanted) > 80
    assert wanted >= NOT_THERE
    nothing: set[str] = set()
    empty = eventually(
        lambda: {one for one in wanted - NOT_THERE if not prometheus.query(one)}, nothing
    )
    assert not empty
    assert not [one for one in NOT_THERE if prometheus.query(one)]


def test_every_question_can_be_answered(prometheus: PrivatePrometheus) -> None:
    for expression in expressions():
        prometheus.query(expression)  # raises when Prometheus says no


def test_every_rule_is_evaluated(prometheus: PrivatePrometheus) -> None:
    healthy = dict.fromkeys(recorded_and_alerts(), "ok")

    def health() -> dict[str, str]:
        groups = prometheus.ask("rules")["groups"]
        return {rule["name"]: rule["health"] for group in groups for rule in group["rules"]}

    assert eventually(health, healthy) == healthy


def test_what_is_counted_is_what_was_sent(prometheus: PrivatePrometheus) -> None:
    captures = sum(EXPECTED_TALLY.values())
    told: dict[str, float] = {
        'sum(satchel_received_total{answer="accepted"})': captures,
        'sum(satchel_decisions_total{decision="attached"})': EXPECTED_TALLY["attached"],
        "sum(satchel_projected_total)": captures,
        "sum(satchel_visible_seconds_count)": captures,
        'sum(satchel_visible_seconds_bucket{le="60.0"})': captures,
        'sum(satchel_published_total{tag="mail.received.v1", result!="confirmed"})': 0,
        "sum(satchel_dead_letters_waiting)": 0,
    }

    def values() -> dict[str, float]:
        return {one: float(sample["value"][1]) for one in told for sample in prometheus.query(one)}

    assert eventually(values, told) == told


def test_nothing_but_the_missing_nodes_alerts(prometheus: PrivatePrometheus) -> None:
    here = {"BrokerNodeDown", "BrokerWithoutMajority"}

    def alerting() -> set[str]:  # firing, or about to
        return {one["labels"]["alertname"] for one in prometheus.ask("alerts")["alerts"]}

    assert eventually(alerting, here) == here


def test_the_dashboard_shows_the_way_of_the_mails(prometheus: PrivatePrometheus) -> None:
    """Each picture of the upper half has a number in it; the rate of what was sent is above 0."""
    titles = [panel.title for row in (FIRST, WAY) for _, some in row.columns for panel in some]
    nothing: set[str] = set()

    def empty() -> set[str]:
        return {one for one in titles if not any(map(prometheus.query, panels()[one]))}

    assert eventually(empty, nothing) == nothing
    sent = prometheus.query('sum(increase(satchel_received_total{answer="accepted"}[5m]))')
    assert float(sent[0]["value"][1]) > 1
