"""Trace context: what is valid goes on, and whatever else a stranger sends is as if it were not."""

import asyncio

import pytest
import structlog

from shared.runtime import tracing
from shared.runtime.tracing import Trace

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"


def test_a_valid_parent_is_gone_on_with() -> None:
    assert tracing.read(PARENT, "a=1,b@c=2") == Trace(PARENT, "a=1,b@c=2")
    assert tracing.read(PARENT) == Trace(PARENT)


def test_a_version_of_the_future_is_read_as_far_as_it_is_known() -> None:
    """Section 4.3."""
    assert tracing.read(f"cc-{TRACE}-{SPAN}-01-what-comes") == Trace(PARENT)
    assert tracing.read(f"cc-{TRACE}-{SPAN}-01") == Trace(PARENT)


@pytest.mark.parametrize(
    "parent",
    [
        None,
        7,
        b"00",
        "",
        PARENT.upper(),
        PARENT + " ",
        PARENT + "\n",
        PARENT[:-1],
        PARENT + "-more",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}g-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-0x",
        f"00-{TRACE}-{SPAN}-\u0661\u0661",
        f"cc-{TRACE}-{SPAN}-01.more",
        f"cc-{TRACE}-{SPAN}-01-" + "x" * 100_000,
        f"{PARENT},{PARENT}",
        [PARENT],
    ],
)
def test_an_invalid_parent_is_none(parent: object) -> None:
    """Section 3.2."""
    assert tracing.read(parent, "a=1") is None


@pytest.mark.parametrize(
    "state",
    [
        None,
        7,
        "a",
        "a=",
        "A=1",
        "a=1,b",
        "a=1\r\nX: y",
        "a=\u00e9",
        "a==",
        "a=" + "x" * 511,
        ",".join(f"k{n}=1" for n in range(33)),
    ],
)
def test_an_invalid_state_is_left_out_and_the_parent_counts(state: object) -> None:
    """Section 3.3: with a valid parent only the state is dropped."""
    assert tracing.read(PARENT, state) == Trace(PARENT)


def test_empty_members_of_a_state_are_no_mistake() -> None:
    """Section 3.3.1.1."""
    assert tracing.read(PARENT, " a=1 ,, \tb=2,") == Trace(PARENT, "a=1,b=2")


def test_a_step_without_a_parent_begins_a_valid_trace_that_nobody_samples() -> None:
    with tracing.step("s", "server"):
        headers = tracing.carried()
    assert tracing.read(headers["traceparent"]) is not None
    assert headers["traceparent"].endswith("-00")
    assert tracing.carried() == {}


def test_what_is_logged_within_a_step_has_its_trace() -> None:
    with tracing.step("s", "server", Trace(PARENT)):
        assert structlog.contextvars.get_contextvars()["trace_id"] == TRACE
    assert "trace_id" not in structlog.contextvars.get_contextvars()


async def test_steps_side_by_side_keep_apart_however_they_end() -> None:
    async def one(number: int) -> None:
        trace = Trace(f"00-{number:032x}-{SPAN}-01")
        for _ in range(5):
            with tracing.step("s", "consumer", trace):
                await asyncio.sleep(0)
                assert tracing.carried() == trace.headers()
                if number % 3 == 0:
                    raise ValueError
                await asyncio.sleep(60 if number % 3 == 1 else 0)

    tasks = [asyncio.create_task(one(number)) for number in range(1, 31)]
    await asyncio.sleep(0.05)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert tracing.carried() == {}
    failed = [t for t in tasks if not t.cancelled() and isinstance(t.exception(), AssertionError)]
    assert failed == []
