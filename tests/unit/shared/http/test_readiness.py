"""What is needed, what is needed at the start alone, and what is only reported."""

import asyncio

from shared.http.readiness import Readiness, holds, not_stopping


class Part:
    """Something that is there or away."""

    def __init__(self) -> None:
        self.there = False


async def test_what_is_needed_at_the_start_is_only_reported_once_it_was_there() -> None:
    broker = Part()
    readiness = Readiness({}, at_start={"broker": holds(lambda: broker.there)})
    assert await readiness.look() == (False, {"broker": False})
    assert await readiness.look() == (False, {"broker": False}), "asking again changes nothing"
    broker.there = True
    assert await readiness.look() == (True, {"broker": True})
    broker.there = False
    assert await readiness.look() == (True, {"broker": False})


async def test_each_part_is_awaited_for_itself() -> None:
    one, other = Part(), Part()
    at_start = {"one": holds(lambda: one.there), "other": holds(lambda: other.there)}
    readiness = Readiness({}, at_start=at_start)
    one.there = True
    assert (await readiness.look())[0] is False
    one.there, other.there = False, True
    assert await readiness.look() == (True, {"one": False, "other": True})


async def test_what_is_needed_is_needed_for_good_and_what_is_reported_never() -> None:
    stopping, database = asyncio.Event(), Part()
    readiness = Readiness(
        {"running": not_stopping(stopping), "database": holds(lambda: database.there)},
        reported={"blobs": holds(lambda: False)},
    )
    assert await readiness.look() == (
        False,
        {"running": True, "database": False, "blobs": False},
    )
    database.there = True
    assert (await readiness.look())[0] is True
    database.there = False
    assert (await readiness.look())[0] is False
    database.there = True
    stopping.set()
    assert (await readiness.look())[0] is False
