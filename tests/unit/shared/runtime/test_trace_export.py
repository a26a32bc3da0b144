"""Export of spans: nothing of a mail in them, and no collector stands in the way of mail."""

import json
import os
import socket
import subprocess
import sys
from typing import NamedTuple

from dev.ports import free_port
from tests.collector import Collector
from tests.deadline import DEADLINE

OFF = """
import sys
import services.ingest.__main__, services.matcher.__main__, services.timeline.__main__
unwanted = ("opentelemetry.sdk", "opentelemetry.exporter")
assert not [name for name in sys.modules if name.startswith(unwanted)]
"""
PROGRAM = """
import asyncio, sys, threading
from shared.runtime import trace_export
from shared.runtime import tracing
from shared.runtime.process import configure_logging, run

trace_export._SEND_SECONDS = float(sys.argv[4])

async def main(stopping):
    async with trace_export.exporting("test", sys.argv[1]):
        for number in range(int(sys.argv[2])):
            try:
                with tracing.step("outer", "server", door="smtp"):
                    with tracing.step("inner", "producer"):
                        raise ValueError("the secret text of a mail")
            except ValueError:
                pass
            if number % 100 == 0:
                await asyncio.sleep(float(sys.argv[3]))
    waits = any(thread.name == "last spans" for thread in threading.enumerate())
    print(int(waits), trace_export.SPANS.labels("dropped")._value.get(), flush=True)

configure_logging("test", "DEBUG")
run(main)
"""


class Ran(NamedTuple):
    """What a process logged, whether it left while spans were still sent, those it gave up."""

    lines: list[dict[str, str]]
    left: bool
    lost: float


def ran(
    url: str, steps: int, pause: float = 0.0, send_seconds: float = 2.0, **settings: str
) -> Ran:
    """Let a process take so many steps of two spans each."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, url, str(steps), str(pause), str(send_seconds)],
        env={**os.environ, "OTEL_BSP_SCHEDULE_DELAY": "50", **settings},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert done.returncode == 0, done.stderr
    assert "secret" not in done.stdout + done.stderr
    *lines, figures = done.stdout.splitlines()
    left, lost = figures.split()
    return Ran([json.loads(line) for line in lines], left == "1", float(lost))


def events(lines: list[dict[str, str]]) -> list[str]:
    return [line["event"] for line in lines]


def test_off_nothing_is_imported_but_what_the_framework_imports() -> None:
    subprocess.run([sys.executable, "-c", OFF], check=True)


def test_steps_are_spans_without_anything_of_what_went_wrong() -> None:
    with Collector() as collector:
        lines = ran(collector.url, 1).lines
        spans = {span.name: span for span in collector.spans()}
        assert not [body for body in collector.bodies if b"secret" in body]
    assert events(lines) == ["traces are exported"]
    assert spans.keys() == {"outer", "inner"}
    assert spans["inner"].parent_id == spans["outer"].span_id
    assert spans["inner"].trace_id == spans["outer"].trace_id
    assert spans["outer"].facts == {"door": "smtp"}
    assert [(span.events, span.status) for span in spans.values()] == [(0, ""), (0, "")]


def test_a_collector_that_is_away_costs_spans_alone_and_is_named_once() -> None:
    lines = ran(f"http://127.0.0.1:{free_port()}", 5_000, 0.06).lines
    assert events(lines) == ["traces are exported", "collector unavailable"]


def test_one_that_never_answers_keeps_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        lines, left, lost = ran(url, 5_000, 0.01, send_seconds=3600)
    assert events(lines) == ["traces are exported"]
    assert left, "a step or the end that waited for the collector would wait for an hour"
    assert lost >= 10_000 - 2048 - 512  # all but what waits and what is being sent


def test_what_is_told_to_record_nothing_lets_everything_go_on() -> None:
    with Collector() as collector:
        lines = ran(collector.url, 10, OTEL_SDK_DISABLED="true").lines
        assert collector.bodies == []
    assert lines == []


def test_that_it_is_back_is_said_once() -> None:
    with Collector(refuses_first=True) as collector:
        lines = ran(collector.url, 1_000, 0.1).lines
        assert collector.bodies
    assert events(lines) == [
        "traces are exported",
        "collector unavailable",
        "collector available again",
    ]
