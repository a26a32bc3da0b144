"""Export of spans: nothing of a mail in them, and no collector stands in the way of mail."""

import json
import os
import socket
import subprocess
import sys
import time
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
import asyncio, sys, time
from shared import tracing
from shared.runtime import configure_logging, run
from shared.trace_export import SPANS, exporting

async def main(stopping):
    async with exporting("test", sys.argv[1]):
        slowest = 0.0
        for number in range(int(sys.argv[2])):
            started = time.monotonic()
            try:
                with tracing.step("outer", "server", door="smtp"):
                    with tracing.step("inner", "producer"):
                        raise ValueError("the secret text of a mail")
            except ValueError:
                pass
            slowest = max(slowest, time.monotonic() - started)
            if number % 100 == 0:
                await asyncio.sleep(float(sys.argv[3]))
        stopped = time.monotonic()
    lost = SPANS.labels("dropped")._value.get()
    print(slowest, time.monotonic() - stopped, lost, flush=True)

configure_logging("test", "DEBUG")
run(main)
"""


class Ran(NamedTuple):
    """What a process logged, its slowest step and its end in seconds, the spans it gave up."""

    lines: list[dict[str, str]]
    slowest: float
    stop: float
    lost: float


def ran(url: str, steps: int, pause: float = 0.0, **settings: str) -> Ran:
    """Let a process take so many steps of two spans each."""
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, url, str(steps), str(pause)],
        env={**os.environ, "OTEL_BSP_SCHEDULE_DELAY": "50", **settings},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert done.returncode == 0, done.stderr
    assert "secret" not in done.stdout + done.stderr
    assert time.monotonic() - started < 9.5
    *lines, figures = done.stdout.splitlines()
    return Ran([json.loads(line) for line in lines], *map(float, figures.split()))


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
    lines, slowest, stop, _ = ran(f"http://127.0.0.1:{free_port()}", 5_000, 0.06)
    assert events(lines) == ["traces are exported", "collector away"]
    assert slowest < 0.5
    assert stop < 0.3 + 0.4


def test_one_that_never_answers_keeps_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        lines, slowest, stop, lost = ran(f"http://127.0.0.1:{silent.getsockname()[1]}", 5_000, 0.01)
    assert set(events(lines)) <= {"traces are exported", "collector away"}
    assert slowest < 0.5
    assert stop < 0.3 + 0.4
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
    assert events(lines) == ["traces are exported", "collector away", "collector back"]
